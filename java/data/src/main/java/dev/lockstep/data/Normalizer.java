package dev.lockstep.data;

import dev.lockstep.comm.Communicator;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Brings columns to mean zero and standard deviation one, and back: {@code (x − mean) ÷ standard
 * deviation}. A column that does not vary has no scale of its own; its deviation is taken as 1, so
 * that it becomes 0 instead of 0 ÷ 0. Immutable and thread-safe.
 */
public final class Normalizer {
  /**
   * Spreads below this share of the mean are rounding of a constant: a sum of equal doubles
   * deviates by a few units in the last place (2⁻⁵³ ≈ 1.1e-16).
   */
  private static final double CONSTANT = 1e-14;

  private static final int MOST_ROWS = 1024;

  private final Statistics statistics;
  private final double[] mean;
  private final double[] deviation;

  /**
   * What a normaliser consists of; the form in which it is stored with the model.
   *
   * @param names one name for each column
   * @param mean the columns' means
   * @param standardDeviation the columns' standard deviations (divisor n); 1 for constant columns
   */
  public record Statistics(List<String> names, List<Double> mean, List<Double> standardDeviation) {
    /**
     * Checks that the lists fit each other and copies them.
     *
     * @throws IllegalArgumentException naming what is wrong
     */
    public Statistics {
      names = List.copyOf(names);
      mean = List.copyOf(mean);
      standardDeviation = List.copyOf(standardDeviation);
      if (mean.size() != names.size() || standardDeviation.size() != names.size()) {
        throw new IllegalArgumentException(
            "a normaliser of "
                + names.size()
                + " columns has "
                + mean.size()
                + " means and "
                + standardDeviation.size()
                + " standard deviations");
      }
      for (int c = 0; c < names.size(); c++) {
        if (!Double.isFinite(mean.get(c))) {
          throw new IllegalArgumentException("mean of " + names.get(c) + " is " + mean.get(c));
        }
        if (!(standardDeviation.get(c) > 0 && Double.isFinite(standardDeviation.get(c)))) {
          throw new IllegalArgumentException(
              "standard deviation of "
                  + names.get(c)
                  + " is "
                  + standardDeviation.get(c)
                  + "; it must be positive");
        }
      }
    }
  }

  /** The normalisers of a data set's features and of its targets. */
  public record Pair(Normalizer features, Normalizer targets) {}

  /** From what was stored with a model. */
  public Normalizer(Statistics statistics) {
    this.statistics = statistics;
    mean = statistics.mean().stream().mapToDouble(Double::doubleValue).toArray();
    deviation = statistics.standardDeviation().stream().mapToDouble(Double::doubleValue).toArray();
  }

  /**
   * Measures features and targets over all ranks; a collective call. Each rank reads its partition
   * of {@code samples}, and every rank merges what all of them found in rank order. So all ranks
   * get the same bits, and another number of ranks gives the same up to rounding.
   *
   * @param dataset the samples; every rank has its own instance of the same data
   * @param samples the samples to measure, the same on every rank: those to train on
   * @param communicator the ranks
   * @return the normalisers of the features and of the targets
   * @throws IllegalArgumentException if {@code samples} is empty
   * @throws DataException if a sample cannot be read
   * @throws dev.lockstep.comm.CommunicationException if a rank fails meanwhile
   */
  public static Pair fit(Dataset dataset, long[] samples, Communicator communicator) {
    return fit(dataset, samples, communicator.rank(), communicator.size(), communicator::allGather);
  }

  /** The same with any way to gather what all ranks found. */
  static Pair fit(
      Dataset dataset, long[] samples, int rank, int worldSize, UnaryOperator<double[]> allGather) {
    int features = dataset.featureNames().size();
    int targets = dataset.targetNames().size();
    Moments own = measure(dataset, samples, new DataPartitioner(samples.length, worldSize), rank);
    Moments all = Moments.ofRanks(allGather.apply(own.toArray()), features + targets);
    if (all.count() == 0) {
      throw new IllegalArgumentException("there are no samples to normalise by");
    }
    return new Pair(of(dataset.featureNames(), all, 0), of(dataset.targetNames(), all, features));
  }

  private static Moments measure(
      Dataset dataset, long[] samples, DataPartitioner partitioner, int rank) {
    int features = dataset.featureNames().size();
    int targets = dataset.targetNames().size();
    int rowsAtOnce = dataset.rowsAtOnce(MOST_ROWS);
    double[] featureRows = new double[rowsAtOnce * features];
    double[] targetRows = new double[rowsAtOnce * targets];
    double[] row = new double[features + targets];
    Moments moments = new Moments(row.length);
    DataPartitioner.Range range = partitioner.partition(rank);
    for (int from = (int) range.from(); from < range.to(); from += rowsAtOnce) {
      int count = (int) Math.min(rowsAtOnce, range.to() - from);
      dataset.read(samples, from, count, featureRows, targetRows);
      for (int i = 0; i < count; i++) {
        System.arraycopy(featureRows, i * features, row, 0, features);
        System.arraycopy(targetRows, i * targets, row, features, targets);
        moments.add(row, 0);
      }
    }
    return moments;
  }

  static Normalizer of(List<String> names, Moments moments, int firstColumn) {
    int end = firstColumn + names.size();
    double[] mean = Arrays.copyOfRange(moments.mean(), firstColumn, end);
    double[] deviation = Arrays.copyOfRange(moments.standardDeviation(), firstColumn, end);
    for (int c = 0; c < deviation.length; c++) {
      if (deviation[c] <= CONSTANT * Math.abs(mean[c])) {
        deviation[c] = 1;
      }
    }
    return new Normalizer(
        new Statistics(
            names,
            Arrays.stream(mean).boxed().toList(),
            Arrays.stream(deviation).boxed().toList()));
  }

  /** What to store with the model. */
  public Statistics statistics() {
    return statistics;
  }

  /** The number of columns. */
  public int columns() {
    return mean.length;
  }

  /**
   * Normalises the first {@code rows} rows and appends them to {@code normalized} in single
   * precision.
   *
   * @param values row-major, {@code rows × columns()} at least
   * @param normalized receives {@code rows × columns()} values at its position, which moves
   * @throws java.nio.BufferOverflowException if they do not fit
   */
  public void apply(double[] values, int rows, FloatBuffer normalized) {
    // Through an array, which the JIT compiler vectorises; a buffer it does not.
    float[] row = new float[mean.length];
    for (int i = 0; i < rows; i++) {
      int at = i * mean.length;
      for (int c = 0; c < row.length; c++) {
        row[c] = (float) ((values[at + c] - mean[c]) / deviation[c]);
      }
      normalized.put(row);
    }
  }

  /**
   * Normalises rows of channels of {@code cells} values each; what is missing becomes 0, the mean
   * of a channel that has mean 0.
   *
   * @param values {@code rows × columns() × cells} at least
   * @param normalized receives as many values at its position, which moves
   */
  public void apply(double[] values, int rows, int cells, FloatBuffer normalized) {
    float[] channel = new float[cells];
    for (int i = 0; i < rows * mean.length; i++) {
      int c = i % mean.length;
      for (int k = 0; k < cells; k++) {
        double value = (values[i * cells + k] - mean[c]) / deviation[c];
        channel[k] = Double.isNaN(value) ? 0 : (float) value;
      }
      normalized.put(channel);
    }
  }

  /** Like the other in double precision. */
  public void apply(double[] values, int rows, int cells, DoubleBuffer normalized) {
    for (int i = 0; i < rows * mean.length * cells; i++) {
      int c = i / cells % mean.length;
      double value = (values[i] - mean[c]) / deviation[c];
      normalized.put(Double.isNaN(value) ? 0 : value);
    }
  }

  /** Like {@link #invert(double[], int)} for rows of channels of {@code cells} values each. */
  public void invert(double[] values, int rows, int cells) {
    for (int i = 0; i < rows * mean.length * cells; i++) {
      int c = i / cells % mean.length;
      values[i] = values[i] * deviation[c] + mean[c];
    }
  }

  /** Like {@link #apply(double[], int, FloatBuffer)} in double precision. */
  public void apply(double[] values, int rows, DoubleBuffer normalized) {
    for (int i = 0; i < rows; i++) {
      for (int c = 0; c < mean.length; c++) {
        normalized.put((values[i * mean.length + c] - mean[c]) / deviation[c]);
      }
    }
  }

  /**
   * Turns the first {@code rows} rows of normalised values into values of the columns' own units,
   * in place.
   *
   * @param values row-major, {@code rows × columns()} at least
   */
  public void invert(double[] values, int rows) {
    for (int i = 0; i < rows; i++) {
      for (int c = 0; c < mean.length; c++) {
        int at = i * mean.length + c;
        values[at] = values[at] * deviation[c] + mean[c];
      }
    }
  }
}
