package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.PeerFailedException;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.Runs.Plan;
import dev.lockstep.train.strategy.pipeline.Pipeline;
import dev.lockstep.train.strategy.pipeline.PipelineConfig;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the other ranks of a pipeline say when one is gone. */
@Timeout(120)
class PipelineFailureTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private static final class Left extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 1, 3})
  void allNameTheRankThatIsGoneAndItsPartOfTheModel(int gone) throws Exception {
    PipelineConfig stages =
        PipelineConfig.of(List.of("layer0", "layer1", "layer2", "layer3"), null, 4, null);
    Plan plan =
        Plan.of(50, Runs.ADAM)
            .model(ModelConfig.of(null, List.of(16, 16, 12), null, null, null))
            .strategy(StrategyConfig.of(Pipeline.Options.of(stages)));
    List<RuntimeException> failures =
        RankThreads.run(
            4,
            rank -> {
              try {
                Runs.job(
                        plan,
                        data,
                        rank,
                        event -> {
                          if (rank.rank() == gone
                              && event instanceof StepDone step
                              && step.steps() == 7) {
                            rank.close();
                            throw new Left();
                          }
                        },
                        folder)
                    .run(false);
              } catch (RuntimeException e) {
                return e;
              }
              throw new AssertionError("rank " + rank.rank() + " ends well");
            });
    for (int rank = 0; rank < failures.size(); rank++) {
      if (rank == gone) {
        continue;
      }
      PeerFailedException failure =
          assertInstanceOf(PeerFailedException.class, failures.get(rank), "rank " + rank);
      assertEquals(gone, failure.rank(), failure.getMessage());
      String part = "Rank " + gone + ", which has part " + gone + " of 4 (layer" + gone + ")";
      assertTrue(failure.getMessage().startsWith(part), failure.getMessage());
    }
  }
}
