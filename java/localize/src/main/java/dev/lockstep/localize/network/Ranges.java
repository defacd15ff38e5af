package dev.lockstep.localize.network;

import java.util.Arrays;
import java.util.BitSet;
import java.util.stream.IntStream;

/**
 * Measured distances between pairs. Not copied, and not to be changed.
 *
 * @param pairs i32[count × 2]: two sensors, or a sensor and an anchor
 * @param distances f64[count], in the anchors' unit of length
 * @param deviations f64[count]: what is known of each distance's standard deviation by itself; 0
 *     where nothing is
 */
@SuppressWarnings("ArrayRecordComponent") // Inside the package only, never compared.
public record Ranges(int[] pairs, double[] distances, double[] deviations) {
  public int count() {
    return distances.length;
  }

  /** Whether something is known of each distance's standard deviation by itself. */
  boolean haveDeviations() {
    return Arrays.stream(deviations).allMatch(deviation -> deviation > 0);
  }

  /** Those that are not in {@code left}, where the first of them has the number {@code first}. */
  public Ranges without(BitSet left, int first) {
    int[] kept = IntStream.range(0, count()).filter(range -> !left.get(first + range)).toArray();
    return new Ranges(
        Arrays.stream(kept).flatMap(range -> IntStream.of(first(range), second(range))).toArray(),
        Arrays.stream(kept).mapToDouble(range -> distances[range]).toArray(),
        Arrays.stream(kept).mapToDouble(range -> deviations[range]).toArray());
  }

  public int first(int range) {
    return pairs[2 * range];
  }

  public int second(int range) {
    return pairs[2 * range + 1];
  }
}
