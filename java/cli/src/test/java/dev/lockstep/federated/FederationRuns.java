package dev.lockstep.federated;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

/** Small federations of ranks that are threads: three classes of points in the plane. */
final class FederationRuns {
  private static final String YAML =
      """
      name: clouds
      seed: 7
      data: {path: 'DATA', features: [x, y], targets: [class], validation_fraction: 0.2}
      model: {type: mlp, hidden: [8]}
      optimizer: {type: sgd, learning_rate: 0.1}
      federation:
        rounds: 6
        clients: 8
        per_round: 5
        batch_size: 16
        loss: cross_entropy
        partition: {type: dirichlet, alpha: 0.3, minimum: 5}
        evaluate_every: 3
        checkpoint_every: 2
      """;

  private final Path folder;
  private final Path yaml;

  /** Writes the data and the configuration. */
  FederationRuns(Path folder) throws Exception {
    this.folder = folder;
    Random random = new Random(5);
    StringBuilder csv = new StringBuilder("x,y,class,station\n");
    for (int i = 0; i < 400; i++) {
      int number = i % 3;
      double x = Math.cos(2.1 * number) + 0.35 * random.nextGaussian();
      double y = Math.sin(2.1 * number) + 0.35 * random.nextGaussian();
      csv.append(String.format(Locale.ROOT, "%.6f,%.6f,%d,%d%n", x, y, number, i % 4));
    }
    Path data = Files.writeString(folder.resolve("clouds.csv"), csv);
    yaml = Files.writeString(folder.resolve("clouds.yaml"), YAML.replace("DATA", data.toString()));
  }

  /** A run's end, and what happened in its rounds. */
  record Run(FederationResult result, List<RoundReport> rounds) {
    String hash() {
      return result.modelSha256();
    }

    double accuracy() {
      return result.last().flatMap(RoundReport::scores).orElseThrow().accuracy().orElseThrow();
    }
  }

  /** Overrides, and more of them. */
  static String[] joined(String[] some, String... more) {
    return Stream.of(some, more).flatMap(Stream::of).toArray(String[]::new);
  }

  FederateConfig config(String... overrides) {
    return ConfigLoader.load(FederateConfig.class, yaml, List.of(overrides));
  }

  Run run(int ranks, String... overrides) throws Exception {
    return run(ranks, false, Integer.MAX_VALUE, overrides);
  }

  /**
   * Runs a federation with a checkpoint in the folder.
   *
   * @param stopAfter rounds after which the last rank wishes to stop
   */
  Run run(int ranks, boolean resume, int stopAfter, String... overrides) throws Exception {
    FederateConfig config = config(overrides);
    return RankThreads.run(ranks, group -> asRank(config, group, resume, stopAfter)).get(0);
  }

  private Run asRank(FederateConfig config, Communicator group, boolean resume, int stopAfter) {
    List<RoundReport> rounds = new ArrayList<>();
    FederationListener listener =
        new FederationListener() {
          @Override
          public void round(RoundReport report) {
            rounds.add(report);
          }

          @Override
          public boolean stopRequested() {
            return group.rank() == group.size() - 1 && rounds.size() >= stopAfter;
          }
        };
    try (Dataset dataset = DataFiles.open(config.data())) {
      FederationResult result =
          new Federation(
                  config.plan(),
                  dataset,
                  dataset.split(config.data()),
                  group,
                  listener,
                  Optional.of(folder.resolve("checkpoint.bin")))
              .run(resume, Optional.of(folder.resolve("model.pt")));
      return new Run(result, rounds);
    }
  }

  Path model() {
    return folder.resolve("model.pt");
  }

  Path checkpoint() {
    return folder.resolve("checkpoint.bin");
  }
}
