package dev.lockstep.train;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.checkpoint.CheckpointException;
import dev.lockstep.checkpoint.CheckpointStore;
import dev.lockstep.checkpoint.CheckpointWriter;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.monitor.RunFolder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The checkpoints of a run: when they are due, and what goes into one. Every rank copies its share
 * of the state and goes on; a thread of its own writes the copy. One thread besides that.
 *
 * <p>Where ranks wait for a write, they ask each other at short intervals whether it has ended, so
 * that a slow disk meets no communicator's deadline.
 */
final class Checkpoints implements AutoCloseable {
  /** Far below any deadline that makes sense, far above the cost of asking. */
  private static final long ASK_EVERY_MILLIS = 100;

  private final TrainingAssembly run;
  private final Communicator communicator;
  private final DataFingerprint data;
  private final String modelStructure;
  private final Recurrence recurrence;
  private final @Nullable StagedState staged;
  private final @Nullable CheckpointWriter writer;

  /** Where a run stands. */
  record Position(
      DistributedSampler.Position sampler, long steps, double lossSum, Skipped skipped) {}

  /**
   * Takes the memory for the copies, and finds out which ranks can write into the folder;
   * collective. Nothing has been written when this fails.
   */
  Checkpoints(TrainingAssembly run, DataFingerprint data, String modelStructure) {
    this.run = run;
    this.data = data;
    this.modelStructure = modelStructure;
    communicator = run.task.communicator();
    CheckpointConfig config = run.task.plan().checkpoints();
    recurrence =
        new Recurrence(
            config.everyEpochs(), config.everySteps(), config.everySeconds(), System::nanoTime);
    boolean writes =
        communicator.broadcast(new byte[] {(byte) (run.task.folder().isPresent() ? 1 : 0)}, 0)[0]
            == 1;
    if (!writes) {
      staged = null;
      writer = null;
      return;
    }
    SharedFolder folder = new SharedFolder(run.task.folder(), communicator);
    boolean allWrite = folder.isSeenByAll();
    staged = StagedState.of(run.state, communicator, allWrite);
    if (communicator.rank() > 0 && !allWrite) {
      writer = null;
      return;
    }
    CheckpointStore store =
        new CheckpointStore(
            run.task.folder().map(RunFolder::checkpoints).orElseThrow(), config.keep());
    writer =
        new CheckpointWriter(
            store,
            communicator.rank(),
            allWrite ? communicator.size() : 1,
            run.task.checkpointChannel());
    if (communicator.rank() == 0) {
      writer.prepare();
    }
  }

  boolean isDueAfterStep(long steps) {
    return recurrence.isDueAfterStep(steps);
  }

  boolean isDueAfterEpoch(int epochs) {
    return recurrence.isDueAfterEpoch(epochs);
  }

  boolean isDueByClock() {
    return recurrence.isDueByClock();
  }

  /**
   * Keeps the state as it is now; collective. Waits for the checkpoint before, and returns when the
   * state has been copied.
   *
   * @return whether this rank writes any of it
   */
  boolean save(Position position) {
    await();
    double[] lossSums = run.mesh.data().allGather(new double[] {position.lossSum()});
    recurrence.done();
    if (staged == null || writer == null) {
      return false;
    }
    ObjectNode state =
        communicator.rank() == 0
            ? progress(position, lossSums).toJson()
            : JsonNodeFactory.instance.objectNode();
    writer.write(position.steps(), staged.copy(), state);
    return true;
  }

  private Progress progress(Position position, double[] lossSums) {
    return new Progress(
        position.sampler(),
        run.trainingSamples.length,
        position.steps(),
        data,
        modelStructure,
        Progress.Normalizers.of(run.normalizers()),
        Arrays.stream(lossSums).boxed().toList(),
        position.skipped(),
        run.state.values(),
        run.task.plan());
  }

  /**
   * Waits until no rank writes any more; collective.
   *
   * @throws CheckpointException on a rank that could not write
   * @throws TrainingException on the other ranks, naming that one
   */
  void await() {
    int[] all;
    RuntimeException failure = null;
    do {
      boolean done = true;
      try {
        done = writer == null || failure != null || writer.await(ASK_EVERY_MILLIS);
      } catch (CheckpointException e) {
        failure = e;
      }
      int[] own = {done ? 0 : 1, failure == null ? 0 : 1};
      all = communicator.allReduce(own, ReduceOp.MAX);
    } while (all[0] == 1 && all[1] == 0);
    if (all[1] == 1) {
      throw failed(failure);
    }
  }

  private RuntimeException failed(@Nullable RuntimeException own) {
    String message = own == null ? "" : String.valueOf(own.getMessage());
    byte[][] messages = communicator.allGather(message.getBytes(StandardCharsets.UTF_8));
    if (own != null) {
      return own;
    }
    int rank = 0;
    while (messages[rank].length == 0) {
      rank++;
    }
    return new TrainingException(
        "Rank " + rank + ": " + new String(messages[rank], StandardCharsets.UTF_8));
  }

  @Override
  public void close() {
    try (staged) {
      if (writer != null) {
        writer.close();
      }
    }
  }
}
