package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks as real processes over TCP. */
@Timeout(120)
class TcpProcessesTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path folder;

  /**
   * Sums ranks {@code arguments[0]} times over backend {@code arguments[1]}; prints how it went.
   */
  static final class SummingRank {
    public static void main(String[] arguments) {
      int rounds = Integer.parseInt(arguments[0]);
      CommunicatorConfig config =
          new CommunicatorConfig(CommunicatorConfig.Choice.valueOf(arguments[1]), 20.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        double expected = ranks.size() * (ranks.size() - 1) / 2.0;
        for (int round = 0; round < rounds; round++) {
          double sum = ranks.allReduce(new double[] {ranks.rank()}, ReduceOp.SUM)[0];
          if (sum != expected) {
            throw new AssertionError("sum is " + sum);
          }
          if (round == 10) {
            System.out.println("summing");
          }
        }
        System.out.println("done " + ranks.backend());
      } catch (CommunicationException e) {
        System.out.println(
            e.getClass().getSimpleName() + " rank=" + e.rank() + ": " + e.getMessage());
        System.exit(3);
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"TCP, TCP", "AUTO, SHARED_MEMORY", "SHARED_MEMORY, SHARED_MEMORY"})
  void ranksFindEachOtherByTheirEnvironment(String choice, String backend) throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SummingRank.class, "100", choice)) {
      ranks.awaitSuccess(LIMIT);
      for (int rank = 0; rank < 3; rank++) {
        assertTrue(ranks.output(rank).contains("done " + backend), ranks.output(rank));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"TCP", "SHARED_MEMORY"})
  void aKilledRankIsNamedByEverySurvivor(String choice) throws Exception {
    String forever = Integer.toString(Integer.MAX_VALUE);
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SummingRank.class, forever, choice)) {
      for (int rank = 0; rank < 3; rank++) {
        ranks.awaitOutput(rank, "summing", LIMIT);
      }
      ranks.process(1).destroyForcibly();
      for (int survivor : new int[] {0, 2}) {
        assertEquals(3, ranks.await(survivor, LIMIT), ranks.output(survivor));
        assertTrue(
            ranks.output(survivor).contains("PeerFailedException rank=1"), ranks.output(survivor));
      }
    }
  }
}
