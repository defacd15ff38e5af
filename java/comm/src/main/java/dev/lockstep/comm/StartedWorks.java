package dev.lockstep.comm;

import java.util.ArrayDeque;

/**
 * The started operations of a communicator that may still be under way. Their memory must not go,
 * even if nobody looks at the {@link Work} again: native code reads and writes it. Thread-safe.
 */
final class StartedWorks {
  private static final int FEW = 64;

  /** In the order in which they were started; collectives end in it. */
  private final ArrayDeque<NativeWork> works = new ArrayDeque<>();

  /** A message may wait for long while those after it end. */
  private int sweepAt = FEW;

  /** Adds one, and lets go of those before it that have ended. */
  synchronized void add(NativeWork work) {
    while (!works.isEmpty() && works.getFirst().sweepIfDone()) {
      works.removeFirst();
    }
    works.addLast(work);
    if (works.size() >= sweepAt) {
      works.removeIf(NativeWork::sweepIfDone);
      sweepAt = Math.max(FEW, 2 * works.size());
    }
  }

  synchronized void remove(NativeWork work) {
    works.remove(work);
  }

  /** Lets go of all that have ended. */
  synchronized void sweep() {
    works.removeIf(NativeWork::sweepIfDone);
  }
}
