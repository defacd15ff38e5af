package dev.lockstep.data;

import java.util.Arrays;

/**
 * Count, mean and sum of squared deviations of several columns, built row by row (Welford 1962) and
 * merged (Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample
 * variances", 1979, equation 2.1). Unlike E[x²] − E[x]² neither step cancels when the mean is large
 * against the spread. Mutable, not thread-safe.
 */
final class Moments {
  private final int columns;
  private long count;
  private final double[] mean;
  private final double[] squares;

  Moments(int columns) {
    this.columns = columns;
    mean = new double[columns];
    squares = new double[columns];
  }

  /** Adds the row that starts at {@code at}. */
  void add(double[] rows, int at) {
    count++;
    for (int c = 0; c < columns; c++) {
      double deviation = rows[at + c] - mean[c];
      mean[c] += deviation / count;
      squares[c] += deviation * (rows[at + c] - mean[c]);
    }
  }

  void merge(Moments other) {
    if (other.count == 0) {
      return;
    }
    double total = (double) count + other.count;
    for (int c = 0; c < columns; c++) {
      double deviation = other.mean[c] - mean[c];
      mean[c] += deviation * (other.count / total);
      squares[c] += other.squares[c] + deviation * deviation * (count * (other.count / total));
    }
    count += other.count;
  }

  long count() {
    return count;
  }

  double[] mean() {
    return mean.clone();
  }

  /** The standard deviation of the whole (divisor n), as StandardScaler of scikit-learn has it. */
  double[] standardDeviation() {
    return Arrays.stream(squares).map(s -> count == 0 ? 0 : Math.sqrt(s / count)).toArray();
  }

  /** Count, means, sums of squares: what one rank sends to the others. */
  double[] toArray() {
    double[] all = new double[1 + 2 * columns];
    all[0] = count;
    System.arraycopy(mean, 0, all, 1, columns);
    System.arraycopy(squares, 0, all, 1 + columns, columns);
    return all;
  }

  /** The inverse of {@link #toArray}, from element {@code at} on. */
  static Moments fromArray(double[] all, int at, int columns) {
    Moments moments = new Moments(columns);
    moments.count = (long) all[at];
    System.arraycopy(all, at + 1, moments.mean, 0, columns);
    System.arraycopy(all, at + 1 + columns, moments.squares, 0, columns);
    return moments;
  }

  /** Merges what all ranks sent, in rank order, so that every rank gets the same bits. */
  static Moments ofRanks(double[] gathered, int columns) {
    Moments all = new Moments(columns);
    int length = 1 + 2 * columns;
    for (int at = 0; at < gathered.length; at += length) {
      all.merge(fromArray(gathered, at, columns));
    }
    return all;
  }
}
