package dev.lockstep.localize;

/**
 * Measured distances between pairs. Not copied, and not to be changed.
 *
 * @param pairs i32[count × 2]: two sensors, or a sensor and an anchor
 * @param distances f64[count], in the anchors' unit of length
 * @param deviations f64[count]: what is known of each distance's standard deviation by itself; 0
 *     where nothing is
 */
@SuppressWarnings("ArrayRecordComponent") // Inside the package only, never compared.
record Ranges(int[] pairs, double[] distances, double[] deviations) {
  int count() {
    return distances.length;
  }

  int first(int range) {
    return pairs[2 * range];
  }

  int second(int range) {
    return pairs[2 * range + 1];
  }
}
