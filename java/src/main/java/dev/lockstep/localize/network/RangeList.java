package dev.lockstep.localize.network;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** Distances as they are read, each checked. Not thread-safe. */
public final class RangeList {
  private final Map<Long, Integer> known = new HashMap<>();
  private final Map<Integer, Readings> repeated = new HashMap<>();
  private Duplicates duplicates = Duplicates.WEIGHTED_MEAN;
  private int[] pairs = new int[64];
  private double[] distances = new double[32];
  private double[] deviations = new double[32];
  private int count;

  /** What becomes of pairs that are given more than once. */
  public void combine(Duplicates how) {
    duplicates = how;
  }

  /**
   * Adds a distance; the same value for the same pair once more adds nothing.
   *
   * @param deviation its standard deviation, or 0 where that is not known
   * @param described such as "the range from R1 to A2", for messages
   * @throws NetworkException for a distance that is negative or not finite, or another one than
   *     before where duplicates are an error
   */
  public void add(
      int first, int second, double distance, double deviation, Supplier<String> described) {
    checkDistance(distance, described);
    long pair = (long) first << 32 | second;
    Integer before = known.putIfAbsent(pair, count);
    if (before == null) {
      append(first, second, distance);
      deviations[count - 1] = deviation;
      return;
    }
    if (duplicates == Duplicates.ERROR) {
      if (distances[before] != distance) {
        throw new NetworkException(
            String.format(
                Locale.ROOT,
                "%s is given twice, as %s and as %s; keep one, or set measurements.duplicates to"
                    + " weighted_mean or median",
                described.get(),
                distances[before],
                distance));
      }
      return;
    }
    repeated
        .computeIfAbsent(before, row -> new Readings(distances[row], deviations[row]))
        .add(distance, deviation);
  }

  /** How many pairs have more than one distance. */
  public int repeatedPairs() {
    return repeated.size();
  }

  /**
   * What holds for every distance.
   *
   * @throws NetworkException where it is negative or not finite
   */
  static void checkDistance(double distance, Supplier<String> described) {
    if (!(distance >= 0 && Double.isFinite(distance))) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "%s is %s; a distance is a number of at least 0",
              described.get(),
              distance));
    }
  }

  /** As {@link #add}, for a distance that is right and a pair that is new. */
  void append(int first, int second, double distance) {
    if (count == distances.length) {
      pairs = Arrays.copyOf(pairs, 4 * count);
      distances = Arrays.copyOf(distances, 2 * count);
      deviations = Arrays.copyOf(deviations, 2 * count);
    }
    pairs[2 * count] = first;
    pairs[2 * count + 1] = second;
    distances[count++] = distance;
  }

  Ranges toRanges() {
    repeated.forEach(
        (row, readings) -> {
          distances[row] = readings.combined(duplicates);
          deviations[row] = readings.deviation();
        });
    return new Ranges(
        Arrays.copyOf(pairs, 2 * count),
        Arrays.copyOf(distances, count),
        Arrays.copyOf(deviations, count));
  }

  /** Distances of one pair. */
  private static final class Readings {
    private double[] values = new double[4];
    private double[] sigmas = new double[4];
    private int size;

    Readings(double first, double sigma) {
      add(first, sigma);
    }

    void add(double value, double sigma) {
      if (size == values.length) {
        values = Arrays.copyOf(values, 2 * size);
        sigmas = Arrays.copyOf(sigmas, 2 * size);
      }
      values[size] = value;
      sigmas[size++] = sigma;
    }

    double combined(Duplicates how) {
      if (how == Duplicates.MEDIAN) {
        double[] sorted = Arrays.copyOf(values, size);
        Arrays.sort(sorted);
        return (sorted[(size - 1) / 2] + sorted[size / 2]) / 2;
      }
      double sum = 0;
      double weights = 0;
      for (int i = 0; i < size; i++) {
        double weight = haveSigmas() ? 1 / (sigmas[i] * sigmas[i]) : 1;
        sum += weight * values[i];
        weights += weight;
      }
      return sum / weights;
    }

    /** Of the combined distance: by how far the readings spread, and by what is known of each. */
    double deviation() {
      double mean = Arrays.stream(values, 0, size).sum() / size;
      double squares = 0;
      double weights = 0;
      for (int i = 0; i < size; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
        weights += haveSigmas() ? 1 / (sigmas[i] * sigmas[i]) : 0;
      }
      double bySpread = Math.sqrt(squares / (size - 1) / size);
      return weights > 0 ? Math.max(bySpread, 1 / Math.sqrt(weights)) : bySpread;
    }

    private boolean haveSigmas() {
      for (int i = 0; i < size; i++) {
        if (!(sigmas[i] > 0)) {
          return false;
        }
      }
      return true;
    }
  }
}
