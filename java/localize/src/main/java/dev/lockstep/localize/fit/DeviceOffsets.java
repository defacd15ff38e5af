package dev.lockstep.localize.fit;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.Noise;
import dev.lockstep.localize.network.Ranges;
import java.util.Arrays;
import java.util.Locale;

/**
 * What each device adds to all of its distances, as the delay of an antenna does, estimated along
 * with the positions: a distance is measured as what it is, plus the offsets of both ends, plus
 * noise. Offsets are taken as normally distributed about 0 ({@link Noise#offset}), so that they are
 * determined even where the distances alone leave them open. Arrays are not to be changed.
 *
 * @param positions f64[sensors × dimension], fitted along
 * @param covariances f64[sensors × dimension × dimension], of first order, for unknown offsets
 * @param offsets f64[sensors + anchors], in the unit of length
 * @param deviations f64[sensors + anchors]: their standard deviations
 * @param network with the offsets taken from its distances; those shorter than the offsets of their
 *     ends are negative then, as far off as they are
 * @param surprise Σ (offset / its standard deviation before)²: what joins chi-square
 */
@SuppressWarnings("ArrayRecordComponent") // Read once, never compared.
public record DeviceOffsets(
    double[] positions,
    double[] covariances,
    double[] offsets,
    double[] deviations,
    Network network,
    double surprise) {
  /** Coordinates and offsets; each step takes their third power. */
  private static final int MOST_UNKNOWNS = 1200;

  private static final int MOST_STEPS = 100;

  /** Relative decrease of the cost at which the fit ends. */
  private static final double SETTLED = 1e-10;

  private static final double FIRST_DAMPING = 1e-6;
  private static final double MOST_DAMPING = 1e8;

  /**
   * Fits positions and offsets: Levenberg–Marquardt with a dense factorisation.
   *
   * @param start f64[sensors × dimension]
   * @param huber threshold of Huber's loss in standard deviations; 0: least squares
   * @throws NetworkException for a network of more than some hundred sensors
   */
  public static DeviceOffsets fit(Network network, double[] start, Noise noise, double huber) {
    int unknowns = network.sensors() * network.dimension() + network.sensors() + network.anchors();
    if (unknowns > MOST_UNKNOWNS) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "measurements.device_offsets is for networks of up to %,d coordinates and offsets;"
                  + " this one has %,d",
              MOST_UNKNOWNS,
              unknowns));
    }
    return new Fit(network, start, noise, huber).run();
  }

  /**
   * The network as positions can be fitted to it: no two places are nearer than 0, so that negative
   * distances count as 0. How well it fits is judged by {@link #network}.
   */
  public Network locatable() {
    return network.withRanges(
        withoutNegative(network.sensorRanges()), withoutNegative(network.anchorRanges()));
  }

  private static Ranges withoutNegative(Ranges ranges) {
    return new Ranges(
        ranges.pairs(),
        Arrays.stream(ranges.distances()).map(distance -> Math.max(0, distance)).toArray(),
        ranges.deviations());
  }

  private static final class Fit {
    private final Network network;
    private final Noise noise;
    private final double huber;
    private final int d;
    private final int places;

    /** Coordinates of the sensors, then the offsets of sensors and anchors. */
    private double[] x;

    private final double[][] normal;
    private final double[] gradient;

    /** Of one distance. */
    private final int[] columns;

    private final double[] row;

    Fit(Network network, double[] start, Noise noise, double huber) {
      this.network = network;
      this.noise = noise;
      this.huber = huber;
      d = network.dimension();
      places = start.length;
      x = Arrays.copyOf(start, places + network.sensors() + network.anchors());
      normal = new double[x.length][x.length];
      gradient = new double[x.length];
      columns = new int[2 * d + 2];
      row = new double[2 * d + 2];
    }

    DeviceOffsets run() {
      double damping = FIRST_DAMPING;
      for (int step = 0; step < MOST_STEPS && damping < MOST_DAMPING; step++) {
        double[] deviations = deviations();
        double before = linearise(deviations);
        double[] trial = trial(damping);
        double after = cost(trial, deviations);
        if (!(after < before)) {
          damping *= 10;
          continue;
        }
        x = trial;
        damping = Math.max(damping / 10, 1e-12);
        if (before - after < SETTLED * before) {
          break;
        }
      }
      linearise(deviations());
      return result();
    }

    private double[] trial(double damping) {
      double[][] factor = new double[x.length][];
      for (int i = 0; i < x.length; i++) {
        factor[i] = Arrays.copyOf(normal[i], i + 1);
        factor[i][i] *= 1 + damping;
      }
      Cholesky.factorise(factor);
      double[] step = gradient.clone();
      Cholesky.solve(factor, step);
      double[] trial = x.clone();
      for (int i = 0; i < x.length; i++) {
        trial[i] -= step[i];
      }
      return trial;
    }

    private DeviceOffsets result() {
      double[][] factor = new double[x.length][];
      for (int i = 0; i < x.length; i++) {
        factor[i] = Arrays.copyOf(normal[i], i + 1);
      }
      Cholesky.factorise(factor);
      double[] covariances = new double[places * d];
      double[] deviations = new double[x.length - places];
      double[] column = new double[x.length];
      for (int i = 0; i < x.length; i++) {
        Arrays.fill(column, 0);
        column[i] = 1;
        Cholesky.solve(factor, column);
        if (i < places) {
          System.arraycopy(column, i / d * d, covariances, i * d, d);
        } else {
          deviations[i - places] = Math.sqrt(column[i]);
        }
      }
      double surprise = 0;
      for (int i = places; i < x.length; i++) {
        surprise += x[i] * x[i] / (noise.offset() * noise.offset());
      }
      Network corrected =
          network.withRanges(
              corrected(network.sensorRanges(), network.sensors(), true),
              corrected(network.anchorRanges(), network.sensors(), false));
      return new DeviceOffsets(
          Arrays.copyOf(x, places),
          covariances,
          Arrays.copyOfRange(x, places, x.length),
          deviations,
          corrected,
          surprise);
    }

    private Ranges corrected(Ranges ranges, int sensors, boolean isBetween) {
      double[] distances = ranges.distances().clone();
      for (int range = 0; range < distances.length; range++) {
        int to = ranges.second(range) + (isBetween ? 0 : sensors);
        double offsets = x[places + ranges.first(range)] + x[places + to];
        distances[range] -= offsets;
      }
      return new Ranges(ranges.pairs(), distances, ranges.deviations());
    }

    /** By where the sensors are now, as in the refinement. */
    private double[] deviations() {
      double[] deviations = new double[network.ranges()];
      int between = network.sensorRanges().count();
      double least = 1e-3 * GoodnessOfFit.meanRange(network.sensorRanges(), network.anchorRanges());
      for (int range = 0; range < deviations.length; range++) {
        Ranges ranges = range < between ? network.sensorRanges() : network.anchorRanges();
        int row = range < between ? range : range - between;
        double measured = ranges.distances()[row];
        deviations[range] =
            noise.deviation(
                GoodnessOfFit.located(network, x, range),
                measured,
                ranges.deviations()[row],
                least);
      }
      return deviations;
    }

    private double residual(double[] at, int range, double deviation) {
      int between = network.sensorRanges().count();
      boolean isBetween = range < between;
      Ranges ranges = isBetween ? network.sensorRanges() : network.anchorRanges();
      int row = isBetween ? range : range - between;
      double offsets = at[places + ranges.first(row)] + at[other(range)];
      return (ranges.distances()[row] - GoodnessOfFit.located(network, at, range) - offsets)
          / deviation;
    }

    /** Where the offset of the second end stands. */
    private int other(int range) {
      int between = network.sensorRanges().count();
      return range < between
          ? places + network.sensorRanges().second(range)
          : places + network.sensors() + network.anchorRanges().second(range - between);
    }

    private double cost(double[] at, double[] deviations) {
      double sum = 0;
      for (int range = 0; range < deviations.length; range++) {
        double size = Math.abs(residual(at, range, deviations[range]));
        sum += huber > 0 && size > huber ? huber * (size - huber / 2) : size * size / 2;
      }
      for (int i = places; i < at.length; i++) {
        sum += at[i] * at[i] / (2 * noise.offset() * noise.offset());
      }
      return sum;
    }

    /** Normal matrix (lower triangle) and gradient. @return the cost */
    private double linearise(double[] deviations) {
      for (double[] row : normal) {
        Arrays.fill(row, 0);
      }
      Arrays.fill(gradient, 0);
      double precision = 1 / (noise.offset() * noise.offset());
      for (int i = places; i < x.length; i++) {
        normal[i][i] = precision;
        gradient[i] = precision * x[i];
      }
      for (int range = 0; range < deviations.length; range++) {
        int width = fillRow(range, deviations[range]);
        double residual = residual(x, range, deviations[range]);
        double weight = huber > 0 ? Math.min(1, huber / Math.abs(residual)) : 1;
        for (int a = 0; a < width; a++) {
          gradient[columns[a]] -= weight * residual * row[a];
          for (int b = 0; b < width; b++) {
            if (columns[b] <= columns[a]) {
              normal[columns[a]][columns[b]] += weight * row[a] * row[b];
            }
          }
        }
      }
      return cost(x, deviations);
    }

    /** The derivative of a standardised distance, of which so many numbers are not 0. */
    private int fillRow(int range, double deviation) {
      boolean isBetween = range < network.sensorRanges().count();
      Ranges ranges = isBetween ? network.sensorRanges() : network.anchorRanges();
      int number = isBetween ? range : range - network.sensorRanges().count();
      int from = ranges.first(number);
      int to = ranges.second(number);
      double scale = deviation * Math.max(GoodnessOfFit.located(network, x, range), 1e-300);
      int width = 0;
      for (int axis = 0; axis < d; axis++) {
        double there = isBetween ? x[to * d + axis] : network.anchor(to, axis);
        columns[width] = from * d + axis;
        row[width++] = (x[from * d + axis] - there) / scale;
        if (isBetween) {
          columns[width] = to * d + axis;
          row[width] = -row[width - 1];
          width++;
        }
      }
      for (int end : new int[] {places + from, other(range)}) {
        columns[width] = end;
        row[width++] = 1 / deviation;
      }
      return width;
    }
  }
}
