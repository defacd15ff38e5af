package dev.lockstep.localize;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Ranges;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * How a network follows another: which sensors were there before, by name, and where all of them
 * may be, for those that joined from whom they measured.
 *
 * @param kept of each sensor its number before, −1 for those that joined
 * @param positions f64[sensors × dimension]
 */
@SuppressWarnings("ArrayRecordComponent") // Inside the package only, never compared.
record Succession(int[] kept, double[] positions) {

  /**
   * Compares two networks of one dimension.
   *
   * @param last the positions of the network before
   */
  static Succession of(Network before, double[] last, Network after) {
    Map<String, Integer> numbers = new HashMap<>();
    for (int sensor = 0; sensor < before.sensors(); sensor++) {
      numbers.put(before.sensorName(sensor), sensor);
    }
    int d = after.dimension();
    int[] kept = new int[after.sensors()];
    double[] positions = new double[after.sensors() * d];
    for (int sensor = 0; sensor < kept.length; sensor++) {
      kept[sensor] = numbers.getOrDefault(after.sensorName(sensor), -1);
      if (kept[sensor] >= 0) {
        System.arraycopy(last, kept[sensor] * d, positions, sensor * d, d);
      }
    }
    boolean[] placed = new boolean[kept.length];
    for (int sensor = 0; sensor < kept.length; sensor++) {
      placed[sensor] = kept[sensor] >= 0;
    }
    guess(after, placed, positions);
    return new Succession(kept, positions);
  }

  /**
   * Places the sensors that are not: at the mean of the anchors and placed sensors that each
   * measures to, the near ones counting more; those that only measure to others without a place
   * come after these.
   *
   * @param placed which sensors are; all of them afterwards
   */
  static void guess(Network network, boolean[] placed, double[] positions) {
    int missing = 0;
    for (boolean known : placed) {
      missing += known ? 0 : 1;
    }
    while (missing > 0) {
      WeightedMeans means = new WeightedMeans(network, placed, positions);
      int left = missing;
      for (int sensor = 0; sensor < placed.length; sensor++) {
        if (!placed[sensor] && means.place(sensor, positions)) {
          left--;
        }
      }
      if (left == missing) {
        throw new IllegalStateException("a network that hangs together leaves no sensor behind");
      }
      missing = left;
      means.markPlaced(placed);
    }
  }

  /** Sums over what each sensor that is not placed measures to. */
  private static final class WeightedMeans {
    private final int dimension;
    private final double[] sums;
    private final double[] weights;

    WeightedMeans(Network network, boolean[] placed, double[] positions) {
      dimension = network.dimension();
      sums = new double[positions.length];
      weights = new double[placed.length];
      Ranges toAnchors = network.anchorRanges();
      double[] anchors = network.anchorPositions();
      for (int range = 0; range < toAnchors.count(); range++) {
        int sensor = toAnchors.first(range);
        if (!placed[sensor]) {
          add(sensor, anchors, toAnchors.second(range), toAnchors.distances()[range]);
        }
      }
      Ranges between = network.sensorRanges();
      for (int range = 0; range < between.count(); range++) {
        int first = between.first(range);
        int second = between.second(range);
        double distance = between.distances()[range];
        if (placed[first] && !placed[second]) {
          add(second, positions, first, distance);
        } else if (placed[second] && !placed[first]) {
          add(first, positions, second, distance);
        }
      }
    }

    private void add(int sensor, double[] points, int point, double distance) {
      double weight = 1 / Math.max(distance, 1e-12);
      weights[sensor] += weight;
      for (int axis = 0; axis < dimension; axis++) {
        sums[sensor * dimension + axis] += weight * points[point * dimension + axis];
      }
    }

    boolean place(int sensor, double[] positions) {
      if (weights[sensor] == 0) {
        return false;
      }
      for (int axis = 0; axis < dimension; axis++) {
        int at = sensor * dimension + axis;
        positions[at] = sums[at] / weights[sensor];
      }
      return true;
    }

    void markPlaced(boolean[] placed) {
      for (int sensor = 0; sensor < placed.length; sensor++) {
        placed[sensor] |= weights[sensor] > 0;
      }
    }
  }

  @Override
  public String toString() {
    long stayed = Arrays.stream(kept).filter(number -> number >= 0).count();
    return stayed + " of " + kept.length + " sensors were there before";
  }
}
