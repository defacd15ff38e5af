package dev.lockstep.monitor.metric;

import java.util.Arrays;
import java.util.Locale;

/**
 * What R² and the root mean squared error of several targets need: the number of samples, and by
 * target the mean and the sum of squared deviations of the truth, and the sum of squared residuals.
 *
 * <p>Deviations are kept about the running mean and merged pairwise, so that a large mean does not
 * cancel the digits of the variance as E[x²] − E[x]² would.
 *
 * <p>Source: T. F. Chan, G. H. Golub, R. J. LeVeque, "Updating formulae and a pairwise algorithm
 * for computing sample variances", Stanford STAN-CS-79-773, 1979, the pairwise formulae.
 *
 * <p>Not thread-safe.
 */
public final class RegressionSums {
  private final double[] mean;
  private final double[] deviations;
  private final double[] residuals;
  private long count;

  /**
   * Starts without samples.
   *
   * @param targets the number of targets, at least 1
   * @throws IllegalArgumentException if {@code targets} is below 1
   */
  public RegressionSums(int targets) {
    if (targets < 1) {
      throw new IllegalArgumentException("There must be at least 1 target, not " + targets + ".");
    }
    mean = new double[targets];
    deviations = new double[targets];
    residuals = new double[targets];
  }

  /**
   * Adds samples.
   *
   * @param predicted predictions, shape [samples, targets], row-major
   * @param actual the truth, same shape
   * @throws IllegalArgumentException if the lengths differ or are not whole samples
   */
  public void add(double[] predicted, double[] actual) {
    int targets = mean.length;
    if (predicted.length != actual.length || actual.length % targets != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d predictions and %d true values are not whole samples of %d targets.",
              predicted.length,
              actual.length,
              targets));
    }
    for (int row = 0; row < actual.length; row += targets) {
      count++;
      for (int target = 0; target < targets; target++) {
        double truth = actual[row + target];
        double delta = truth - mean[target];
        mean[target] += delta / count;
        deviations[target] += delta * (truth - mean[target]);
        double residual = truth - predicted[row + target];
        residuals[target] += residual * residual;
      }
    }
  }

  /**
   * Returns the sums for {@link #merged}.
   *
   * @return {@code 1 + 3 × targets} numbers: the count, then the means, squared deviations and
   *     squared residuals
   */
  public double[] state() {
    int targets = mean.length;
    double[] state = new double[1 + 3 * targets];
    state[0] = count;
    System.arraycopy(mean, 0, state, 1, targets);
    System.arraycopy(deviations, 0, state, 1 + targets, targets);
    System.arraycopy(residuals, 0, state, 1 + 2 * targets, targets);
    return state;
  }

  /**
   * Merges the sums of disjoint sets of samples, from first to last.
   *
   * @param targets the number of targets, at least 1
   * @param states the {@link #state} of each set, one after the other, as an all-gather leaves them
   * @return the sums over all samples
   * @throws IllegalArgumentException if {@code states} is not a whole number of states
   */
  public static RegressionSums merged(int targets, double[] states) {
    RegressionSums all = new RegressionSums(targets);
    int length = 1 + 3 * targets;
    if (states.length % length != 0) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d numbers are not whole states of %d for %d targets.",
              states.length,
              length,
              targets));
    }
    for (int start = 0; start < states.length; start += length) {
      all.merge(Arrays.copyOfRange(states, start, start + length));
    }
    return all;
  }

  private void merge(double[] other) {
    long otherCount = (long) other[0];
    if (otherCount == 0) {
      return;
    }
    int targets = mean.length;
    double share = (double) otherCount / (count + otherCount);
    for (int target = 0; target < targets; target++) {
      double delta = other[1 + target] - mean[target];
      mean[target] += delta * share;
      deviations[target] += other[1 + targets + target] + delta * delta * count * share;
      residuals[target] += other[1 + 2 * targets + target];
    }
    count += otherCount;
  }

  /**
   * Returns the number of samples.
   *
   * @return samples added, at least 0
   */
  public long count() {
    return count;
  }

  /**
   * Returns the coefficient of determination of a target, 1 − Σ(residual²) / Σ(deviation²).
   *
   * @param target the target's index
   * @return at most 1; for a constant truth 1 if it is met exactly and 0 otherwise, as scikit-learn
   *     has it; NaN without samples
   */
  public double r2(int target) {
    if (count == 0) {
      return Double.NaN;
    }
    if (deviations[target] == 0) {
      return residuals[target] == 0 ? 1 : 0;
    }
    return 1 - residuals[target] / deviations[target];
  }

  /**
   * Returns the root mean squared error of a target.
   *
   * @param target the target's index
   * @return at least 0, in the target's unit; NaN without samples
   */
  public double rmse(int target) {
    return Math.sqrt(residuals[target] / count);
  }
}
