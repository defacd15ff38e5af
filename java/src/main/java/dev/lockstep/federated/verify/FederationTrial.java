package dev.lockstep.federated.verify;

import dev.lockstep.comm.Communicator;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.federated.Federation;
import dev.lockstep.federated.FederationClient;
import dev.lockstep.federated.FederationListener;
import dev.lockstep.federated.FederationResult;
import dev.lockstep.federated.RoundReport;
import dev.lockstep.federated.config.FederationConfig;
import dev.lockstep.federated.config.FederationPlan;
import dev.lockstep.federated.config.NetworkConfig;
import dev.lockstep.federated.population.Partition;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.train.OptimizerConfig;
import dev.lockstep.train.verify.TrialChecks;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

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

  /** The same, where server and clients meet there. */
  FederationTrial at(String address) {
    return new FederationTrial(
        name, federation.withNetwork(NetworkConfig.of(address, null, null, null)));
  }

  private long[] samples(int client, Dataset data) {
    return Partition.of(
            federation.partition(),
            CLIENTS,
            data,
            TrialChecks.split(SAMPLES).train(),
            false,
            plan().seed())
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

  /**
   * Runs as one rank.
   *
   * @param stopAfter the round after which this rank wishes to stop
   */
  FederationResult run(
      Communicator group, boolean resume, long stopAfter, Optional<Path> checkpoint) {
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
    try (Dataset data = DataFiles.open(TrialChecks.data(SAMPLES))) {
      return new Federation(plan(), data, TrialChecks.split(SAMPLES), group, listener, checkpoint)
          .run(resume, Optional.empty());
    }
  }

  /** Runs as the server of clients that connect to it. */
  FederationResult serve(byte[] token) {
    try (Communicator alone = Communicator.single();
        Dataset data = DataFiles.open(TrialChecks.data(SAMPLES))) {
      return new Federation(
              plan(),
              data,
              TrialChecks.split(SAMPLES),
              alone,
              FederationListener.none(),
              Optional.empty())
          .overNetwork(token)
          .run(false, Optional.empty());
    }
  }

  /** Runs as a client with the samples that a simulated one would have. */
  boolean join(int client, byte[] token) {
    try (Dataset data = DataFiles.open(TrialChecks.data(SAMPLES));
        FederationClient joined =
            new FederationClient(
                plan(),
                client,
                data,
                samples(client, data),
                Federation.clientToken(token, client))) {
      return joined.run(trained -> {}, Optional.empty());
    }
  }
}
