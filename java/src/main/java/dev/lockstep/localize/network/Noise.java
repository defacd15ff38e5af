package dev.lockstep.localize.network;

import java.util.Locale;

/**
 * How far off a distance is: the variance is the sum of the squares of {@code factor} times the
 * distance, of {@code sigma}, and of the distance's own standard deviation where it has one.
 *
 * @param factor a fraction, at least 0
 * @param sigma in the unit of length, at least 0
 * @param offset standard deviation of what each device adds to all of its distances, which is
 *     estimated along; 0: nothing
 */
public record Noise(double factor, double sigma, double offset) {
  private static final double LEAST_SHARE_OF_MEASURED = 0.5;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException unless both are finite and at least 0
   */
  public Noise {
    for (double number : new double[] {factor, sigma, offset}) {
      if (!(number >= 0 && Double.isFinite(number))) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT,
                "Noise must be finite and at least 0: factor %s, sigma %s, offset %s",
                factor,
                sigma,
                offset));
      }
    }
  }

  /** Without offsets of devices. */
  public Noise(double factor, double sigma) {
    this(factor, sigma, 0);
  }

  /** The same where offsets are known and taken from the distances. */
  public Noise withoutOffsets() {
    return new Noise(factor, sigma);
  }

  /**
   * The part that does not grow with the distance, in one number for each of {@code ranges};
   * unknown offsets of both ends are a part of it.
   */
  public double[] constantParts(Ranges ranges) {
    double[] parts = ranges.deviations().clone();
    for (int range = 0; range < parts.length; range++) {
      parts[range] = Math.hypot(parts[range], Math.hypot(sigma, Math.sqrt(2) * offset));
    }
    return parts;
  }

  /**
   * The standard deviation of a distance, as the refinement has it.
   *
   * @param located between the positions; counts as at least half the measured one
   * @param own standard deviation of this distance, or 0
   * @param least distance that counts
   */
  public double deviation(double located, double measured, double own, double least) {
    double counted = Math.max(Math.max(located, LEAST_SHARE_OF_MEASURED * measured), least);
    return Math.hypot(factor * counted, Math.hypot(sigma, own));
  }
}
