package dev.lockstep.gloo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.BackendUnavailableException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.CommunicatorTest;
import dev.lockstep.comm.FlightRecorder;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.TcpOptions;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.testing.RankThreads;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every verb over Gloo, over ranks as threads, and what becomes of survivors of a killed rank. */
class GlooCommunicatorTest extends CommunicatorTest {
  private static final Duration LIMIT = Duration.ofSeconds(180);

  @TempDir Path folder;

  @BeforeAll
  static void libtorchHasGloo() {
    String reason = "";
    try {
      GlooGroup.load();
    } catch (BackendUnavailableException e) {
      reason = String.valueOf(e.getMessage());
    }
    assumeTrue(reason.isEmpty(), reason);
  }

  @Override
  protected <T> List<T> run(int size, RankThreads.RankBody<T> body) throws Exception {
    int port = RankProcesses.freePort();
    return RankThreads.run(
        size,
        (group, rank, ranks) ->
            GlooCommunicator.open(
                new TcpOptions(rank, ranks, "127.0.0.1", port, "", 10), new FlightRecorder(null)),
        body);
  }

  @Test
  void minimumAndMaximumKeepNan() throws Exception {
    run(
        2,
        ranks -> {
          double mine = ranks.rank() == 1 ? Double.NaN : 1;
          for (ReduceOp op : List.of(ReduceOp.MIN, ReduceOp.MAX)) {
            double[] result = ranks.allReduce(new double[] {mine, ranks.rank()}, op);
            assertTrue(Double.isNaN(result[0]));
            assertEquals(op == ReduceOp.MIN ? 0 : 1, result[1]);
          }
          return null;
        });
  }

  /** Native objects that the collector frees late once outlived what they referred to. */
  @Test
  void groupsThatFailedLeaveNothingThatHarmsTheProcess() throws Exception {
    for (int group = 0; group < 10; group++) {
      run(
          2,
          ranks -> {
            if (ranks.rank() == 0) {
              assertThrows(PeerFailedException.class, ranks::barrier);
            }
            return null;
          });
      System.gc();
    }
  }

  /** Sums over Gloo until a peer is gone. */
  static final class SummingRank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.GLOO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        for (int round = 0; ; round++) {
          ranks.allReduce(new double[1000], ReduceOp.SUM);
          if (round == 10) {
            System.out.println("summing over " + ranks.backend());
          }
        }
      } catch (CommunicationException e) {
        System.out.println(
            e.getClass().getSimpleName() + " rank=" + e.rank() + ": " + e.getMessage());
        System.exit(3);
      }
    }
  }

  @Test
  @Timeout(400)
  void survivorsOfAKilledRankGetAnException() throws Exception {
    try (RankProcesses ranks = RankProcesses.start(folder, 3, SummingRank.class)) {
      for (int rank = 0; rank < 3; rank++) {
        ranks.awaitOutput(rank, "summing over GLOO", LIMIT);
      }
      ranks.process(1).destroyForcibly();
      for (int survivor : new int[] {0, 2}) {
        assertEquals(3, ranks.await(survivor, LIMIT), ranks.output(survivor));
        assertTrue(
            ranks.output(survivor).contains("PeerFailedException rank="), ranks.output(survivor));
      }
    }
  }
}
