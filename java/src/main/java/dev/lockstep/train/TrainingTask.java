package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.RunFolder;
import java.util.Optional;

/**
 * What a run is about, given from outside.
 *
 * @param folder where to write; empty to write nothing
 */
record TrainingTask(
    TrainingPlan plan,
    Dataset dataset,
    Split split,
    Communicator communicator,
    Optional<RunFolder> folder) {}
