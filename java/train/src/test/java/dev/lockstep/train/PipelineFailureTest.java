package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.pipeline.Pipeline;
import dev.lockstep.train.strategy.pipeline.PipelineConfig;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What the other ranks of a pipeline say when a rank's process is gone. */
@Timeout(180)
class PipelineFailureTest {
  private static final int RANKS = 3;
  private static final int GONE = 1;

  @TempDir Path folder;

  /** Trains; rank 1 ends after its 7th step. */
  static final class Rank {
    public static void main(String[] arguments) {
      PipelineConfig stages =
          PipelineConfig.of(List.of("layer0", "layer1", "layer2"), null, 4, null);
      Plan plan =
          Plan.of(50, Runs.ADAM)
              .model(ModelConfig.of(null, List.of(16, 12), null, null, null))
              .strategy(StrategyConfig.of(Pipeline.Options.of(stages)));
      CommunicatorConfig config = new CommunicatorConfig(CommunicatorConfig.Choice.AUTO, 60.0);
      try (Communicator ranks = Communicator.fromEnvironment(config)) {
        Runs.job(
                plan,
                ArrayDataset.smooth(302),
                ranks,
                event -> {
                  if (ranks.rank() == GONE && event instanceof StepDone step && step.steps() == 7) {
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

  @Test
  void allNameTheRankThatIsGoneAndItsPartOfTheModel() throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, RANKS, Rank.class, folder.resolve("run").toString())) {
      for (int rank = 0; rank < RANKS; rank++) {
        if (rank != GONE) {
          ranks.await(rank, Duration.ofSeconds(120));
          String told = "rank 1 failed: Rank 1, which has part 1 of 3 (layer1), is gone: ";
          assertTrue(ranks.output(rank).contains(told), ranks.output(rank));
        }
      }
    }
  }
}
