package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lockstep.train.ScheduleConfig.Type;
import dev.lockstep.train.engine.Schedule;
import org.junit.jupiter.api.Test;

/** Learning rates over 10 epochs of 5 steps. */
class ScheduleTest {
  private static Schedule schedule(ScheduleConfig config) {
    return new Schedule(config, 0.8, 5, 50);
  }

  @Test
  void aStepBeforeTheFirstHasNoLearningRate() {
    Schedule schedule = schedule(ScheduleConfig.of(null, 3, null, null, null));
    assertThrows(IllegalArgumentException.class, () -> schedule.learningRate(-1));
  }

  @Test
  void constantStays() {
    assertEquals(0.8, schedule(ScheduleConfig.defaults()).learningRate(49));
  }

  @Test
  void warmupRisesInEqualParts() {
    Schedule schedule = schedule(ScheduleConfig.of(null, 3, null, null, null));
    assertEquals(0.2, schedule.learningRate(0), 1e-12);
    assertEquals(0.4, schedule.learningRate(1), 1e-12);
    assertEquals(0.8, schedule.learningRate(3), 1e-12);
  }

  @Test
  void stepFallsAtEpochs() {
    Schedule schedule = schedule(ScheduleConfig.of(Type.STEP, null, 2, 0.5, null));
    assertEquals(0.8, schedule.learningRate(9), 1e-12);
    assertEquals(0.4, schedule.learningRate(10), 1e-12);
    assertEquals(0.05, schedule.learningRate(49), 1e-12);
  }

  @Test
  void cosineFallsToItsMinimumAtTheLastStep() {
    Schedule schedule = schedule(ScheduleConfig.of(Type.COSINE, 1, null, null, 0.2));
    assertEquals(0.8, schedule.learningRate(1), 1e-12);
    assertEquals(0.5, schedule.learningRate(25), 1e-12);
    assertEquals(0.2, schedule.learningRate(49), 1e-12);
  }
}
