package dev.lockstep.train.verify;

import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/** What happens to a rank before each of its operations. Called on whichever thread begins one. */
public interface Disturbance {
  /** Nothing. */
  Disturbance NONE = (operation, leave) -> {};

  /**
   * An operation is about to begin.
   *
   * @param operation how many the rank has begun before it
   * @param leave closes the rank's group, as the end of its process would
   */
  void before(long operation, Runnable leave);

  /** The rank is gone: its thread ends with this. */
  final class Gone extends RuntimeException {
    private static final long serialVersionUID = 1;

    Gone(String how) {
      super(how);
    }
  }

  /**
   * Delays that follow from the seed: most operations begin at once, some after a pause longer than
   * a whole step takes, so that ranks and their threads overtake each other.
   */
  static Disturbance delays(long seed) {
    Random random = new Random(seed);
    return (operation, leave) -> {
      long nanos;
      synchronized (random) {
        nanos = random.nextInt(4) == 0 ? (long) (2e6 * Math.pow(random.nextDouble(), 4)) : 0;
      }
      if (nanos > 0) {
        LockSupport.parkNanos(nanos);
      }
    };
  }

  /** The rank's process ends before this operation. */
  static Disturbance kill(long at) {
    return (operation, leave) -> {
      if (operation >= at) {
        leave.run();
        throw new Gone("killed before operation " + at);
      }
    };
  }

  /**
   * From this operation on the rank does nothing any more, but stays there.
   *
   * @param released until when, at most for the limit
   */
  static Disturbance silence(long at, CountDownLatch released, Duration limit) {
    return (operation, leave) -> {
      if (operation >= at) {
        try {
          released.await(limit.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
          Thread.currentThread().interrupt();
        }
        leave.run();
        throw new Gone("silent from operation " + at + " on");
      }
    };
  }
}
