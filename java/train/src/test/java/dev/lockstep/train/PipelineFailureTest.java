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
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What the other ranks of a pipeline say when a rank's process is gone. */
@Timeout(180)
class PipelineFailureTest {
  @TempDir Path folder;

  /** Trains; the rank that is named ends after its 7th step. */
  static final class Rank {
    public static void main(String[] arguments) {
      PipelineConfig stages = PipelineConfig.of(List.of(arguments[2].split(",")), null, 4, null);
      int gone = Integer.parseInt(arguments[1]);
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
  @CsvSource(
      delimiter = '|',
      value = {
        "3 | 1 | layer0,layer1,layer2 | part 1 of 3 (layer1)",
        // Rank 0 talks to ranks 1 and 2 alone, which leave when they have heard of rank 3.
        "4 | 3 | layer0,layer2 | part 1 of 2 (layer2)"
      })
  void allNameTheRankThatIsGoneAndItsPartOfTheModel(int count, int gone, String stages, String part)
      throws Exception {
    String run = folder.resolve("run").toString();
    try (RankProcesses ranks =
        RankProcesses.start(folder, count, Rank.class, run, Integer.toString(gone), stages)) {
      for (int rank = 0; rank < count; rank++) {
        if (rank != gone) {
          ranks.await(rank, Duration.ofSeconds(120));
          String told = "rank " + gone + " failed: Rank " + gone + ", which has " + part;
          assertTrue(ranks.output(rank).contains(told + ", is gone: "), ranks.output(rank));
        }
      }
    }
  }
}
