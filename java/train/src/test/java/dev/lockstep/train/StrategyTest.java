package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.testing.RankThreads;
import dev.lockstep.train.TrainingConfig.LossType;
import dev.lockstep.train.strategy.LocalSgd;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What strategies and the trainer's options do to the result. */
@Timeout(120)
class StrategyTest {
  private final ArrayDataset data = ArrayDataset.smooth(302);

  @TempDir Path folder;

  private Path trained(String name, int ranks, Runs.Plan plan) throws Exception {
    Path into = folder.resolve(name);
    Runs.train(ranks, plan, data, into);
    return into;
  }

  private static StrategyConfig localSgd(int every) {
    return StrategyConfig.of(new LocalSgd.Options(every));
  }

  private static void assertClose(Path a, Path b) {
    double difference = Runs.difference(a, b);
    assertTrue(difference <= 1e-5, "parameters differ by " + difference);
  }

  @Test
  void averagingAfterEveryStepIsDataParallel() throws Exception {
    Runs.Plan plan = Runs.Plan.of(2, Runs.SGD);
    Path expected = trained("expected", 3, plan);
    assertClose(trained("local", 3, plan.strategy(localSgd(1))), expected);
  }

  @Test
  void ranksThatAverageSeldomAreEqualAfterEachEpochAndStillLearn() throws Exception {
    Runs.Plan plan = Runs.Plan.of(10, Runs.MOMENTUM).strategy(localSgd(4));
    TrainingResult result = Runs.train(3, plan, data, folder.resolve("local")).get(0);
    List<String> hashes = result.summary().orElseThrow().parametersSha256();
    assertEquals(1, new HashSet<>(hashes).size(), hashes.toString());
    assertTrue(result.summary().orElseThrow().scores().r2().get("y0") > 0.5, result.toString());
    double difference =
        Runs.difference(
            folder.resolve("local"), trained("parallel", 3, Runs.Plan.of(10, Runs.MOMENTUM)));
    assertTrue(difference > 1e-4, "ranks averaged at every step");
  }

  @Test
  void accumulationGivesTheSameGradient() throws Exception {
    Runs.Plan plan = Runs.Plan.of(1, Runs.SGD);
    TrainingConfig pieces = TrainingConfig.of(1, 30, 4, null, null, null, null);
    assertClose(trained("pieces", 2, plan.training(pieces)), trained("whole", 1, plan));
  }

  @Test
  void clippingIsByTheNormOfAllRanksTogether() throws Exception {
    TrainingConfig clipped = TrainingConfig.of(1, 30, null, 0.1, null, null, null);
    Runs.Plan plan = Runs.Plan.of(1, Runs.SGD);
    Path expected = trained("one", 1, plan.training(clipped));
    assertClose(trained("three", 3, plan.training(clipped)), expected);
    double difference = Runs.difference(expected, trained("free", 1, plan));
    assertTrue(difference > 1e-2, "nothing was clipped");
  }

  @Test
  void bucketSizeDoesNotChangeTheResultOfTwoRanks() throws Exception {
    Runs.Plan plan = Runs.Plan.of(1, Runs.ADAM);
    Path small = trained("small", 2, plan);
    Path large = trained("large", 2, plan.strategy(StrategyConfig.defaults()));
    assertEquals(0, Runs.difference(small, large), "two addends have one sum");
  }

  @Test
  void everyLossIsLearned() throws Exception {
    for (LossType loss : List.of(LossType.MAE, LossType.HUBER)) {
      TrainingConfig training = TrainingConfig.of(3, 30, null, null, loss, null, null);
      Runs.Plan plan = Runs.Plan.of(3, Runs.SGD).training(training);
      assertClose(trained(loss + "2", 2, plan), trained(loss + "1", 1, plan));
    }
  }

  @Test
  void aClassifierIsScoredByItsAccuracy() throws Exception {
    TrainingConfig training =
        TrainingConfig.of(30, 30, null, null, LossType.CROSS_ENTROPY, null, null);
    Runs.Plan plan = Runs.Plan.of(30, Runs.ADAM).training(training);
    List<TrainingResult> results =
        Runs.train(2, plan, ArrayDataset.twoClasses(302), folder.resolve("classes"));
    double accuracy = results.get(0).summary().orElseThrow().scores().accuracy().orElseThrow();
    assertTrue(accuracy > 0.9, "accuracy " + accuracy);
  }

  @Test
  void earlyStoppingEndsTheRunOnAllRanks() throws Exception {
    TrainingConfig.EarlyStopping impatient = TrainingConfig.EarlyStopping.of(2, 1e6);
    TrainingConfig training = TrainingConfig.of(50, 30, null, null, null, null, impatient);
    List<TrainingResult> results =
        Runs.train(2, Runs.Plan.of(50, Runs.SGD).training(training), data, folder.resolve("e"));
    for (TrainingResult result : results) {
      assertEquals(3, result.epoch(), "the first epoch is an improvement, two more are not");
    }
  }

  @Test
  void aLossThatIsNoNumberEndsTheRunWithAnExplanation() {
    OptimizerConfig wild =
        OptimizerConfig.of(OptimizerConfig.Type.SGD, 1e6, null, null, null, null, null, null, null);
    TrainingException e =
        assertThrows(
            TrainingException.class,
            () -> Runs.train(1, Runs.Plan.of(3, wild), data, folder.resolve("wild")));
    assertTrue(e.getMessage().contains("learning_rate"), e.getMessage());
  }

  @Test
  void ranksWithDifferentModelsAreToldWhichAndHow() {
    TrainingException e =
        assertThrows(
            TrainingException.class,
            () ->
                RankThreads.run(
                    3,
                    ranks ->
                        Runs.train(
                            Runs.Plan.of(1, ranks.rank() == 2 ? Runs.ADAM : Runs.SGD),
                            data,
                            ranks,
                            folder.resolve("different"),
                            false)));
    assertTrue(e.getMessage().contains("Rank 0 and rank 2"), e.getMessage());
    assertTrue(e.getMessage().contains("ADAM"), e.getMessage());
  }
}
