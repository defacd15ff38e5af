package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.tensor.TensorParallel;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the others say when the process of a rank that has slices of layers is gone. */
@Timeout(180)
class TensorFailureTest {
  @TempDir Path folder;

  /** Trains in groups of two; the rank that is named ends after its 7th step. */
  static final class Rank {
    public static void main(String[] arguments) {
      int gone = Integer.parseInt(arguments[1]);
      Plan plan =
          Plan.of(50, Runs.ADAM)
              .strategy(StrategyConfig.of(TensorParallel.Options.defaults()))
              .mesh(new MeshConfig(null, null, 2));
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        Runs.job(
                plan,
                ArrayDataset.smooth(302),
                ranks,
                event -> {
                  if (ranks.rank() == gone && event instanceof StepDone step && step.steps() == 7) {
                    Runtime.getRuntime().halt(9);
                  }
                },
                Path.of(arguments[0]))
            .run(false);
      } catch (PeerFailedException e) {
        System.out.println("rank " + e.rank() + " failed: " + e.getMessage());
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"2, 1", "4, 2"})
  void allNameTheRankThatIsGoneAndItsSlice(int count, int gone) throws Exception {
    String run = folder.resolve("run").toString();
    try (RankProcesses ranks =
        RankProcesses.start(folder, count, Rank.class, run, Integer.toString(gone))) {
      for (int rank = 0; rank < count; rank++) {
        if (rank != gone) {
          ranks.await(rank, Duration.ofSeconds(120));
          String told = "rank %d failed: Rank %d, which has slice %d of 2 of the layers";
          String expected = told.formatted(gone, gone, gone % 2);
          assertTrue(ranks.output(rank).contains(expected), ranks.output(rank));
        }
      }
    }
  }
}
