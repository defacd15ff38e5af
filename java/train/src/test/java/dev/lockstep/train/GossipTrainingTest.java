package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig.Choice;
import dev.lockstep.data.Dataset;
import dev.lockstep.monitor.RunSummary;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import dev.lockstep.train.strategy.Gossip;
import dev.lockstep.train.strategy.Gossip.Graph;
import dev.lockstep.train.verify.TrialGroup;
import dev.lockstep.train.verify.TrialGroup.Conditions;
import dev.lockstep.train.verify.TrialGroup.Ending;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Gossip whose ranks die. */
@Timeout(200)
class GossipTrainingTest {
  private static final Dataset DATA = ArrayDataset.smooth(150);

  @TempDir Path folder;

  private static Runs.Plan plan(Gossip.Options options) {
    return Runs.Plan.of(3, Runs.SGD).strategy(StrategyConfig.of(options));
  }

  @ParameterizedTest
  @EnumSource(names = {"EXPONENTIAL", "RING", "COMPLETE"})
  void theOthersGoOnWithoutARankThatDies(Graph graph) throws Exception {
    Gossip.Options options = Gossip.Options.of(graph, null, 3);
    double whole =
        Runs.train(4, plan(options), DATA, folder.resolve("whole"))
            .get(0)
            .summary()
            .orElseThrow()
            .validationLoss();
    List<Ending<TrainingResult>> ranks = trainUntilDeathOf(2, options);
    for (int rank : new int[] {0, 1, 3}) {
      TrainingResult result = ranks.get(rank).result();
      assertTrue(result != null, "rank " + rank + " ended with " + ranks.get(rank).failure());
      RunSummary summary = result.summary().orElseThrow();
      assertEquals(3, summary.epochs());
      assertEquals(3, summary.worldSize(), "of those who are left");
      assertEquals(1, new HashSet<>(summary.parametersSha256()).size(), "they agree");
      assertEquals(whole, summary.validationLoss(), 0.2 * whole, "about as well as with all");
    }
  }

  @Test
  void theDeathOfTheRankThatKeepsTheRunsFolderEndsTheRun() {
    for (Ending<TrainingResult> rank :
        trainUntilDeathOf(0, Gossip.Options.of(Graph.RING, null, 3)).subList(1, 4)) {
      assertInstanceOf(CommunicationException.class, rank.failure());
    }
  }

  /** Four ranks, of which one leaves in the middle of the second epoch. */
  private List<Ending<TrainingResult>> trainUntilDeathOf(int rank, Gossip.Options options) {
    Path run = folder.resolve("death-" + rank);
    return new TrialGroup(Choice.AUTO, 4, 30, Duration.ofSeconds(100))
        .run(Conditions.QUIET, group -> train(group, rank, options, run));
  }

  private static TrainingResult train(
      Communicator group, int dies, Gossip.Options options, Path run) {
    TrainingListener listener =
        event -> {
          if (event instanceof StepDone done && done.steps() == 6 && group.rank() == dies) {
            group.close();
            throw new IllegalStateException("this rank dies");
          }
        };
    return Runs.job(plan(options), DATA, group, listener, run).run(false);
  }
}
