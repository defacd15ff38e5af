package dev.lockstep.federated.privacy;

/**
 * How well one can guess who took part under (ε, δ)-differential privacy (Steinke, Nasr and
 * Jagielski 2023, theorem 5.2 and appendix D).
 */
final class GuessingBound {
  private static final double MAX_EPSILON = 100;

  private GuessingBound() {}

  /**
   * The greatest ε that the guesses refute.
   *
   * @param candidates each of which took part with probability 1/2
   * @param guesses how many of them were guessed about
   * @param correct how many guesses were right
   * @param error the probability with which the bound may be wrong
   */
  static double lowerEpsilon(int candidates, int guesses, int correct, double delta, double error) {
    double low = 0;
    double high = MAX_EPSILON;
    if (probability(candidates, guesses, correct, low, delta) >= error) {
      return 0;
    }
    for (int i = 0; i < 60; i++) {
      double middle = (low + high) / 2;
      if (probability(candidates, guesses, correct, middle, delta) < error) {
        low = middle;
      } else {
        high = middle;
      }
    }
    return low;
  }

  /**
   * At most with this probability at least so many guesses are right: P[W ≥ v] + 2mδ max_i P[v > W
   * ≥ v - i]/i, W binomial with r trials of probability 1/(1 + exp(-ε)).
   */
  static double probability(
      int candidates, int guesses, int correct, double epsilon, double delta) {
    double logRight = -Math.log1p(Math.exp(-epsilon));
    double logWrong = -epsilon + logRight;
    double[] mass = new double[guesses + 1];
    double logBinomial = 0;
    for (int k = 0; k <= guesses; k++) {
      if (k > 0) {
        logBinomial += Math.log((guesses - k + 1.0) / k);
      }
      mass[k] = Math.exp(logBinomial + k * logRight + (guesses - k) * logWrong);
    }
    double tail = 0;
    for (int k = correct; k <= guesses; k++) {
      tail += mass[k];
    }
    double between = 0;
    double steepest = 0;
    for (int i = 1; i <= correct; i++) {
      between += mass[correct - i];
      steepest = Math.max(steepest, between / i);
    }
    return Math.min(1, tail + 2 * candidates * delta * steepest);
  }
}
