package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.PartNorms;
import dev.lockstep.train.engine.Reduced;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class BatchPlanTest {
  private static TrainingConfig config(BatchConfig batch) {
    return TrainingConfig.of(1, 64, null, null, null, null, null).withBatch(batch);
  }

  @Test
  void batchesGrowToTheNoiseScaleWhereThatSavesATwentiethOfTheSteps() {
    // 1 + 100/64 against 1 + 100/100: 1.28 times fewer steps.
    assertEquals(100, BatchPlan.next(100, 64, 4096));
    assertEquals(64, BatchPlan.next(67, 64, 4096), "(1 + 67/64) ÷ 2 is 1.02");
    assertEquals(128, BatchPlan.next(1000, 64, 4096), "at most twice as large at once");
    assertEquals(100, BatchPlan.next(1000, 64, 100));
    assertEquals(64, BatchPlan.next(20, 64, 4096), "never smaller");
    assertEquals(64, BatchPlan.next(Double.NaN, 64, 4096));
  }

  @Test
  void adaScalesGainLiesBetweenOneAndTheFactor() {
    assertEquals(1.6, BatchPlan.gain(4, 1), 1e-12);
    assertEquals(1, BatchPlan.gain(4, 0), 1e-12);
    assertEquals(4, BatchPlan.gain(4, 1e12), 1e-9);
  }

  /** Steps whose gradients have |G|² = 1 and S = 256, on 2 ranks. */
  private static boolean measure(BatchPlan plan, int from, int to) {
    boolean changed = false;
    for (int step = from; step <= to; step++) {
      int samples = plan.size();
      double parts = 1 + 256.0 / (samples / 2.0);
      PartNorms norms = new PartNorms(2 * parts, 2, 2 / (samples / 2.0));
      changed |=
          plan.stepDone(
              step, samples, new Reduced(List.of(), 1 + 256.0 / samples, norms, true, Set.of()));
    }
    return changed;
  }

  @Test
  void aPlanDecidesEvery20StepsAfter40AndScalesTheRate() {
    BatchPlan sgd = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.SGD, 60_000);
    assertFalse(measure(sgd, 1, 39));
    assertEquals(64, sgd.size());
    measure(sgd, 40, 40);
    assertEquals(128, sgd.size());
    // The noise is 256 ÷ 64 = 4 base batches: (4 + 1) ÷ (4/2 + 1).
    assertEquals(5.0 / 3, sgd.rateFactor(), 1e-9);
    measure(sgd, 41, 100);
    assertEquals(256, sgd.size(), "the noise scale");
    assertEquals(5.0 / 2, sgd.rateFactor(), 1e-9);

    BatchPlan adam = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.ADAM, 60_000);
    measure(adam, 1, 100);
    assertEquals(2, adam.rateFactor(), 1e-12);
  }

  @Test
  void theScheduleGoesBySamples() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.SGD, 650);
    assertEquals(0, plan.scheduleStep(new DistributedSampler.Position(0, 0, 0)));
    assertEquals(4, plan.scheduleStep(new DistributedSampler.Position(0, 2, 300)));
    assertEquals(11 + 4, plan.scheduleStep(new DistributedSampler.Position(1, 2, 300)));
  }

  @Test
  void fixedBatchesNeitherGrowNorMeasure() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.fixed()), Type.SGD, 60_000);
    assertFalse(plan.measures());
    assertFalse(measure(plan, 1, 100));
    assertEquals(1, plan.rateFactor());
  }

  @Test
  void aMaximumBelowTheMinimumIsRefusedByItsKey() {
    ConfigKeyException e =
        assertThrows(ConfigKeyException.class, () -> BatchConfig.adaptive(64, 32));
    assertEquals("max", e.key());
  }
}
