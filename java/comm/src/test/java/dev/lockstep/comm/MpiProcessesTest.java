package dev.lockstep.comm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.testing.MpiProcesses;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Ranks as processes that mpirun launches, for every MPI that is installed. */
@Timeout(120)
class MpiProcessesTest {
  private static final Duration LIMIT = Duration.ofSeconds(60);

  @TempDir Path folder;

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void mpirunMakesTheGroup(MpiLibrary library) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    try (MpiProcesses ranks =
        MpiProcesses.start(library, folder, 3, TcpProcessesTest.SummingRank.class, "100", "MPI")) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
      assertEquals(3, ranks.output().split("done MPI", -1).length - 1, ranks.output());
    }
    // Left to itself, a group of one host forms over MPI and goes on in shared memory.
    try (MpiProcesses ranks =
        MpiProcesses.start(library, folder, 3, TcpProcessesTest.SummingRank.class, "100", "AUTO")) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
      assertEquals(3, ranks.output().split("done SHARED_MEMORY", -1).length - 1, ranks.output());
    }
  }

  /** Rank 1 asks for another length than the others. */
  static final class DisagreeingRank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.MPI, 20.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        ranks.allReduce(new double[ranks.rank() == 1 ? 400 : 300], ReduceOp.SUM);
      } catch (CollectiveMismatchException e) {
        System.out.println("found out: " + e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @EnumSource(MpiLibrary.class)
  void disagreementIsFoundOutByAll(MpiLibrary library) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    try (MpiProcesses ranks = MpiProcesses.start(library, folder, 2, DisagreeingRank.class)) {
      ranks.await(LIMIT);
      String output = ranks.output();
      assertEquals(2, output.split("found out", -1).length - 1, output);
      assertTrue(output.contains("300 f64") && output.contains("400 f64"), output);
    }
  }
}
