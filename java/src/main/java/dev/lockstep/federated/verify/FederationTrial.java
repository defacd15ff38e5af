package dev.lockstep.federated.verify;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.Split;
import dev.lockstep.data.SyntheticConfig;
import dev.lockstep.federated.Federation;
import dev.lockstep.federated.FederationClient;
import dev.lockstep.federated.FederationConfig;
import dev.lockstep.federated.FederationListener;
import dev.lockstep.federated.FederationPlan;
import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.NetworkConfig;
import dev.lockstep.federated.Partition;
import dev.lockstep.federated.RoundReport;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * A small federation: four clients with 24 samples each of a made-up regression problem, four
 * rounds.
 *
 * @param name as it is shown
 * @param federation what is tried
 */
record FederationTrial(String name, FederationConfig federation) {
  static final int CLIENTS = 4;
  static final int ROUNDS = 4;
  private static final int SAMPLES = 120;
  private static final double VALIDATION_FRACTION = 0.2;

  /** The same, where server and clients meet there. */
  FederationTrial at(String address) {
    return new FederationTrial(
        name, federation.withNetwork(NetworkConfig.of(address, null, null, null)));
  }

  private long[] samples(int client, Dataset data) {
    return Partition.of(
            federation.partition(), CLIENTS, data, split().train(), false, plan().seed())
        .samples(client);
  }

  /** The plan; that of clients that are other processes is the same. */
  FederationPlan plan() {
    return new FederationPlan(
        3,
        1,
        ModelConfig.of(null, List.of(8), null, null, null),
        OptimizerConfig.of(
            OptimizerConfig.Type.SGD, 0.05, null, null, null, null, null, null, null),
        federation);
  }

  private static DataConfig data() {
    return new DataConfig(
        null,
        DataConfig.Format.AUTO,
        new SyntheticConfig(SAMPLES, 4, 2, 0.1, 5),
        Stream.of("x0", "x1", "x2", "x3").map(FeatureConfig::of).toList(),
        List.of("y0", "y1"),
        true,
        0,
        0);
  }

  private static Split split() {
    return Split.of(SAMPLES, VALIDATION_FRACTION, 1);
  }

  /**
   * Runs as one rank.
   *
   * @param stopAfter the round after which this rank wishes to stop
   */
  FederationResult run(
      Communicator group, boolean resume, int stopAfter, Optional<Path> checkpoint) {
    FederationListener listener =
        new FederationListener() {
          private int rounds;

          @Override
          public void round(RoundReport report) {
            rounds = report.round();
          }

          @Override
          public boolean stopRequested() {
            return rounds >= stopAfter;
          }
        };
    try (Dataset data = DataFiles.open(data())) {
      return new Federation(plan(), data, split(), group, listener, checkpoint)
          .run(resume, Optional.empty());
    }
  }

  /** Runs as the server of clients that connect to it. */
  FederationResult serve(byte[] token) {
    try (Communicator alone = Communicator.single();
        Dataset data = DataFiles.open(data())) {
      return new Federation(
              plan(), data, split(), alone, FederationListener.none(), Optional.empty())
          .overNetwork(token)
          .run(false, Optional.empty());
    }
  }

  /** Runs as a client with the samples that a simulated one would have. */
  boolean join(int client, byte[] token) {
    try (Dataset data = DataFiles.open(data());
        FederationClient joined =
            new FederationClient(plan(), client, data, samples(client, data), token)) {
      return joined.run(trained -> {}, Optional.empty());
    }
  }
}
