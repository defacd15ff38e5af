package dev.lockstep.data;

/**
 * The generator of Steele, Lea and Flood, "Fast splittable pseudorandom number generators" (OOPSLA
 * 2014), written out so that a seed gives the same samples on every JDK. Not thread-safe.
 */
public final class SplitMix64 {
  private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

  private long state;

  /** Begins the stream of a seed. */
  public SplitMix64(long seed) {
    state = seed;
  }

  /** The finaliser "mix13" of David Stafford: a bijection that spreads every bit of its input. */
  static long mix(long z) {
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A seed for one stream out of many, such as one epoch of a run. */
  public static long streamSeed(long seed, long stream) {
    return mix(mix(seed + GOLDEN_GAMMA) + (stream + 1) * GOLDEN_GAMMA);
  }

  /** The next 64 bits. */
  public long nextLong() {
    state += GOLDEN_GAMMA;
    return mix(state);
  }

  /**
   * Uniform in [0, bound), without bias: values of the last, incomplete interval are drawn anew.
   */
  public long nextBelow(long bound) {
    long bits = nextLong() >>> 1;
    long value = bits % bound;
    while (bits - value + (bound - 1) < 0) {
      bits = nextLong() >>> 1;
      value = bits % bound;
    }
    return value;
  }

  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  /** Standard normal by Box and Muller; the second value of the pair is not kept. */
  public double nextGaussian() {
    double radius = StrictMath.sqrt(-2 * StrictMath.log(1 - nextDouble()));
    return radius * StrictMath.cos(2 * Math.PI * nextDouble());
  }

  /** Permutes by Fisher and Yates (Knuth, The Art of Computer Programming, 3.4.2, algorithm P). */
  public void shuffle(long[] values) {
    for (int last = values.length - 1; last > 0; last--) {
      int other = (int) nextBelow(last + 1L);
      long value = values[last];
      values[last] = values[other];
      values[other] = value;
    }
  }
}
