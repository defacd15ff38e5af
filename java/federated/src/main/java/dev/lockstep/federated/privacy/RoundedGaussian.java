package dev.lockstep.federated.privacy;

import java.math.BigInteger;
import java.util.Arrays;

/**
 * Integers distributed exactly as real Gaussian numbers rounded to the nearest integer, by
 * algorithm N of Karney 2016 ("Sampling exactly from the normal distribution"), which compares
 * uniform numbers and draws digits of them only as far as a comparison needs.
 *
 * <p>Floating-point noise has a few values only, and gaps betray the sum (Mironov 2012). On a sum
 * of integers this noise is the Gaussian mechanism of real numbers, rounded afterwards; and what is
 * done afterwards loses no privacy. So every theorem on the Gaussian mechanism holds as it is, that
 * on samples too, which for the discrete Gaussian of Canonne, Kamath and Steinke 2020 is not known.
 */
final class RoundedGaussian {
  /** So that a first digit of 32 bits is rounded within a long. */
  static final long MAX_SIGMA = 1L << 29;

  private final KeyedStream stream;
  private final long sigma;
  private final int digitBits;

  /**
   * @param sigma the standard deviation, from 0 to {@link #MAX_SIGMA}
   */
  RoundedGaussian(KeyedStream stream, long sigma) {
    this(stream, sigma, Integer.SIZE);
  }

  /**
   * @param digitBits from 1 to 32; any gives the same distribution
   */
  RoundedGaussian(KeyedStream stream, long sigma, int digitBits) {
    if (sigma < 0 || sigma > MAX_SIGMA) {
      throw new IllegalArgumentException("sigma must be from 0 to 2^29, not " + sigma);
    }
    this.stream = stream;
    this.sigma = sigma;
    this.digitBits = digitBits;
  }

  long next() {
    if (sigma == 0) {
      return 0;
    }
    while (true) {
      int k = 0; // N1: the integer part, with probability proportional to exp(-k/2) so far
      while (isExpOfMinusHalf()) {
        k++;
      }
      if (!acceptsInteger(k)) {
        continue;
      }
      Uniform fraction = new Uniform();
      if (acceptsFraction(k, fraction)) {
        long magnitude = sigma * k + fraction.timesSigmaRounded();
        return stream.nextBit() ? -magnitude : magnitude;
      }
    }
  }

  /** N2: true with probability exp(-k(k-1)/2). */
  private boolean acceptsInteger(int k) {
    for (int i = 0; i < k * (k - 1); i++) {
      if (!isExpOfMinusHalf()) {
        return false;
      }
    }
    return true;
  }

  /** N4: true with probability exp(-x(2k+x)/2), as k + 1 trials of algorithm B. */
  private boolean acceptsFraction(int k, Uniform x) {
    for (int i = 0; i <= k; i++) {
      if (!isExpOfQuotient(k, x)) {
        return false;
      }
    }
    return true;
  }

  /** True with probability exp(-1/2), by von Neumann: a falling run below 1/2 of even length. */
  private boolean isExpOfMinusHalf() {
    Uniform last = new Uniform();
    if (!last.isBelowHalf()) {
      return true;
    }
    boolean even = false;
    while (true) {
      Uniform next = new Uniform();
      if (!next.isBelow(last)) {
        return even;
      }
      last = next;
      even = !even;
    }
  }

  /** Algorithm B: true with probability exp(-x(2k+x)/(2k+2)). */
  private boolean isExpOfQuotient(int k, Uniform x) {
    Uniform last = x;
    boolean even = true;
    while (true) {
      Uniform next = new Uniform();
      if (!next.isBelow(last) || !isQuotient(k, x)) {
        return even;
      }
      last = next;
      even = !even;
    }
  }

  /** True with probability (2k+x)/(2k+2). */
  private boolean isQuotient(int k, Uniform x) {
    long choice = stream.nextBelow(2L * k + 2);
    return choice < 2L * k || (choice == 2L * k && new Uniform().isBelow(x));
  }

  /** A real number of [0, 1), whose digits are drawn when they are looked at. */
  private final class Uniform {
    private long[] digits = new long[1];
    private int drawn;

    private long digit(int i) {
      while (drawn <= i) {
        if (drawn == digits.length) {
          digits = Arrays.copyOf(digits, 2 * drawn);
        }
        digits[drawn++] = stream.nextBits(digitBits);
      }
      return digits[i];
    }

    boolean isBelowHalf() {
      return digit(0) < 1L << (digitBits - 1);
    }

    boolean isBelow(Uniform other) {
      int i = 0;
      while (digit(i) == other.digit(i)) {
        i++;
      }
      return digit(i) < other.digit(i);
    }

    /** The integer nearest to this times sigma, from as many digits as decide it. */
    long timesSigmaRounded() {
      long half = 1L << digitBits; // everything is doubled
      long least = (2 * sigma * digit(0) + half) >> (digitBits + 1);
      long most = (2 * sigma * (digit(0) + 1) + half - 1) >> (digitBits + 1);
      return least == most ? least : timesSigmaRoundedExactly();
    }

    private long timesSigmaRoundedExactly() {
      BigInteger prefix = BigInteger.valueOf(digit(0));
      BigInteger doubled = BigInteger.valueOf(2 * sigma);
      for (int count = 2; ; count++) {
        int bits = count * digitBits;
        prefix = prefix.shiftLeft(digitBits).add(BigInteger.valueOf(digit(count - 1)));
        BigInteger half = BigInteger.ONE.shiftLeft(bits);
        BigInteger from = doubled.multiply(prefix).add(half);
        BigInteger to = from.add(doubled).subtract(BigInteger.ONE);
        long least = from.shiftRight(bits + 1).longValueExact();
        if (least == to.shiftRight(bits + 1).longValueExact()) {
          return least;
        }
      }
    }
  }
}
