package dev.lockstep.federated;

import java.util.Comparator;
import java.util.PriorityQueue;

/**
 * The time of clients that stall, which passes only when the test says so: then the client whose
 * stall ends first goes on. Thread-safe.
 */
final class StallClock {
  private static final long LIMIT_NANOS = 100_000_000_000L;

  private final PriorityQueue<Stall> stalls =
      new PriorityQueue<>(Comparator.comparingDouble(stall -> stall.end));
  private double now;
  private boolean over;

  private static final class Stall {
    private final double end;
    private boolean hasEnded;

    Stall(double end) {
      this.end = end;
    }
  }

  /** Stalls the caller for so many seconds of this time. */
  synchronized void stall(double seconds) throws InterruptedException {
    if (over) {
      return;
    }
    Stall stall = new Stall(now + seconds);
    stalls.add(stall);
    notifyAll();
    while (!stall.hasEnded) {
      wait();
    }
  }

  /** Waits until so many stall, and has the first of them go on. */
  synchronized void endFirstOf(int count) throws InterruptedException {
    long end = System.nanoTime() + LIMIT_NANOS;
    while (stalls.size() < count) {
      long left = (end - System.nanoTime()) / 1_000_000;
      if (left <= 0) {
        throw new AssertionError("only " + stalls.size() + " of " + count + " stall");
      }
      wait(left);
    }
    now = stalls.element().end;
    endFirst();
  }

  private void endFirst() {
    stalls.remove().hasEnded = true;
    notifyAll();
  }

  /** Nobody stalls any more. */
  synchronized void endAll() {
    over = true;
    while (!stalls.isEmpty()) {
      endFirst();
    }
  }

  /** Seconds since the beginning. */
  synchronized double now() {
    return now;
  }
}
