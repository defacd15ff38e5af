package dev.lockstep.data.field;

import dev.lockstep.data.DataPartitioner;
import dev.lockstep.data.Dataset;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.Normalizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/**
 * Measures one offset and one scale for each channel over the training samples, missing cells left
 * out.
 */
final class FieldNormalizer {
  private static final int COUNT = 0;
  private static final int MEAN = 1;
  private static final int SQUARES = 2;
  private static final int MIN = 3;
  private static final int MAX = 4;
  private static final int STATE = 5;

  /** Spreads below this share of the mean are rounding of a constant. */
  private static final double CONSTANT = 1e-14;

  private FieldNormalizer() {}

  /**
   * Measures over all ranks; collective. Every rank reads its partition, and all merge what they
   * found in rank order.
   */
  static Normalizer.Pair fit(
      Dataset dataset,
      List<Normalization> features,
      List<Normalization> targets,
      long[] samples,
      int rank,
      int worldSize,
      UnaryOperator<double[]> allGather) {
    int channels = features.size() + targets.size();
    double[] own = measure(dataset, features.size(), targets.size(), samples, rank, worldSize);
    double[] all = allGather.apply(own);
    double[] merged = empty(channels);
    for (int from = 0; from < all.length; from += merged.length) {
      for (int c = 0; c < channels; c++) {
        merge(merged, c * STATE, all, from + c * STATE);
      }
    }
    List<Normalization> kinds = new ArrayList<>(features);
    kinds.addAll(targets);
    List<String> names = new ArrayList<>(dataset.featureNames());
    names.addAll(dataset.targetNames());
    List<Double> offset = new ArrayList<>();
    List<Double> scale = new ArrayList<>();
    for (int c = 0; c < channels; c++) {
      add(kinds.get(c), merged, c * STATE, names.get(c), offset, scale);
    }
    return new Normalizer.Pair(
        part(names, offset, scale, 0, features.size()),
        part(names, offset, scale, features.size(), channels));
  }

  private static Normalizer part(
      List<String> names, List<Double> offset, List<Double> scale, int from, int to) {
    return new Normalizer(
        new Normalizer.Statistics(
            names.subList(from, to), offset.subList(from, to), scale.subList(from, to)));
  }

  private static double[] empty(int channels) {
    double[] state = new double[channels * STATE];
    for (int c = 0; c < channels; c++) {
      state[c * STATE + MIN] = Double.POSITIVE_INFINITY;
      state[c * STATE + MAX] = Double.NEGATIVE_INFINITY;
    }
    return state;
  }

  private static double[] measure(
      Dataset dataset, int features, int targets, long[] samples, int rank, int worldSize) {
    int cells = dataset.cells();
    double[] featureRow = new double[features * cells];
    double[] targetRow = new double[targets * cells];
    double[] state = empty(features + targets);
    DataPartitioner.Range range = new DataPartitioner(samples.length, worldSize).partition(rank);
    for (int i = (int) range.from(); i < range.to(); i++) {
      dataset.read(samples, i, 1, featureRow, targetRow);
      addSample(state, 0, featureRow, cells);
      addSample(state, features, targetRow, cells);
    }
    return state;
  }

  /** Adds each channel's cells as a set of its own, whose mean is exact enough to merge. */
  private static void addSample(double[] state, int firstChannel, double[] row, int cells) {
    double[] one = new double[STATE];
    for (int c = 0; c < row.length / cells; c++) {
      int count = 0;
      double sum = 0;
      one[MIN] = Double.POSITIVE_INFINITY;
      one[MAX] = Double.NEGATIVE_INFINITY;
      for (int i = c * cells; i < (c + 1) * cells; i++) {
        if (!Double.isNaN(row[i])) {
          count++;
          sum += row[i];
          one[MIN] = Math.min(one[MIN], row[i]);
          one[MAX] = Math.max(one[MAX], row[i]);
        }
      }
      if (count == 0) {
        continue;
      }
      one[COUNT] = count;
      one[MEAN] = sum / count;
      one[SQUARES] = 0;
      for (int i = c * cells; i < (c + 1) * cells; i++) {
        double deviation = row[i] - one[MEAN];
        one[SQUARES] += Double.isNaN(deviation) ? 0 : deviation * deviation;
      }
      merge(state, (firstChannel + c) * STATE, one, 0);
    }
  }

  /** Chan, Golub and LeVeque (1979): mean and squares of a union. */
  private static void merge(double[] into, int at, double[] other, int from) {
    double count = other[from + COUNT];
    if (count == 0) {
      return;
    }
    double total = into[at + COUNT] + count;
    double delta = other[from + MEAN] - into[at + MEAN];
    into[at + SQUARES] +=
        other[from + SQUARES] + delta * delta * into[at + COUNT] * (count / total);
    into[at + MEAN] += delta * (count / total);
    into[at + COUNT] = total;
    into[at + MIN] = Math.min(into[at + MIN], other[from + MIN]);
    into[at + MAX] = Math.max(into[at + MAX], other[from + MAX]);
  }

  private static void add(
      Normalization kind,
      double[] state,
      int at,
      String name,
      List<Double> offset,
      List<Double> scale) {
    if (state[at + COUNT] == 0) {
      throw new IllegalArgumentException(name + " is missing in all training samples");
    }
    double mean = state[at + MEAN];
    double deviation = Math.sqrt(state[at + SQUARES] / state[at + COUNT]);
    double min = state[at + MIN];
    double max = state[at + MAX];
    double from =
        switch (kind) {
          case MEAN_STD, LOG1P, ANOMALY -> mean;
          case MIN_MAX -> min;
          case MAX, NONE -> 0;
        };
    double by =
        switch (kind) {
          case MEAN_STD, LOG1P, ANOMALY -> deviation;
          case MIN_MAX -> max - min;
          case MAX -> Math.max(Math.abs(min), Math.abs(max));
          case NONE -> 1;
        };
    offset.add(from);
    scale.add(by <= CONSTANT * Math.abs(mean) || by == 0 ? 1 : by);
  }
}
