package dev.lockstep.localize.files;

import dev.lockstep.localize.network.NetworkException;
import java.util.Arrays;
import java.util.Locale;
import java.util.function.IntFunction;

/** Numbers that radios write where they have measured nothing. */
final class SuspectRanges {
  /** Of the median distance: what is shorter is no distance between two stations. */
  private static final double SHORTEST = 1e-6;

  /** Of the median distance: what is longer, and a power of two less one or all nines, is none. */
  private static final double LONGEST = 10;

  /** … and whatever it is written like. */
  private static final double LONGEST_OF_ALL = 1000;

  private SuspectRanges() {}

  /**
   * Looks at all distances of a network.
   *
   * @param place of a distance, for the message
   * @throws NetworkException naming the first that stands for no answer
   */
  static void check(double[] distances, IntFunction<String> place) {
    double[] sorted = distances.clone();
    Arrays.sort(sorted);
    double median = sorted.length == 0 ? 0 : sorted[sorted.length / 2];
    for (int row = 0; row < distances.length; row++) {
      double distance = distances[row];
      boolean isNone = distance >= 0 && distance <= SHORTEST * median;
      boolean isLong =
          distance > LONGEST * median
              && (isSentinel(distance) || distance > LONGEST_OF_ALL * median)
              && Double.isFinite(distance);
      if (isNone || isLong) {
        throw new NetworkException(
            String.format(
                Locale.ROOT,
                "%s: the range %s stands for \"no answer\" on many radios, as 0, 65535 and 9999 do"
                    + " (the median of all is %.4g); remove the line",
                place.apply(row),
                distance,
                median));
      }
    }
  }

  /** 2ᵏ − 1 for k = 8, 15, 16, 31, 32, or all nines; in any power of ten's unit. */
  private static boolean isSentinel(double distance) {
    for (int shift = 0; shift <= 6; shift++) {
      double whole = distance * Math.pow(10, shift);
      long digits = Math.round(whole);
      if (Math.abs(whole - digits) > 1e-6 * whole) {
        continue;
      }
      boolean isNines = Long.toString(digits).matches("9{3,}");
      if (isNines
          || digits == 255
          || digits == 32767
          || digits == 65535
          || digits == Integer.MAX_VALUE
          || digits == 0xFFFF_FFFFL) {
        return true;
      }
    }
    return false;
  }
}
