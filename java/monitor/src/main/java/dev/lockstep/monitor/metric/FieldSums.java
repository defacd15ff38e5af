package dev.lockstep.monitor.metric;

import java.util.Arrays;

/**
 * What weighted scores of fields need, by channel: Σw, the weighted mean and squared deviations of
 * the truth, and the weighted sums of the error, its size and its square. Cells whose truth is NaN
 * are left out.
 *
 * <p>Merged like {@link RegressionSums}. Not thread-safe.
 */
public final class FieldSums {
  private static final int WEIGHT = 0;
  private static final int MEAN = 1;
  private static final int DEVIATIONS = 2;
  private static final int ERROR = 3;
  private static final int ABSOLUTE = 4;
  private static final int SQUARES = 5;
  private static final int STATE = 6;

  private final double[] sums;
  private final double[] weights;

  /**
   * Starts without samples.
   *
   * @param channels at least 1
   * @param weights one for each cell, not negative; kept, not copied
   */
  public FieldSums(int channels, double[] weights) {
    this.weights = weights;
    sums = new double[channels * STATE];
  }

  /**
   * Adds one sample.
   *
   * @param predicted channels × cells values from {@code at} on
   * @param actual the truth, likewise
   */
  public void add(double[] predicted, double[] actual, int at) {
    double[] one = new double[STATE];
    for (int c = 0; c < sums.length / STATE; c++) {
      Arrays.fill(one, 0);
      int from = at + c * weights.length;
      double sum = 0;
      for (int i = 0; i < weights.length; i++) {
        double truth = actual[from + i];
        if (Double.isNaN(truth)) {
          continue;
        }
        double error = predicted[from + i] - truth;
        one[WEIGHT] += weights[i];
        sum += weights[i] * truth;
        one[ERROR] += weights[i] * error;
        one[ABSOLUTE] += weights[i] * Math.abs(error);
        one[SQUARES] += weights[i] * error * error;
      }
      if (one[WEIGHT] == 0) {
        continue;
      }
      one[MEAN] = sum / one[WEIGHT];
      for (int i = 0; i < weights.length; i++) {
        double deviation = actual[from + i] - one[MEAN];
        one[DEVIATIONS] += Double.isNaN(deviation) ? 0 : weights[i] * deviation * deviation;
      }
      merge(c * STATE, one, 0);
    }
  }

  /** The sums for {@link #merged}. */
  public double[] state() {
    return sums.clone();
  }

  /** Merges the states of disjoint sets of samples, one behind the other, from first to last. */
  public static FieldSums merged(int channels, double[] weights, double[] states) {
    FieldSums all = new FieldSums(channels, weights);
    for (int from = 0; from < states.length; from += channels * STATE) {
      for (int c = 0; c < channels; c++) {
        all.merge(c * STATE, states, from + c * STATE);
      }
    }
    return all;
  }

  /** Chan, Golub and LeVeque (1979), with weights for counts. */
  private void merge(int at, double[] other, int from) {
    double weight = other[from + WEIGHT];
    if (weight == 0) {
      return;
    }
    double total = sums[at + WEIGHT] + weight;
    double delta = other[from + MEAN] - sums[at + MEAN];
    sums[at + DEVIATIONS] +=
        other[from + DEVIATIONS] + delta * delta * sums[at + WEIGHT] * (weight / total);
    sums[at + MEAN] += delta * (weight / total);
    sums[at + WEIGHT] = total;
    sums[at + ERROR] += other[from + ERROR];
    sums[at + ABSOLUTE] += other[from + ABSOLUTE];
    sums[at + SQUARES] += other[from + SQUARES];
  }

  /** The root of the weighted mean squared error of a channel; NaN without samples. */
  public double rmse(int channel) {
    return Math.sqrt(sums[channel * STATE + SQUARES] / sums[channel * STATE + WEIGHT]);
  }

  /** The weighted mean size of the error. */
  public double mae(int channel) {
    return sums[channel * STATE + ABSOLUTE] / sums[channel * STATE + WEIGHT];
  }

  /** The weighted mean error, predicted − actual. */
  public double bias(int channel) {
    return sums[channel * STATE + ERROR] / sums[channel * STATE + WEIGHT];
  }

  /** The weighted coefficient of determination; of a constant truth 1 if met, 0 otherwise. */
  public double r2(int channel) {
    int at = channel * STATE;
    if (sums[at + WEIGHT] > 0 && sums[at + DEVIATIONS] == 0) {
      return sums[at + SQUARES] == 0 ? 1 : 0;
    }
    return 1 - sums[at + SQUARES] / sums[at + DEVIATIONS];
  }

  /** As {@link #rmse(int)} over all channels together. */
  public double rmse() {
    return Math.sqrt(total(SQUARES) / total(WEIGHT));
  }

  /** As {@link #mae(int)} over all channels together. */
  public double mae() {
    return total(ABSOLUTE) / total(WEIGHT);
  }

  /** As {@link #bias(int)} over all channels together. */
  public double bias() {
    return total(ERROR) / total(WEIGHT);
  }

  private double total(int part) {
    double total = 0;
    for (int at = 0; at < sums.length; at += STATE) {
      total += sums[at + part];
    }
    return total;
  }
}
