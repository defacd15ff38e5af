package dev.lockstep.localize.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/**
 * Sensors that can move without a distance changing, told before anything is located: a network is
 * rigid at all generic places or at none, so that the rank of its rigidity matrix at random ones
 * decides (Asimow and Roth, Trans. AMS 245, 1978). Who can move is where the null space is not
 * zero.
 */
final class Flexibility {
  /** Coordinates; the factorisation takes their third power. */
  private static final int MOST_UNKNOWNS = 900;

  /** Beside which a pivot of a matrix of size 1 is 0: what rounding leaves of it is smaller. */
  private static final double NOTHING = 1e-10;

  private static final double MOVES = 1e-4;
  private static final int NAMED = 8;

  private final Network network;
  private final int d;
  private final int unknowns;
  private final double[] places;
  private final double[][] normal;

  private Flexibility(Network network) {
    this.network = network;
    d = network.dimension();
    unknowns = d * network.sensors();
    places = new double[d * (network.sensors() + network.anchors())];
    Random random = new Random(1);
    for (int i = 0; i < places.length; i++) {
      places[i] = random.nextGaussian();
    }
    normal = new double[unknowns][unknowns];
    add(network.sensorRanges(), 0, true);
    add(network.anchorRanges(), network.sensors(), false);
  }

  /** A sentence; none where nothing can move, and of networks of some hundred sensors and more. */
  static List<String> describe(Network network) {
    if (network.dimension() * network.sensors() > MOST_UNKNOWNS) {
      return List.of();
    }
    List<Integer> moving = new Flexibility(network).moving();
    if (moving.isEmpty()) {
      return List.of();
    }
    List<String> names = moving.stream().limit(NAMED).map(network::sensorName).toList();
    int more = moving.size() - names.size();
    return List.of(
        String.format(
            Locale.ROOT,
            "Not rigid: %s%s can move without a distance changing, and are not determined; measure"
                + " to more stations from there",
            String.join(", ", names),
            more > 0 ? String.format(Locale.ROOT, " and %,d more", more) : ""));
  }

  /** Unit vectors along the distances: of the rigidity matrix, its product with its transpose. */
  private void add(Ranges ranges, int offset, boolean isBetweenSensors) {
    double[] unit = new double[d];
    for (int range = 0; range < ranges.count(); range++) {
      int from = d * ranges.first(range);
      int to = d * (offset + ranges.second(range));
      double square = 0;
      for (int axis = 0; axis < d; axis++) {
        unit[axis] = places[from + axis] - places[to + axis];
        square += unit[axis] * unit[axis];
      }
      for (int i = 0; i < d; i++) {
        for (int j = 0; j < d; j++) {
          double value = unit[i] * unit[j] / square;
          normal[from + i][from + j] += value;
          if (isBetweenSensors) {
            normal[to + i][to + j] += value;
            normal[from + i][to + j] -= value;
            normal[to + i][from + j] -= value;
          }
        }
      }
    }
  }

  /** Eliminates with the greatest pivot of the diagonal; what is left without one is free. */
  private List<Integer> moving() {
    int[] order = new int[unknowns];
    for (int i = 0; i < unknowns; i++) {
      order[i] = i;
    }
    int rank = 0;
    for (; rank < unknowns; rank++) {
      int best = rank;
      for (int k = rank + 1; k < unknowns; k++) {
        if (normal[order[k]][order[k]] > normal[order[best]][order[best]]) {
          best = k;
        }
      }
      int pivot = order[best];
      order[best] = order[rank];
      order[rank] = pivot;
      if (!(normal[pivot][pivot] > NOTHING)) {
        break;
      }
      eliminate(order, rank, pivot);
    }
    return free(order, rank);
  }

  /** Row k of the rest less its share of the pivot's; the shares stay in the pivot's column. */
  private void eliminate(int[] order, int rank, int pivot) {
    double[] pivotRow = normal[pivot];
    for (int k = rank + 1; k < unknowns; k++) {
      double[] row = normal[order[k]];
      double share = row[pivot] / pivotRow[pivot];
      if (share == 0) {
        continue;
      }
      for (int l = rank + 1; l < unknowns; l++) {
        row[order[l]] -= share * pivotRow[order[l]];
      }
    }
  }

  /** Sensors with a coordinate that moves when one without a pivot does: back substitution. */
  private List<Integer> free(int[] order, int rank) {
    boolean[] moves = new boolean[network.sensors()];
    double[] motion = new double[unknowns];
    for (int free = rank; free < unknowns; free++) {
      Arrays.fill(motion, 0);
      motion[order[free]] = 1;
      for (int k = rank - 1; k >= 0; k--) {
        double[] row = normal[order[k]];
        double sum = row[order[free]];
        for (int l = k + 1; l < rank; l++) {
          sum += row[order[l]] * motion[order[l]];
        }
        motion[order[k]] = -sum / row[order[k]];
      }
      for (int i = 0; i < unknowns; i++) {
        moves[i / d] |= Math.abs(motion[i]) > MOVES;
      }
    }
    List<Integer> moving = new ArrayList<>();
    for (int sensor = 0; sensor < moves.length; sensor++) {
      if (moves[sensor]) {
        moving.add(sensor);
      }
    }
    return moving;
  }
}
