package dev.lockstep.train;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.checkpoint.Checkpoint;
import dev.lockstep.checkpoint.CheckpointSearch;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.comm.Communicator;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Optional;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds where a run goes on. Rank 0 reads the checkpoint and sends it to the others, which need not
 * see its file system; what it holds is equal on all ranks, so their number may have changed.
 */
final class Resumption {
  private static final Logger log = LoggerFactory.getLogger(Resumption.class);
  private static final ObjectMapper JSON = new ObjectMapper();

  private final TrainingPlan plan;
  private final long samples;
  private final TrainingMemory memory;
  private final Communicator communicator;

  Resumption(TrainingPlan plan, long samples, TrainingMemory memory, Communicator communicator) {
    this.plan = plan;
    this.samples = samples;
    this.memory = memory;
    this.communicator = communicator;
  }

  /**
   * Restores the newest usable checkpoint, if there is one, and makes all ranks' memory equal to
   * rank 0's in any case; collective.
   *
   * @param folder of the checkpoints; null to begin anew
   * @return what the checkpoint says, or null to begin anew
   * @throws TrainingException on rank 0 if there are checkpoints and none is usable
   */
  @Nullable Progress find(@Nullable Path folder) {
    byte[] state = new byte[0];
    if (communicator.rank() == 0 && folder != null) {
      state = restoreNewest(folder).map(Resumption::bytes).orElse(state);
    }
    state = communicator.broadcast(state, 0);
    memory.broadcast(communicator);
    if (state.length == 0) {
      return null;
    }
    Progress progress = Progress.fromJson(parse(state));
    memory.optimizer().resumeAfter(progress.optimizer().steps());
    return progress;
  }

  private Optional<ObjectNode> restoreNewest(Path folder) {
    // Only the search is needed, and it deletes nothing.
    CheckpointSearch search = new CheckpointStore(folder, 1).latest(this::reasonToRefuse);
    for (CheckpointSearch.Refusal refusal : search.refused()) {
      log.warn("Checkpoint {} is not used: {}", refusal.folder(), refusal.reason());
    }
    if (search.checkpoint().isEmpty()) {
      if (!search.refused().isEmpty()) {
        throw new TrainingException(
            "No checkpoint in "
                + folder
                + " can be resumed: "
                + search.refused().stream()
                    .map(refusal -> refusal.folder().getFileName() + ": " + refusal.reason())
                    .collect(Collectors.joining("; "))
                + ". Run without --resume to begin anew, or give back the configuration they were"
                + " made with.");
      }
      log.info("There is no checkpoint in {} yet; the run begins at its first step.", folder);
      return Optional.empty();
    }
    Checkpoint checkpoint = search.checkpoint().get();
    CheckpointTensors.restore(checkpoint, memory);
    log.info("The run goes on after step {}.", checkpoint.step());
    return Optional.of(checkpoint.state());
  }

  private Optional<String> reasonToRefuse(Checkpoint checkpoint) {
    Progress progress;
    try {
      progress = Progress.fromJson(checkpoint.state());
    } catch (IllegalArgumentException e) {
      return Optional.of("its state is not that of a training run: " + e.getMessage());
    }
    TrainingPlan made = progress.configuration();
    if (made.seed() != plan.seed()) {
      return Optional.of("it was made with seed " + made.seed() + ", not " + plan.seed());
    }
    if (made.training().batchSize() != plan.training().batchSize()) {
      return Optional.of(
          "it was made with batch_size "
              + made.training().batchSize()
              + ", not "
              + plan.training().batchSize());
    }
    if (progress.samples() != samples) {
      return Optional.of(
          "it was made with " + progress.samples() + " training samples, not " + samples);
    }
    return CheckpointTensors.reasonToRefuse(checkpoint, memory);
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
