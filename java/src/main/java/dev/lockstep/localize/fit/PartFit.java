package dev.lockstep.localize.fit;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Noise;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * How well the positions of some sensors near each other fit their distances: a small part that is
 * folded wrongly is lost in the chi-square of a large network.
 *
 * @param sensors their numbers, ascending
 * @param chiSquare of the distances of these sensors; one that leads out of the part counts half
 * @param degreesOfFreedom as many of the network's as the part has of its distances
 */
public record PartFit(List<Integer> sensors, double chiSquare, double degreesOfFreedom) {
  private static final int MOST_SENSORS = 32;

  /** Copies the list. */
  public PartFit {
    sensors = List.copyOf(sensors);
  }

  /**
   * Of parts of up to {@value #MOST_SENSORS} sensors: halves along the longer axis, of halves.
   *
   * @param positions f64[sensors × dimension]
   */
  public static List<PartFit> of(Network network, double[] positions, Noise noise) {
    Division division = new Division(network, positions, noise);
    Integer[] all = IntStream.range(0, network.sensors()).boxed().toArray(Integer[]::new);
    division.split(all, 0, all.length);
    return List.copyOf(division.parts);
  }

  /** Whether this part of so many does not fit: by chance once in a thousand networks. */
  public boolean rejects(int ofSoMany) {
    return GoodnessOfFit.rejects(chiSquare, degreesOfFreedom, ofSoMany);
  }

  private static final class Division {
    private final int d;
    private final double[] positions;

    /** Of each sensor: squares of its distances' residuals, and how many there are. */
    private final double[] squares;

    private final double[] distances;

    /** Degrees of freedom of a distance. */
    private final double freedom;

    private final List<PartFit> parts = new ArrayList<>();

    Division(Network network, double[] positions, Noise noise) {
      d = network.dimension();
      this.positions = positions;
      squares = new double[network.sensors()];
      distances = new double[network.sensors()];
      double[] standardised = GoodnessOfFit.standardised(network, positions, noise);
      int between = network.sensorRanges().count();
      for (int range = 0; range < standardised.length; range++) {
        double square = standardised[range] * standardised[range];
        if (range < between) {
          add(network.sensorRanges().first(range), 0.5, square);
          add(network.sensorRanges().second(range), 0.5, square);
        } else {
          add(network.anchorRanges().first(range - between), 1, square);
        }
      }
      freedom = 1 - d * network.sensors() / (double) Math.max(1, network.ranges());
    }

    private void add(int sensor, double share, double square) {
      squares[sensor] += share * square;
      distances[sensor] += share;
    }

    void split(Integer[] sensors, int from, int to) {
      if (to - from <= MOST_SENSORS) {
        List<Integer> numbers = Arrays.stream(sensors, from, to).sorted().toList();
        double chiSquare = numbers.stream().mapToDouble(sensor -> squares[sensor]).sum();
        double count = numbers.stream().mapToDouble(sensor -> distances[sensor]).sum();
        parts.add(new PartFit(numbers, chiSquare, count * freedom));
        return;
      }
      int axis = longestAxis(sensors, from, to);
      Arrays.sort(
          sensors,
          from,
          to,
          Comparator.<Integer>comparingDouble(sensor -> positions[sensor * d + axis])
              .thenComparingInt(sensor -> sensor));
      int middle = (from + to) / 2;
      split(sensors, from, middle);
      split(sensors, middle, to);
    }

    private int longestAxis(Integer[] sensors, int from, int to) {
      int longest = 0;
      double most = -1;
      for (int axis = 0; axis < d; axis++) {
        double least = Double.POSITIVE_INFINITY;
        double greatest = Double.NEGATIVE_INFINITY;
        for (int k = from; k < to; k++) {
          least = Math.min(least, positions[sensors[k] * d + axis]);
          greatest = Math.max(greatest, positions[sensors[k] * d + axis]);
        }
        if (greatest - least > most) {
          most = greatest - least;
          longest = axis;
        }
      }
      return longest;
    }
  }
}
