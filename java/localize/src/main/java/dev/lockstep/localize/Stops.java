package dev.lockstep.localize;

import java.util.TreeSet;

/**
 * After which iterations somebody looks: those asked for, and some in between, dense at first, for
 * progress and the convergence plot. The same on every rank, as looking is collective.
 */
final class Stops {
  /** The next look is a tenth of the way gone so far ahead … */
  private static final int PART_OF_GONE = 10;

  /** … and at most a twentieth of the whole way. */
  private static final int PART_OF_ALL = 20;

  private final TreeSet<Long> recorded = new TreeSet<>();
  private final long last;

  Stops(SplittingConfig settings) {
    last = settings.maxIterations();
    settings.record().forEach(iteration -> recorded.add((long) iteration));
  }

  boolean isRecorded(long iteration) {
    return recorded.contains(iteration);
  }

  /** The next stop after {@code iteration}, which is below the last. */
  long after(long iteration) {
    long step = Math.max(1, Math.min(iteration / PART_OF_GONE, last / PART_OF_ALL));
    Long asked = recorded.higher(iteration);
    long next = Math.min(iteration + step, last);
    return asked == null ? next : Math.min(next, asked);
  }
}
