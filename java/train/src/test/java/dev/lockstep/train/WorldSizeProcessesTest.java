package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.MpiProcesses;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are processes, over TCP and over MPI, train what one rank trains. */
@Tag("same-on-every-jdk")
@Timeout(180)
class WorldSizeProcessesTest {
  private static final Duration LIMIT = Duration.ofSeconds(120);
  private static final int SAMPLES = 302;

  @TempDir Path folder;

  /**
   * Trains one epoch with SGD into {@code arguments[0]} and one with Adam into {@code
   * arguments[1]}.
   */
  static final class BothOptimizersRank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        train(ranks, Runs.SGD, arguments[0]);
        train(ranks, Runs.ADAM, arguments[1]);
      }
    }

    private static void train(Communicator ranks, OptimizerConfig optimizer, String run) {
      TrainingResult result =
          Runs.job(
                  Runs.Plan.of(1, optimizer),
                  ArrayDataset.smooth(SAMPLES),
                  ranks,
                  TrainingListener.none(),
                  Path.of(run))
              .run(false);
      long hashes = result.summary().orElseThrow().parametersSha256().stream().distinct().count();
      System.out.println("ranks that differ: " + (hashes - 1));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {2, 3, 4})
  void overTcp(int size) throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, size, BothOptimizersRank.class, run("sgd"), run("adam"))) {
      ranks.awaitSuccess(LIMIT);
      matchesOneRank(ranks.output(0));
    }
  }

  @ParameterizedTest
  @CsvSource({"OPEN_MPI,2", "OPEN_MPI,3", "OPEN_MPI,4", "MPICH,3"})
  void overMpi(MpiLibrary library, int size) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    try (MpiProcesses ranks =
        MpiProcesses.start(
            library, folder, size, BothOptimizersRank.class, run("sgd"), run("adam"))) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
      matchesOneRank(ranks.output());
    }
  }

  private String run(String name) {
    return folder.resolve(name).toString();
  }

  private void matchesOneRank(String output) throws Exception {
    assertTrue(output.contains("ranks that differ: 0"), output);
    ArrayDataset data = ArrayDataset.smooth(SAMPLES);
    Runs.train(1, Runs.Plan.of(1, Runs.SGD), data, folder.resolve("one-sgd"));
    Runs.train(1, Runs.Plan.of(1, Runs.ADAM), data, folder.resolve("one-adam"));
    double sgd = Runs.difference(folder.resolve("sgd"), folder.resolve("one-sgd"));
    double adam = Runs.difference(folder.resolve("adam"), folder.resolve("one-adam"));
    assertTrue(sgd <= 1e-5, "SGD: parameters differ by " + sgd);
    assertTrue(adam <= 1e-3, "Adam: parameters differ by " + adam);
  }
}
