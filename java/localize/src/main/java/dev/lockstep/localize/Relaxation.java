package dev.lockstep.localize;

import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Ranges;
import java.util.stream.DoubleStream;

/**
 * What the splitting ended in. Its matrix has a row and a column for each sensor beside the
 * dimensions of space; where it has no more than these in rank, positions are all that is in it.
 * That no others fit the squared distances as well follows for a solution of the highest rank, as a
 * cold start approaches it; where the splitting started from positions, they stay whatever else
 * fits.
 *
 * @param positions f64[sensors × dimension]
 * @param excess f64[sensors]: Y_ii − ‖X_i‖², a sensor's variance in further dimensions (So and Ye,
 *     Math. Program. 109, 2007), in squares of the unit of length; 0 where the rank is that of
 *     space
 * @param residual the consensus residual, relative
 */
@SuppressWarnings("ArrayRecordComponent") // A result to be read; compared by nobody.
public record Relaxation(double[] positions, double[] excess, double residual) {
  /** Of the mean distance: what some thousand iterations leave of nothing is less. */
  private static final double TIGHT = 0.05;

  /** Of the mean distance: farther away is another fold. */
  private static final double SAME_FOLD = 0.2;

  private static final double CONVERGED = 1e-3;

  /** Whether a sensor's part of the solution is of the rank of space. */
  boolean isTight(int sensor, double meanDistance) {
    return Math.abs(excess[sensor]) <= TIGHT * TIGHT * meanDistance * meanDistance;
  }

  /** How many sensors' parts are. */
  public int tightSensors(Network network) {
    double mean = meanDistance(network);
    int count = 0;
    for (int sensor = 0; sensor < excess.length; sensor++) {
      count += isTight(sensor, mean) ? 1 : 0;
    }
    return count;
  }

  /** Whether all are, the copies agree, and these positions are in the same fold. */
  boolean isTightAt(Network network, double[] estimate) {
    return residual < CONVERGED
        && isSameFold(network, estimate, positions)
        && tightSensors(network) == excess.length;
  }

  /** Whether no sensor is far from where it is in the other. */
  static boolean isSameFold(Network network, double[] a, double[] b) {
    double farthest = 0;
    for (int i = 0; i < a.length; i++) {
      farthest = Math.max(farthest, Math.abs(a[i] - b[i]));
    }
    return farthest < SAME_FOLD * meanDistance(network);
  }

  private static double meanDistance(Network network) {
    Ranges between = network.sensorRanges();
    return DoubleStream.concat(
            DoubleStream.of(between.distances()),
            DoubleStream.of(network.anchorRanges().distances()))
        .average()
        .orElse(1);
  }
}
