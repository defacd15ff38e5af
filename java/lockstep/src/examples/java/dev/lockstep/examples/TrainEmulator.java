package dev.lockstep.examples;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.RunConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Split;
import dev.lockstep.monitor.Recording;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.TrainingJob;
import dev.lockstep.train.TrainingResult;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Trains what a YAML file describes; alone, or as one rank of the group that it was launched into.
 */
public final class TrainEmulator {
  public static void main(String[] arguments) {
    RunConfig config = ConfigLoader.load(RunConfig.class, Path.of(arguments[0]), List.of());
    try (Dataset data = DataFiles.open(config.data());
        Communicator ranks = Communicator.fromEnvironment(config.communicator());
        TrainingListener recorder =
            ranks.rank() == 0
                ? Recording.of(config.folder(), false, ConfigLoader.toYaml(config), config.output())
                    .open()
                : TrainingListener.none()) {
      Split split = Split.of(data.size(), config.data().validationFraction(), config.data().seed());
      TrainingJob job =
          new TrainingJob(
              config.plan(), data, split, ranks, recorder, Optional.of(config.folder()));
      TrainingResult result = job.run(false);
      System.out.println(result.summary().orElseThrow().scores());
    }
  }
}
