package dev.lockstep.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointSearch;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.comm.Communicator;
import dev.lockstep.monitor.RunFolder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds where a run goes on. Rank 0 reads the checkpoint and sends it to the others, which need not
 * see its file system.
 */
final class Resumption {
  private static final Logger log = LoggerFactory.getLogger(Resumption.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final TrainingAssembly run;
  private final DataFingerprint data;
  private final String modelStructure;
  private final StateRestore restore;

  Resumption(TrainingAssembly run, DataFingerprint data, String modelStructure) {
    this.run = run;
    this.data = data;
    this.modelStructure = modelStructure;
    restore = new StateRestore(run.state, run.task.communicator());
  }

  /**
   * Restores the newest usable checkpoint, if there is one, and makes all ranks' memory equal to
   * rank 0's in any case; collective.
   *
   * @param folder of the run; null to begin anew
   * @return what the checkpoint says, or null to begin anew
   * @throws TrainingException on rank 0 if there is something to resume, and none of it is usable
   */
  @Nullable Progress find(@Nullable RunFolder folder) {
    Communicator communicator = run.task.communicator();
    Optional<Checkpoint> newest =
        communicator.rank() == 0 && folder != null ? findNewest(folder) : Optional.empty();
    byte[] state = newest.map(Checkpoint::state).map(Resumption::bytes).orElse(new byte[0]);
    state = communicator.broadcast(state, 0);
    if (state.length == 0) {
      run.state.broadcast(communicator);
      return null;
    }
    Progress progress = Progress.fromJson(parse(state));
    run.state.restoreValues(progress.parts());
    restore.restore(newest.orElse(null));
    return progress;
  }

  private Optional<Checkpoint> findNewest(RunFolder folder) {
    // Only the search is needed, and it deletes nothing.
    CheckpointSearch search =
        new CheckpointStore(folder.checkpoints(), 1).latest(this::reasonToRefuse);
    if (search.checkpoint().isEmpty()) {
      if (!search.refused().isEmpty()) {
        throw new TrainingException(nothingUsable(folder, search.refused()));
      }
      if (folder.hasResults()) {
        throw new TrainingException(
            "There is nothing to resume in "
                + folder.checkpoints()
                + ": it holds no checkpoint, but "
                + folder.path()
                + " holds the results of a run, which beginning anew would overwrite. Run without"
                + " --resume, which keeps them under another name.");
      }
      log.info(
          "There is no checkpoint in {} yet; the run begins at its first step.",
          folder.checkpoints());
      return Optional.empty();
    }
    Checkpoint checkpoint = search.checkpoint().get();
    log.info("The run goes on after step {}.", checkpoint.step());
    return search.checkpoint();
  }

  /** Names the newest: the log has the others, as far as they have reasons of their own. */
  private static String nothingUsable(RunFolder folder, List<CheckpointSearch.Refusal> refused) {
    int older = refused.size() - 1;
    return "There is nothing to resume in "
        + folder.checkpoints()
        + ". "
        + refused.get(0).reason()
        + (older == 0 ? "" : older == 1 ? " The older one" : " The " + older + " older ones")
        + (older == 0 ? "" : " cannot be used either.")
        + " Run without --resume to begin anew, or give back the configuration that was used.";
  }

  private Optional<String> reasonToRefuse(Checkpoint checkpoint) {
    Progress progress;
    try {
      progress = Progress.fromJson(checkpoint.state());
    } catch (IllegalArgumentException e) {
      return Optional.of("its state is not that of a training run: " + e.getMessage());
    }
    Optional<String> reason = progress.reasonToRefuse(run.task.plan(), data, modelStructure);
    return reason.isPresent()
        ? reason
        : restore.reasonToRefuse(checkpoint, progress.otherStrategy(run.task.plan()));
  }

  private static byte[] bytes(ObjectNode state) {
    return state.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static ObjectNode parse(byte[] state) {
    try {
      return (ObjectNode) JSON.readTree(new String(state, StandardCharsets.UTF_8));
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("Rank 0 sent a state that is no JSON.", e);
    }
  }
}
