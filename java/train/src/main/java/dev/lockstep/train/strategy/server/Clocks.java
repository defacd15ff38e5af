package dev.lockstep.train.strategy.server;

import java.util.Arrays;
import java.util.BitSet;

/**
 * How far each worker is, and who may go on: the stale synchronous parallel rule (Ho et al. 2013,
 * "More effective distributed ML via a stale synchronous parallel parameter server", section 3). A
 * worker that has finished c steps may start the next one while c is at most {@code staleness} more
 * than what the slowest has finished. Not thread-safe.
 */
public final class Clocks {
  /** Nobody waits for anybody. */
  public static final long UNBOUNDED = Long.MAX_VALUE;

  private final long[] finished;
  private final BitSet left = new BitSet();
  private final long staleness;
  private boolean begun;

  /**
   * All workers at the same step.
   *
   * @param staleness how many steps a worker may be ahead of the slowest, at least 0
   */
  public Clocks(int workers, long staleness) {
    finished = new long[workers];
    this.staleness = staleness;
  }

  /**
   * A worker has finished a step. The first of all that is told of says where all of them begin: no
   * worker starts a second step before its first one has been told of.
   */
  public void finish(int worker, long step) {
    if (!begun) {
      Arrays.fill(finished, step);
      begun = true;
    }
    finished[worker] = step + 1;
  }

  /** Whether a worker may start its next step. */
  public boolean mayStart(int worker) {
    return finished[worker] - slowest() <= staleness;
  }

  /** A worker is gone; nobody waits for it any more. */
  public void leave(int worker) {
    left.set(worker);
  }

  /** Steps that the slowest worker has finished. */
  public long slowest() {
    long slowest = Long.MAX_VALUE;
    for (int worker = left.nextClearBit(0);
        worker < finished.length;
        worker = left.nextClearBit(worker + 1)) {
      slowest = Math.min(slowest, finished[worker]);
    }
    return slowest;
  }

  /** Steps that the fastest worker that is there has finished. */
  public long fastest() {
    long fastest = Long.MIN_VALUE;
    for (int worker = left.nextClearBit(0);
        worker < finished.length;
        worker = left.nextClearBit(worker + 1)) {
      fastest = Math.max(fastest, finished[worker]);
    }
    return fastest;
  }
}
