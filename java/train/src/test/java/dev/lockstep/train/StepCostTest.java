package dev.lockstep.train;

import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lockstep.checkpoint.CheckpointConfig;
import dev.lockstep.comm.Communicator;
import dev.lockstep.data.Split;
import dev.lockstep.model.ModelConfig;
import dev.lockstep.monitor.TrainingEvent;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.Optional;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Steps leave nothing behind, in Java or in libtorch. */
@Timeout(120)
class StepCostTest {
  private static final int STEPS = 1000;

  /** What a thousand steps cost this thread, once the first epoch has warmed up. */
  private static final class Meter implements TrainingListener {
    private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private long allocated;
    private long pointers;
    private long resident;

    @Override
    public void on(TrainingEvent event) {
      if (!(event instanceof StepDone done) || done.epoch() != 2) {
        return;
      }
      if (done.step() == 1) {
        allocated = -allocatedBytes();
        pointers = -Pointer.totalCount();
        resident = -Pointer.physicalBytes();
      } else if (done.step() == STEPS + 1) {
        allocated += allocatedBytes();
        pointers += Pointer.totalCount();
        resident += Pointer.physicalBytes();
      }
    }

    private long allocatedBytes() {
      return threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    }
  }

  private static Meter measure(int width) {
    Meter meter = new Meter();
    // 0.8 × 1,300 samples, one a step: 1,040 steps an epoch.
    ArrayDataset data = ArrayDataset.smooth(1300);
    TrainingPlan plan =
        new TrainingPlan(
            "cost",
            1,
            1,
            ModelConfig.of(null, List.of(width, width), null, null, null),
            TrainingConfig.of(2, 1, null, 1.0, null, null, null),
            OptimizerConfig.defaults(),
            ScheduleConfig.defaults(),
            StrategyConfig.defaults(),
            CheckpointConfig.defaults());
    try (Communicator alone = Communicator.single()) {
      new TrainingJob(plan, data, Split.of(1300, 0.2, 1), alone, meter, Optional.empty())
          .run(false);
    }
    return meter;
  }

  @Test
  void aThousandStepsLeaveNothingBehind() {
    Meter small = measure(8);
    Meter large = measure(300);
    // Fewer where garbage of earlier tests has been collected meanwhile; one a step would be 1,000.
    assertTrue(large.pointers <= 0, "native objects that Java still owns: " + large.pointers);
    // One activation of the large model kept per step would be 1.2 kB × 1,000; its gradient 360 MB.
    assertTrue(large.resident < 100 << 20, "resident memory grew by " + large.resident);
    long perStep = large.allocated / STEPS;
    assertTrue(perStep < 8192, "a step allocates " + perStep + " bytes in Java");
    assertTrue(
        large.allocated - small.allocated < STEPS * 64L,
        "Java allocates with the model: " + small.allocated + ", " + large.allocated);
  }
}
