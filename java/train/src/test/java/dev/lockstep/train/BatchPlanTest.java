package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.data.DistributedSampler;
import dev.lockstep.train.OptimizerConfig.Type;
import dev.lockstep.train.engine.PartNorms;
import dev.lockstep.train.engine.Reduced;
import dev.lockstep.train.engine.TrainingState;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

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
    assertEquals(128, BatchPlan.next(Double.POSITIVE_INFINITY, 64, 4096));
    assertEquals(64, BatchPlan.next(Double.POSITIVE_INFINITY, 64, 67), "67 ÷ 64 is 1.047");
  }

  @Test
  void adaScalesGainLiesBetweenOneAndTheFactor() {
    assertEquals(1.6, BatchPlan.gain(4, 1), 1e-12);
    assertEquals(1, BatchPlan.gain(4, 0), 1e-12);
    assertEquals(4, BatchPlan.gain(4, 1e12), 1e-9);
    assertEquals(4, BatchPlan.gain(4, Double.POSITIVE_INFINITY));
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
    assertEquals(0, plan.scheduleStep(new DistributedSampler.Position(0, 0, 0), 0));
    assertEquals(4, plan.scheduleStep(new DistributedSampler.Position(0, 2, 300), 0));
    assertEquals(11 + 4, plan.scheduleStep(new DistributedSampler.Position(1, 2, 300), 0));
  }

  @Test
  void whatIsSkippedIsNotOnTheSchedule() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.adaptive(16, 1024)), Type.SGD, 650);
    // 3 of the first 3 steps of 16 samples, then 3 of 7.
    assertEquals(0, plan.scheduleStep(new DistributedSampler.Position(0, 3, 48), 48));
    assertEquals(1, plan.scheduleStep(new DistributedSampler.Position(0, 7, 112), 48));
    // The last base batch of an epoch has 10 samples and counts as one of 64, skipped or not.
    long last =
        plan.scheduledSamples(new DistributedSampler.Position(0, 11, 650))
            - plan.scheduledSamples(new DistributedSampler.Position(0, 10, 640));
    assertEquals(64, last);
    assertEquals(10, plan.scheduleStep(new DistributedSampler.Position(1, 0, 0), last));
  }

  /** A step whose parts and joint batch have gradients of these squared norms, on 2 ranks. */
  private static void step(BatchPlan plan, int step, double joint, double part) {
    double samples = plan.size();
    PartNorms norms = new PartNorms(2 * part, 2, 2 / (samples / 2));
    plan.stepDone(step, plan.size(), new Reduced(List.of(), joint, norms, true, Set.of()));
  }

  @Test
  void batchesGrowWhereNoiseHidesTheGradient() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.SGD, 60_000);
    for (int step = 1; step <= 40; step++) {
      // Of 64 samples 1, of 32 each 3: |G|² is 2 · 1 − 3.
      step(plan, step, 1, 3);
    }
    assertEquals(Double.POSITIVE_INFINITY, plan.noiseScale());
    assertEquals(128, plan.size());
    assertEquals(2, plan.rateFactor(), "all noise: a step is worth as many as its batch holds");
  }

  @Test
  void theRateStaysWhileTheNoiseIsNotKnown() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.SGD, 60_000);
    measure(plan, 1, 40);
    assertEquals(5.0 / 3, plan.rateFactor(), 1e-9);
    for (int step = 41; step <= 60; step++) {
      step(plan, step, 1000, 1);
    }
    assertTrue(Double.isNaN(plan.noiseScale()));
    assertEquals(5.0 / 3, plan.rateFactor(), 1e-9);
    assertEquals(128, plan.size());
  }

  @Test
  void aSmallerMaximumAfterAResumptionBringsItsOwnRate() {
    BatchPlan large = new BatchPlan(config(BatchConfig.adaptive(64, 1024)), Type.SGD, 60_000);
    measure(large, 1, 100);
    assertEquals(5.0 / 2, large.rateFactor(), 1e-9);
    TrainingState saved = new TrainingState();
    large.declare(saved);
    BatchPlan small = new BatchPlan(config(BatchConfig.adaptive(64, 128)), Type.SGD, 60_000);
    TrainingState state = new TrainingState();
    small.declare(state);
    state.restoreValues(saved.values());
    assertEquals(128, small.size());
    // The noise is 4 base batches: (4 + 1) ÷ (4/2 + 1).
    assertEquals(5.0 / 3, small.rateFactor(), 1e-9);
  }

  @Test
  void fixedBatchesNeitherGrowNorMeasure() {
    BatchPlan plan = new BatchPlan(config(BatchConfig.fixed()), Type.SGD, 60_000);
    assertFalse(plan.measures());
    assertFalse(measure(plan, 1, 100));
    assertEquals(1, plan.rateFactor());
  }

  private static String refused(Executable config) {
    return assertThrows(ConfigKeyException.class, config).key();
  }

  @Test
  void limitsThatWouldBeIgnoredAreRefusedByTheirKeys() {
    assertEquals("min", refused(() -> new BatchConfig(false, 64, 128)));
    assertEquals("max", refused(() -> new BatchConfig(false, null, 128)));
    assertEquals("batch.max", refused(() -> config(new BatchConfig(true, null, 32))));
    assertEquals("batch.max", refused(() -> config(new BatchConfig(true, 2049, null))));
    assertEquals(
        2048, new BatchPlan(config(new BatchConfig(true, 2048, null)), Type.SGD, 9999).size());
  }

  private static TrainingPlan plan(TrainingConfig training, ScheduleConfig.Type schedule) {
    TrainingPlan plan = Runs.Plan.of(1, Runs.SGD).plan();
    return new TrainingPlan(
        plan.name(),
        plan.seed(),
        plan.threads(),
        plan.model(),
        training,
        plan.optimizer(),
        ScheduleConfig.of(schedule, null, null, null, null),
        plan.strategy(),
        plan.checkpoints());
  }

  @Test
  void aCosineWithoutAnEndIsRefusedByItsKey() {
    TrainingConfig growing = config(BatchConfig.adaptive(64, 128)).withLimits(9L, null);
    assertEquals("training.max_steps", refused(() -> plan(growing, ScheduleConfig.Type.COSINE)));
    plan(growing, ScheduleConfig.Type.STEP);
    plan(growing.withBatch(BatchConfig.fixed()), ScheduleConfig.Type.COSINE);
    plan(growing.withLimits(null, null), ScheduleConfig.Type.COSINE);
  }

  @Test
  void aMaximumBelowTheMinimumIsRefusedByItsKey() {
    ConfigKeyException e =
        assertThrows(ConfigKeyException.class, () -> BatchConfig.adaptive(64, 32));
    assertEquals("max", e.key());
  }
}
