package dev.lockstep.bench;

/**
 * How often a case runs: first {@code warmUp} times unmeasured, then {@code measured} times.
 *
 * @param compile further unmeasured calls before the first case, for the JVM's compiler; they end
 *     after {@link #COMPILE_SECONDS} at the latest
 */
public record Iterations(int warmUp, int measured, int compile) {
  static final double COMPILE_SECONDS = 2;

  private static final long KIB = 1024;
  private static final int COMPILE_CALLS = 12_000;

  public Iterations {
    if (warmUp < 0 || measured < 1 || compile < 0) {
      throw new IllegalArgumentException(
          "There must be at least one measured iteration and no negative warm-up, not "
              + measured
              + " and "
              + warmUp
              + ".");
    }
  }

  /** Enough for a steady median; about a second for each size between two ranks of one host. */
  public static Iterations forSize(long bytes) {
    int measured;
    if (bytes <= 64 * KIB) {
      measured = 1000;
    } else if (bytes <= 1024 * KIB) {
      measured = 200;
    } else if (bytes <= 16 * 1024 * KIB) {
      measured = 50;
    } else {
      measured = 11;
    }
    return new Iterations(Math.max(3, measured / 5), measured, COMPILE_CALLS);
  }
}
