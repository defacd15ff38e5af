package dev.lockstep.localize;

import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.fit.Certainty;
import dev.lockstep.localize.fit.DeviceOffsets;
import dev.lockstep.localize.fit.GoodnessOfFit;
import dev.lockstep.localize.fit.PartFit;
import dev.lockstep.localize.network.Network;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Where the sensors are. All ranks of a group have the same numbers. Arrays are not to be changed.
 *
 * @param network what was located
 * @param positions f64[sensors × dimension]
 * @param relaxation the same before refinement, and how far it is from tight
 * @param covariances f64[sensors × dimension × dimension], in squares of the unit of length; NaN
 *     where the distances do not determine a sensor; those of ambiguous sensors reach to the other
 *     place, by its likelihood
 * @param ambiguous sensors with another place that the distances do not rule out
 * @param offsets of devices, where {@code measurements.device_offsets} asks for them
 * @param iterations of the splitting
 * @param stop why it ended
 * @param objective of the relaxation at the end, at the mean of the copies
 * @param refinementIterations 0 without refinement
 * @param refinementCost half the sum of squared weighted residuals; NaN without refinement
 * @param fit how well the positions fit the distances
 * @param parts the same of groups of sensors near each other
 * @param certainty how far they are to be trusted; without {@code algorithm.uncertainty} by the fit
 *     alone
 * @param history some points of the iteration, in order
 * @param trace the points that {@code algorithm.record} asks for
 * @param seconds of wall time, by phase, in their order
 */
@SuppressWarnings("ArrayRecordComponent") // A result to be read; compared by nobody.
public record Localization(
    Network network,
    double[] positions,
    Relaxation relaxation,
    double[] covariances,
    List<Ambiguity> ambiguous,
    Optional<DeviceOffsets> offsets,
    long iterations,
    Stop stop,
    double objective,
    int refinementIterations,
    double refinementCost,
    GoodnessOfFit fit,
    List<PartFit> parts,
    Certainty certainty,
    List<IterationPoint> history,
    List<IterationPoint> trace,
    Map<String, Double> seconds) {

  /** Why the iteration ended; in the order of the native codes. */
  public enum Stop {
    /** All iterations were done. */
    ITERATIONS,
    /** The consensus residual fell below the tolerance. */
    TOLERANCE,
    /** The best objective was more than 100 iterations old. */
    EARLY
  }

  /** Root mean squared error of the final positions; NaN where the truth is not known. */
  public double rmse() {
    return Math.sqrt(network.meanSquaredError(positions));
  }

  /** Root mean squared error before refinement; NaN where the truth is not known. */
  public double rmseOfSplitting() {
    return Math.sqrt(network.meanSquaredError(relaxation.positions()));
  }

  /**
   * Root of the sum of the variances of a sensor's coordinates: how far off it is expected to be;
   * NaN where the distances do not determine it.
   */
  public double standardDeviation(int sensor) {
    int d = network.dimension();
    double trace = 0;
    for (int axis = 0; axis < d; axis++) {
      trace += covariances[(sensor * d + axis) * d + axis];
    }
    return Math.sqrt(trace);
  }
}
