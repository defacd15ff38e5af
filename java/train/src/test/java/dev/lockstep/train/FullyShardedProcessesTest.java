package dev.lockstep.train;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.DataParallel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ranks that are processes, so that each has a random number generator of its own: a transformer
 * with dropout has the same bytes whether its parameters are sharded or not, and whether its
 * activations are kept or computed again.
 */
@Timeout(180)
class FullyShardedProcessesTest {
  @TempDir Path folder;

  private static Plan plan(int sharding, List<String> recompute) {
    ModelConfig transformer =
        ModelConfig.of(
            ModelConfig.Type.TRANSFORMER,
            null,
            null,
            null,
            null,
            null,
            8,
            1,
            0.2,
            null,
            null,
            null,
            null,
            null,
            2,
            2,
            recompute);
    return Plan.of(1, Runs.ADAM)
        .model(transformer)
        .training(TrainingConfig.of(1, 30, 2, null, null, null, null))
        .strategy(
            StrategyConfig.of(
                new DataParallel.Options(0.0005, 0.001, sharding == 0 ? false : null)
                    .withSharding(sharding)));
  }

  /** Trains into a folder for each way. */
  static final class Rank {
    public static void main(String[] folders) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        train(ranks, plan(0, List.of()), folders[0]);
        train(ranks, plan(3, List.of()), folders[1]);
        train(ranks, plan(3, List.of("all")), folders[2]);
      }
    }

    private static void train(Communicator ranks, Plan plan, String run) {
      ArrayDataset data = ArrayDataset.smooth(127);
      Runs.job(plan, data, ranks, TrainingListener.none(), Path.of(run)).run(false);
    }
  }

  @Test
  void dropoutAndRecomputationHaveTheBytesOfWholeParameters() throws Exception {
    String whole = folder.resolve("whole").toString();
    String sharded = folder.resolve("sharded").toString();
    String again = folder.resolve("again").toString();
    try (RankProcesses ranks = RankProcesses.start(folder, 2, Rank.class, whole, sharded, again)) {
      ranks.awaitSuccess(Duration.ofSeconds(150));
    }
    ShardingTest.assertSameBytes(Path.of(whole), Path.of(sharded));
    ShardingTest.assertSameBytes(Path.of(whole), Path.of(again));
  }
}
