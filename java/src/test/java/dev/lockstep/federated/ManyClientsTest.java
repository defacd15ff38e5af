package dev.lockstep.federated;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FederateConfig;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Dataset;
import dev.lockstep.testing.RankThreads;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A thousand clients on two ranks, which are threads here: what each adds to the memory. */
@Timeout(240)
class ManyClientsTest {
  private static final int PARAMETERS = 4 * 128 + 128 + 128 * 128 + 128 + 128 * 2 + 2;
  private static final String YAML =
      """
      name: many
      data:
        synthetic: {samples: 4000, features: 4, targets: 2, noise: 0.1, seed: 1}
      model: {type: mlp, hidden: [128, 128]}
      optimizer: {type: sgd, learning_rate: 0.05}
      federation: {rounds: 2, local_steps: 1, evaluate_every: 2, checkpoint_every: 0}
      """;

  @TempDir Path folder;

  private long usedAfterARound(int clients, String algorithm) throws Exception {
    Path yaml = Files.writeString(folder.resolve("many.yaml"), YAML);
    List<String> settings =
        List.of("federation.clients=" + clients, "federation.algorithm=" + algorithm);
    FederateConfig config = ConfigLoader.load(FederateConfig.class, yaml, settings);
    return RankThreads.run(2, ranks -> usedAfterARound(config, ranks)).get(0);
  }

  private static long usedAfterARound(FederateConfig config, Communicator ranks) {
    long[] used = new long[1];
    FederationListener measuring =
        new FederationListener() {
          @Override
          public void round(RoundReport report) {
            ranks.barrier(); // both ranks are between rounds, and none has more than it keeps
            used[0] = usedHeap();
            ranks.barrier();
          }
        };
    try (Dataset dataset = DataFiles.open(config.data())) {
      new Federation(
              config.plan(),
              dataset,
              dataset.split(config.data()),
              ranks,
              measuring,
              Optional.empty())
          .run(false, Optional.empty());
    }
    return used[0];
  }

  private static long usedHeap() {
    long least = Long.MAX_VALUE;
    for (int i = 0; i < 3; i++) {
      System.gc();
      least =
          Math.min(least, Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory());
    }
    return least;
  }

  /**
   * Everybody takes part in each round. SCAFFOLD keeps a control variate of each client, of four
   * bytes a parameter.
   */
  @ParameterizedTest
  @CsvSource({"fedavg, 0", "scaffold, 4"})
  void aClientKeepsAtMostWhatItsAlgorithmNeeds(String algorithm, int bytesOfAParameter)
      throws Exception {
    long few = usedAfterARound(10, algorithm);
    long many = usedAfterARound(1000, algorithm);
    double each = (many - few) / 990.0;
    System.out.printf("%s: %.0f bytes for each client more%n", algorithm, each);
    assertTrue(each < 1 << 20, each + " bytes");
    double needed = bytesOfAParameter * (double) PARAMETERS;
    assertTrue(each < 1.1 * needed + 4096, each + " bytes where " + needed + " are needed");
    assertTrue(each > 0.9 * needed, each + " bytes cannot hold " + needed);
  }
}
