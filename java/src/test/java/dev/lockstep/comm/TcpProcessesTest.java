package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankProcesses;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks as real processes over TCP. */
@Timeout(120)
class TcpProcessesTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path folder;

  /** Sums ranks for as long as {@code arguments[0]} says; prints how it went. */
  static final class SummingRank {
    public static void main(String[] arguments) {
      int rounds = Integer.parseInt(arguments[0]);
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 20.0);
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

  @Test
  void ranksFindEachOtherByTheirEnvironment() throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SummingRank.class, "100")) {
      ranks.awaitSuccess(LIMIT);
      for (int rank = 0; rank < 3; rank++) {
        assertTrue(ranks.output(rank).contains("done TCP"), ranks.output(rank));
      }
    }
  }

  @Test
  void aKilledRankIsNamedByEverySurvivor() throws Exception {
    String forever = Integer.toString(Integer.MAX_VALUE);
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SummingRank.class, forever)) {
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
