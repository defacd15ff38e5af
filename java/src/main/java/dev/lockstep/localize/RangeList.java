package dev.lockstep.localize;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.Supplier;

/** Distances as they are read, each checked. Not thread-safe. */
final class RangeList {
  private final Map<Long, Integer> known = new HashMap<>();
  private int[] pairs = new int[64];
  private double[] distances = new double[32];
  private int count;

  /**
   * Adds a distance; the same value for the same pair once more adds nothing.
   *
   * @param described such as "the range from R1 to A2", for messages
   * @throws NetworkException for a distance that is negative or not finite, or another one than
   *     before
   */
  void add(int first, int second, double distance, Supplier<String> described) {
    checkDistance(distance, described);
    long pair = (long) first << 32 | second;
    Integer before = known.putIfAbsent(pair, count);
    if (before != null) {
      if (distances[before] != distance) {
        throw new NetworkException(
            String.format(
                Locale.ROOT,
                "%s is given twice, as %s and as %s; keep one, or their mean",
                described.get(),
                distances[before],
                distance));
      }
      return;
    }
    append(first, second, distance);
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
    }
    pairs[2 * count] = first;
    pairs[2 * count + 1] = second;
    distances[count++] = distance;
  }

  Ranges toRanges() {
    return new Ranges(Arrays.copyOf(pairs, 2 * count), Arrays.copyOf(distances, count));
  }
}
