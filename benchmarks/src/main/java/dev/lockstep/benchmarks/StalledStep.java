package dev.lockstep.benchmarks;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.TrainingJob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;

/**
 * Training whose ranks stall, as {@code staleness.py} runs it: after each step a rank sleeps for a
 * unit of time, with probability 0.1 for ten. Rank 0 prints its steps a unit of time, of all but
 * the first epoch.
 *
 * <p>Arguments: the configuration file, milliseconds of a unit, the seed of the stalls, and what
 * overrides the file.
 */
public final class StalledStep {
  private StalledStep() {}

  /** Runs as one rank of the group that the environment names. */
  public static void main(String[] arguments) throws IOException {
    RunConfig config =
        ConfigLoader.load(
            RunConfig.class,
            Path.of(arguments[0]),
            Arrays.asList(arguments).subList(3, arguments.length));
    double unitNanos = Double.parseDouble(arguments[1]) * 1e6;
    try (Dataset data = DataFiles.open(config.data());
        Communicator ranks = Communicator.fromEnvironment(config.communicator())) {
      Split split = Split.of(data.size(), config.data().validationFraction(), config.data().seed());
      Random random = new Random(Long.parseLong(arguments[2]) * 1000 + ranks.rank());
      long[] counted = new long[2];
      TrainingListener listener =
          event -> {
            if (event instanceof StepDone done) {
              LockSupport.parkNanos((long) (random.nextInt(10) == 0 ? 10 * unitNanos : unitNanos));
              if (done.epoch() == 2 && done.step() == 1) {
                counted[1] = System.nanoTime();
              }
              counted[0] += done.epoch() > 1 ? 1 : 0;
            }
          };
      new TrainingJob(config.plan(), data, split, ranks, listener, Optional.empty()).run(false);
      double units = (System.nanoTime() - counted[1]) / unitNanos;
      if (ranks.rank() == 0) {
        System.out.printf(Locale.ROOT, "%.4f%n", counted[0] / units);
      }
    }
  }
}
