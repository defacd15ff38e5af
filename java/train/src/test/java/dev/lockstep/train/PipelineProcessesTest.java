package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.pipeline.Pipeline;
import dev.lockstep.train.strategy.pipeline.PipelineConfig;
import dev.lockstep.train.strategy.pipeline.PipelineSchedule;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Ranks that are processes, so that each has a random number generator of its own: a transformer
 * with dropout in a pipeline has the bits of one process, with and without recomputation.
 */
@Timeout(180)
class PipelineProcessesTest {
  private static final int SAMPLES = 127;
  private static final int PIECES = 3;

  @TempDir Path folder;

  private static Plan plan(List<String> recompute) {
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
        .training(TrainingConfig.of(1, 30, PIECES, null, null, null, null));
  }

  private static Plan cut(Plan plan) {
    PipelineConfig config = PipelineConfig.of(null, PipelineSchedule.GPIPE, PIECES, null);
    return plan.training(TrainingConfig.of(1, 30, null, null, null, null, null))
        .strategy(StrategyConfig.of(Pipeline.Options.of(config)));
  }

  /** Trains into {@code arguments[0]}, and with recomputation into {@code arguments[1]}. */
  static final class Rank {
    public static void main(String[] arguments) {
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        train(ranks, cut(plan(List.of())), arguments[0]);
        train(ranks, cut(plan(List.of("all"))), arguments[1]);
      }
    }

    private static void train(Communicator ranks, Plan plan, String run) {
      ArrayDataset data = ArrayDataset.smooth(SAMPLES);
      Runs.job(plan, data, ranks, TrainingListener.none(), Path.of(run)).run(false);
    }
  }

  @Test
  void dropoutAndRecomputationHaveTheBitsOfOneProcess() throws Exception {
    String plain = folder.resolve("plain").toString();
    String again = folder.resolve("again").toString();
    try (RankProcesses ranks = RankProcesses.start(folder, 2, Rank.class, plain, again)) {
      ranks.awaitSuccess(Duration.ofSeconds(120));
    }
    ArrayDataset data = ArrayDataset.smooth(SAMPLES);
    Runs.train(1, plan(List.of()), data, folder.resolve("one"));
    Runs.train(1, plan(List.of("layer0")), data, folder.resolve("one-again"));
    PipelineTrainingTest.assertSameBytes(folder.resolve("one"), Path.of(plain));
    PipelineTrainingTest.assertSameBytes(folder.resolve("one"), Path.of(again));
    PipelineTrainingTest.assertSameBytes(folder.resolve("one"), folder.resolve("one-again"));
    assertEquals(0, Runs.difference(folder.resolve("one"), Path.of(plain)));
  }
}
