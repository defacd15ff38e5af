package dev.lockstep.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.lockstep.monitor.TrainingEvent;
import dev.lockstep.monitor.TrainingEvent.StepDone;
import dev.lockstep.monitor.TrainingListener;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;

/**
 * Times, and Java heap bytes that the training thread allocates, from one step's end to the next
 * within an epoch.
 */
final class StepTimes implements TrainingListener {
  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final List<Long> nanos = new ArrayList<>();
  private final List<Long> bytes = new ArrayList<>();
  private final int warmUpEpochs;
  private long lastNanos;
  private long lastBytes;

  StepTimes(int warmUpEpochs) {
    this.warmUpEpochs = warmUpEpochs;
  }

  @Override
  public void on(TrainingEvent event) {
    if (event instanceof StepDone done) {
      stepDone(done.epoch(), done.step());
    }
  }

  private void stepDone(int epoch, int step) {
    long now = System.nanoTime();
    long allocated = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
    if (epoch > warmUpEpochs && step > 1) {
      nanos.add(now - lastNanos);
      bytes.add(allocated - lastBytes);
    }
    lastNanos = System.nanoTime();
    lastBytes = threads.getThreadAllocatedBytes(Thread.currentThread().getId());
  }

  double medianMilliseconds() {
    return median(nanos) * 1e-6;
  }

  long medianAllocatedBytes() {
    return median(bytes);
  }

  private static long median(List<Long> values) {
    return values.stream().sorted().toList().get(values.size() / 2);
  }
}
