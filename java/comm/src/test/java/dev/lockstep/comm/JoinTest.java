package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Groups that a host application forms by itself. */
@Timeout(120)
class JoinTest {
  private static TcpOptions options(int rank, int size, int port) {
    return new TcpOptions(rank, size, "127.0.0.1", port, "secret", 20);
  }

  @ParameterizedTest
  @CsvSource({"AUTO, SHARED_MEMORY", "SHARED_MEMORY, SHARED_MEMORY", "TCP, TCP"})
  void ranksOfOneHostShareMemoryUnlessTcpIsAskedFor(
      CommunicatorConfig.Choice choice, Backend expected) throws Exception {
    int port = RankProcesses.freePort();
    CommunicatorConfig config = new CommunicatorConfig(choice, null);
    RankThreads.run(
        3,
        (group, rank, size) -> Communicator.join(options(rank, size, port), config),
        ranks -> {
          assertEquals(expected, ranks.backend());
          double[] sums = ranks.allReduce(new double[] {1, ranks.rank()}, ReduceOp.SUM);
          assertArrayEquals(new double[] {3, 3}, sums);
          return null;
        });
  }

  @ParameterizedTest
  @CsvSource({"MPI", "SINGLE"})
  void backendsThatDoNotMeetOverTcpAreRefused(CommunicatorConfig.Choice choice) {
    CommunicatorConfig config = new CommunicatorConfig(choice, null);
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class, () -> Communicator.join(options(0, 1, 1), config));
    assertTrue(e.getMessage().contains(choice.name()), e.getMessage());
  }

  @Test
  void theConfigurationIsObeyed() throws Exception {
    int port = RankProcesses.freePort();
    CommunicatorConfig config =
        new CommunicatorConfig(
            CommunicatorConfig.Choice.TCP,
            null,
            null,
            new AlgorithmConfig(
                null, null, null, null, null, null, Algorithm.DOUBLE_BINARY_TREE, null, null),
            null,
            null,
            null);
    RankThreads.run(
        2,
        (group, rank, size) -> Communicator.join(options(rank, size, port), config),
        ranks -> {
          ranks.allReduce(new double[3], ReduceOp.SUM);
          assertEquals(Algorithm.DOUBLE_BINARY_TREE, ranks.lastAlgorithm());
          return null;
        });
  }
}
