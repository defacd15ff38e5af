package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.tensor.TensorParallel;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Ranks that are processes, so that each has a random number generator of its own. */
@Timeout(180)
class TensorProcessesTest {
  private static final int SAMPLES = 127;

  @TempDir Path folder;

  private static Plan plan(String file) {
    return Plan.of(2, Runs.ADAM).model(Path.of(file));
  }

  private static Plan cut(Plan plan) {
    return plan.strategy(StrategyConfig.of(TensorParallel.Options.defaults()));
  }

  /** Trains the model of {@code arguments[0]} into {@code arguments[1]}. */
  static final class Rank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        ArrayDataset data = ArrayDataset.smooth(SAMPLES);
        Path run = Path.of(arguments[1]);
        Runs.job(cut(plan(arguments[0])), data, ranks, TrainingListener.none(), run).run(false);
      }
    }
  }

  @Test
  void dropoutOfWhatAllRanksHaveIsThatOfOneProcess() throws Exception {
    String file = TestModels.dropoutAroundAPair(folder.resolve("dropout.pt")).toString();
    Path run = folder.resolve("run");
    try (RankProcesses ranks = RankProcesses.start(folder, 2, Rank.class, file, run.toString())) {
      ranks.awaitSuccess(Duration.ofSeconds(120));
    }
    Path one = folder.resolve("one");
    Runs.train(1, plan(file), ArrayDataset.smooth(SAMPLES), one);
    double difference = Runs.difference(run, one);
    assertTrue(difference < 1e-12, "differs by " + difference);
  }
}
