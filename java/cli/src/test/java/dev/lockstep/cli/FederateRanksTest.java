package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.testing.MpiProcesses;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A federation simulated by processes writes the model of one process, whatever joins them. */
@Tag("same-on-every-jdk")
@Timeout(240)
class FederateRanksTest {
  private static final Duration LIMIT = Duration.ofSeconds(180);
  private static final String YAML =
      """
      name: federated
      seed: 4
      data: {path: 'DATA', features: [x], targets: [class], validation_fraction: 0.2}
      model: {type: mlp, hidden: [4]}
      optimizer: {type: sgd, learning_rate: 0.1}
      federation:
        rounds: 4
        clients: 7
        per_round: 5
        loss: cross_entropy
        algorithm: scaffold
        server_optimizer: {type: adam}
        checkpoint_every: 1
      """;

  @TempDir static Path home;
  private static byte[] expected;

  @TempDir Path folder;

  /** One rank of a group that its environment describes. */
  static final class FederateRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  private static String[] federate(Path output, String backend) {
    return new String[] {
      "federate",
      home.resolve("federated.yaml").toString(),
      "--set",
      "output.folder=" + output,
      "--set",
      "communicator.backend=" + backend
    };
  }

  @BeforeAll
  static void federateAlone() throws Exception {
    Random random = new Random(3);
    StringBuilder csv = new StringBuilder("x,class\n");
    for (int i = 0; i < 200; i++) {
      csv.append(String.format(Locale.ROOT, "%.4f,%d%n", i % 2 + random.nextGaussian() / 4, i % 2));
    }
    Path data = Files.writeString(home.resolve("all.csv"), csv);
    Files.writeString(home.resolve("federated.yaml"), YAML.replace("DATA", data.toString()));
    assertEquals(ExitCode.OK, Main.execute(federate(home, "single")));
    expected = Files.readAllBytes(home.resolve("federated/model.pt"));
  }

  private static JsonNode summary(Path output) throws Exception {
    return new JsonMapper().readTree(output.resolve("federated/summary.json").toFile());
  }

  private void assertSameModelOf(int ranks) throws Exception {
    assertArrayEquals(expected, Files.readAllBytes(folder.resolve("federated/model.pt")));
    JsonNode summary = summary(folder);
    assertEquals(summary(home).get("model_sha256"), summary.get("model_sha256"));
    assertEquals(ranks, summary.get("world_size").asInt());
  }

  @ParameterizedTest
  @CsvSource({"tcp, 3", "shared_memory, 2"})
  void overTcpAndSharedMemory(String backend, int size) throws Exception {
    String[] arguments = federate(folder, backend);
    try (RankProcesses ranks = RankProcesses.start(folder, size, FederateRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameModelOf(size);
  }

  @ParameterizedTest
  @CsvSource({"OPEN_MPI, 3", "MPICH, 2"})
  void underMpirun(MpiLibrary library, int size) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    String[] arguments = federate(folder, "mpi");
    try (MpiProcesses ranks =
        MpiProcesses.start(library, folder, size, FederateRank.class, arguments)) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
    }
    assertSameModelOf(size);
  }
}
