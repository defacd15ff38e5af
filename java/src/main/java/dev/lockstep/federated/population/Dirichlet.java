package dev.lockstep.federated.population;

import dev.lockstep.data.SplitMix64;
import java.util.Arrays;

/** Dirichlet distributions, drawn with the same bits on every JDK. */
final class Dirichlet {
  private Dirichlet() {}

  /** Shares that add up to 1, all parameters being {@code alpha}. */
  static double[] draw(int parts, double alpha, SplitMix64 random) {
    double[] logs = new double[parts];
    Arrays.setAll(logs, i -> logGamma(alpha, random));
    // For small alpha most of the gammas are too small for a double; their logarithms are not.
    double largest = Arrays.stream(logs).max().orElseThrow();
    double[] shares = Arrays.stream(logs).map(log -> StrictMath.exp(log - largest)).toArray();
    double sum = Arrays.stream(shares).sum();
    return Arrays.stream(shares).map(share -> share / sum).toArray();
  }

  /**
   * The logarithm of a gamma variate (Marsaglia and Tsang 2000; for alpha below 1 from one of alpha
   * + 1, as in their note).
   */
  private static double logGamma(double alpha, SplitMix64 random) {
    if (alpha < 1) {
      double power = StrictMath.log(1 - random.nextDouble()) / alpha;
      return logGamma(alpha + 1, random) + power;
    }
    double d = alpha - 1.0 / 3;
    double c = 1 / Math.sqrt(9 * d);
    for (; ; ) {
      double x = random.nextGaussian();
      double v = 1 + c * x;
      double cube = v * v * v;
      double u = 1 - random.nextDouble();
      if (v > 0 && StrictMath.log(u) < 0.5 * x * x + d * (1 - cube + StrictMath.log(cube))) {
        return StrictMath.log(d) + StrictMath.log(cube);
      }
    }
  }
}
