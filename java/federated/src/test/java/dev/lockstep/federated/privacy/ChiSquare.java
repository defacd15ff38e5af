package dev.lockstep.federated.privacy;

/** Pearson's test of counts against expected ones. */
final class ChiSquare {
  private ChiSquare() {}

  /**
   * The probability of counts that deviate at least as much, by Wilson and Hilferty's cube root,
   * which is good to about 0.001 for the degrees of freedom here.
   */
  static double probability(long[] counts, double[] expected) {
    double statistic = 0;
    for (int i = 0; i < counts.length; i++) {
      statistic += Math.pow(counts[i] - expected[i], 2) / expected[i];
    }
    double freedom = counts.length - 1;
    double spread = 2 / (9 * freedom);
    double normal = (Math.cbrt(statistic / freedom) - (1 - spread)) / Math.sqrt(spread);
    return Math.exp(LogErfc.of(normal / Math.sqrt(2))) / 2;
  }
}
