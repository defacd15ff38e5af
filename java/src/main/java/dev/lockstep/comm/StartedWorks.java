package dev.lockstep.comm;

import java.util.ArrayDeque;

/**
 * The started operations of a communicator that may still be under way. Their memory must not go,
 * even if nobody looks at the {@link Work} again: native code reads and writes it. Thread-safe.
 */
final class StartedWorks {
  /** In the order in which they were started, which is the order in which they end. */
  private final ArrayDeque<NativeWork> works = new ArrayDeque<>();

  /** Adds one, and lets go of those before it that have ended. */
  synchronized void add(NativeWork work) {
    while (!works.isEmpty() && works.getFirst().settleIfDone()) {
      works.removeFirst();
    }
    works.addLast(work);
  }

  synchronized void remove(NativeWork work) {
    works.remove(work);
  }

  /** Lets go of all that have ended. */
  synchronized void sweep() {
    works.removeIf(NativeWork::settleIfDone);
  }
}
