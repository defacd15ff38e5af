package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.RunFolder;
import java.nio.channels.WritableByteChannel;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * What a run is about, given from outside.
 *
 * @param folder where to write; empty to write nothing
 * @param checkpointChannel gives what a checkpoint's tensors pass through on their way to the file;
 *     the identity, but for tests
 */
record TrainingTask(
    TrainingPlan plan,
    Dataset dataset,
    Split split,
    Communicator communicator,
    Optional<RunFolder> folder,
    UnaryOperator<WritableByteChannel> checkpointChannel) {
  /** The same with other ranks. */
  TrainingTask withCommunicator(Communicator group) {
    return new TrainingTask(plan, dataset, split, group, folder, checkpointChannel);
  }
}
