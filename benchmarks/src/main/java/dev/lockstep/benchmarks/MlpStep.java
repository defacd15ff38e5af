package dev.lockstep.benchmarks;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.train.TrainingJob;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * One training step of a 64-512-512-1 MLP at global batch 1000, as {@code compare_mlp_step.py} runs
 * it. Every step reads, normalises and copies its samples, which the PyTorch peers do not. Rank 0
 * prints one JSON object.
 *
 * <p>Arguments: the configuration file, the number of measured epochs, and what overrides the file
 * ({@code training.batch_size=500}).
 */
public final class MlpStep {
  private static final int WARM_UP_EPOCHS = 4;

  private MlpStep() {}

  /** Runs as one rank of the group that the environment names. */
  public static void main(String[] arguments) throws IOException {
    int epochs = WARM_UP_EPOCHS + Integer.parseInt(arguments[1]);
    List<String> overrides = new ArrayList<>(List.of("training.epochs=" + epochs));
    overrides.addAll(Arrays.asList(arguments).subList(2, arguments.length));
    RunConfig config = ConfigLoader.load(RunConfig.class, Path.of(arguments[0]), overrides);
    try (Dataset data = DataFiles.open(config.data());
        Communicator ranks = Communicator.fromEnvironment(config.communicator())) {
      Split split = Split.of(data.size(), config.data().validationFraction(), config.data().seed());
      StepTimes times = new StepTimes(WARM_UP_EPOCHS);
      new TrainingJob(config.plan(), data, split, ranks, times, Optional.empty()).run(false);
      if (ranks.rank() == 0) {
        System.out.printf(
            Locale.ROOT,
            "{\"contestant\": \"Lockstep %s\", \"ranks\": %d, \"milliseconds\": %.4f,"
                + " \"bytes_a_step\": %d}%n",
            ranks.backend(),
            ranks.size(),
            times.medianMilliseconds(),
            times.medianAllocatedBytes());
      }
    }
  }
}
