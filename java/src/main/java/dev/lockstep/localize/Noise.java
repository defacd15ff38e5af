package dev.lockstep.localize;

/**
 * How far off a distance is: the variance is the sum of the squares of {@code factor} times the
 * distance, of {@code sigma}, and of the distance's own standard deviation where it has one.
 *
 * @param factor a fraction, at least 0
 * @param sigma in the unit of length, at least 0
 */
public record Noise(double factor, double sigma) {
  private static final double LEAST_SHARE_OF_MEASURED = 0.5;

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException unless both are finite and at least 0
   */
  public Noise {
    if (!(factor >= 0 && Double.isFinite(factor) && sigma >= 0 && Double.isFinite(sigma))) {
      throw new IllegalArgumentException(
          "Noise must be finite and at least 0: factor " + factor + ", sigma " + sigma);
    }
  }

  /** The part that does not grow with the distance, in one number for each of {@code ranges}. */
  double[] constantParts(Ranges ranges) {
    double[] parts = ranges.deviations().clone();
    for (int range = 0; range < parts.length; range++) {
      parts[range] = Math.hypot(parts[range], sigma);
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
  double deviation(double located, double measured, double own, double least) {
    double counted = Math.max(Math.max(located, LEAST_SHARE_OF_MEASURED * measured), least);
    return Math.hypot(factor * counted, Math.hypot(sigma, own));
  }
}
