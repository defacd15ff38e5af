package dev.lockstep.train;

import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * When something is due that recurs by epochs, steps or seconds. Epochs and steps are the same on
 * all ranks; the clock is asked on rank 0 alone, which tells the others. Not thread-safe.
 */
final class Recurrence {
  private final int everyEpochs;
  private final long everySteps;
  private final long everyNanos;
  private final LongSupplier nanoClock;
  private long lastNanos;

  /**
   * Each that is not null counts; without any, the thing is due after each epoch.
   *
   * @param nanoClock the time in nanoseconds, for example {@link System#nanoTime}
   */
  Recurrence(
      @Nullable Integer everyEpochs,
      @Nullable Long everySteps,
      @Nullable Double everySeconds,
      LongSupplier nanoClock) {
    boolean none = everyEpochs == null && everySteps == null && everySeconds == null;
    this.everyEpochs = everyEpochs != null ? everyEpochs : none ? 1 : 0;
    this.everySteps = everySteps == null ? 0 : everySteps;
    this.everyNanos = everySeconds == null ? 0 : (long) (everySeconds * 1e9);
    this.nanoClock = nanoClock;
    lastNanos = nanoClock.getAsLong();
  }

  /** Whether it is due after so many steps since the run began. */
  boolean isDueAfterStep(long steps) {
    return everySteps > 0 && steps % everySteps == 0;
  }

  /** Whether it is due after so many whole epochs since the run began. */
  boolean isDueAfterEpoch(int epochs) {
    return everyEpochs > 0 && epochs % everyEpochs == 0;
  }

  /** Whether it is due by this process's clock. */
  boolean isDueByClock() {
    return everyNanos > 0 && nanoClock.getAsLong() - lastNanos >= everyNanos;
  }

  /** It has been done; the clock starts anew. */
  void done() {
    lastNanos = nanoClock.getAsLong();
  }
}
