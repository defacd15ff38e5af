package dev.lockstep.federated.privacy;

import java.util.Arrays;

/**
 * Even moments E[(L - 1)^l] of the likelihood ratio L of N(1, σ²) to N(0, σ²) under the latter.
 *
 * <p>They are the forward differences of Wang, Balle and Kasiviswanathan 2019 (theorem 27), for
 * E[L^x] = exp(x(x-1)/(2σ²)). As differences they lose all digits where σ is large; as integrals of
 * what is never negative they lose none. With z standard normal, L = exp(z/σ - 1/(2σ²)).
 */
final class LikelihoodMoments {
  /**
   * Of the trapezoid rule, whose error for such an entire function is about exp(-2π²/STEP²), that
   * is nothing.
   */
  private static final double STEP = 1.0 / 8;

  /** Standard deviations around where the mass lies; beyond are less than 1e-40 of it. */
  private static final double WIDTH = 14;

  private final double sigma;
  private double[] logs = {};

  LikelihoodMoments(double sigma) {
    this.sigma = sigma;
  }

  /** ln E[(L - 1)^l], for an even l of at least 2. */
  double log(int power) {
    int index = power / 2;
    if (index >= logs.length) {
      int old = logs.length;
      logs = Arrays.copyOf(logs, Math.max(2 * old, index + 1));
      Arrays.fill(logs, old, logs.length, Double.NaN);
    }
    if (Double.isNaN(logs[index])) {
      logs[index] = integral(power);
    }
    return logs[index];
  }

  /**
   * Left of the mode of L the factor is below 1, so the mass lies within WIDTH of 0 or near the
   * peak of L^l φ, which is at l/σ, and between them.
   */
  private double integral(int power) {
    // For large σ, |L - 1|^l is about |z/σ|^l, whose product with φ peaks at ±sqrt(l).
    double from = -WIDTH - Math.sqrt(power);
    double to = power / sigma + Math.sqrt(power) + WIDTH;
    double sum = Double.NEGATIVE_INFINITY;
    for (double z = from; z <= to; z += STEP) {
      double ratio = z / sigma - 1 / (2 * sigma * sigma);
      double logDistance = // ln |exp(ratio) - 1|
          ratio > 30 ? ratio : Math.log(Math.abs(Math.expm1(ratio)));
      sum = SampledGaussian.logAdd(sum, power * logDistance - z * z / 2);
    }
    return sum + Math.log(STEP) - Math.log(2 * Math.PI) / 2;
  }
}
