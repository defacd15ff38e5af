package dev.lockstep.learn;

/** What settings must fulfil. */
final class Checks {
  private Checks() {}

  /**
   * @throws IllegalArgumentException with the problem where it does not hold
   */
  static void check(boolean holds, String problem) {
    if (!holds) {
      throw new IllegalArgumentException(problem);
    }
  }

  static void notNegative(String name, double value) {
    check(value >= 0 && Double.isFinite(value), name + " must be at least 0, not " + value);
  }

  static void share(String name, double value) {
    check(value > 0 && value <= 1, name + " must be above 0 and at most 1, not " + value);
  }

  /** Of trees, in the words of LightGBM. */
  static void trees(int maxDepth, int maxBin, int minDataInLeaf, double validationFraction) {
    check(maxDepth == -1 || maxDepth >= 1, "max_depth must be -1 or at least 1, not " + maxDepth);
    check(maxBin >= 2 && maxBin <= 255, "max_bin must be from 2 to 255, not " + maxBin);
    check(minDataInLeaf >= 0, "min_data_in_leaf must be at least 0, not " + minDataInLeaf);
    check(
        validationFraction >= 0 && validationFraction < 1,
        "validation_fraction must be at least 0 and below 1, not " + validationFraction);
  }
}
