package dev.lockstep.localize;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.internal.NativeGroup;
import dev.lockstep.jni.Native;
import dev.lockstep.localize.fit.Ambiguity;
import dev.lockstep.localize.network.Network;
import dev.lockstep.localize.network.Noise;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.LongFunction;
import java.util.function.Supplier;

/**
 * {@code lockstep/localization.h} over arrays: every call is collective over the group, but {@link
 * #close}. What native code refuses becomes an {@link IllegalArgumentException}.
 */
final class NativeLocalizer implements AutoCloseable {
  private final Communicator group;
  private final int dimension;
  private final SplittingConfig settings;
  private final Noise noise;
  private int sensors;
  private long handle;

  NativeLocalizer(Communicator group, Network network, SplittingConfig settings, Noise noise) {
    this.group = group;
    this.settings = settings;
    this.noise = noise;
    dimension = network.dimension();
    sensors = network.sensors();
    try (NativeNetwork in = new NativeNetwork(network, noise)) {
      handle =
          NativeGroup.of(group)
              .runNative(
                  communicator ->
                      Native.open_localizer(
                          communicator,
                          dimension,
                          sensors,
                          network.anchors(),
                          in.anchorPositions.address(),
                          network.sensorRanges().count(),
                          in.sensorPairs.address(),
                          in.sensorDistances.address(),
                          in.sensorDeviations.address(),
                          network.anchorRanges().count(),
                          in.anchorPairs.address(),
                          in.anchorDistances.address(),
                          in.anchorDeviations.address(),
                          in.neighborOffsets.address(),
                          in.neighbors.address(),
                          settings.maxNeighbors()));
    }
  }

  /** How far off distances are. */
  Noise noise() {
    return noise;
  }

  /** How the iteration stands. */
  record Step(long iteration, double objective, double residual, int stop) {}

  /**
   * Sets up the iteration.
   *
   * @param weights f64[sensors × sensors], empty but for the user's design
   * @param positions f64[sensors × dimension] for a warm start, empty for a cold one
   */
  void start(double[] weights, double[] positions) {
    try (NativeArray given = NativeArray.of(weights);
        NativeArray from = NativeArray.of(positions)) {
      call(
          () ->
              Native.start_localizer(
                  handle,
                  settings.form().ordinal(),
                  settings.design().ordinal(),
                  settings.prox().ordinal(),
                  settings.gamma(),
                  settings.alpha(),
                  settings.tolerance(),
                  settings.earlyTermination(),
                  given.address(),
                  from.address()));
    }
  }

  Step advance(long iterations) {
    try (NativeArray progress = NativeArray.ofDoubles(4)) {
      call(() -> Native.advance_localizer(handle, iterations, progress.address()));
      double[] values = progress.doubles();
      return new Step((long) values[0], values[1], values[2], (int) values[3]);
    }
  }

  double[] positions() {
    try (NativeArray out = NativeArray.ofDoubles(sensors * dimension)) {
      call(() -> Native.read_positions(handle, out.address()));
      return out.doubles();
    }
  }

  /** f64[sensors]: Y_ii − ‖X_i‖². */
  double[] excess() {
    try (NativeArray out = NativeArray.ofDoubles(sensors)) {
      call(() -> Native.read_relaxation_excess(handle, out.address()));
      return out.doubles();
    }
  }

  double meanObjective() {
    return get(() -> Native.read_mean_objective(handle));
  }

  /**
   * Goes on with another network.
   *
   * @param kept of each sensor its number before, −1 for those that join
   * @param positions f64[sensors × dimension], known or guessed
   */
  void replace(Network network, int[] kept, double[] positions) {
    try (NativeNetwork in = new NativeNetwork(network, noise);
        NativeArray numbers = NativeArray.of(kept);
        NativeArray from = NativeArray.of(positions)) {
      call(
          () ->
              Native.replace_network(
                  handle,
                  network.sensors(),
                  network.anchors(),
                  in.anchorPositions.address(),
                  network.sensorRanges().count(),
                  in.sensorPairs.address(),
                  in.sensorDistances.address(),
                  in.sensorDeviations.address(),
                  network.anchorRanges().count(),
                  in.anchorPairs.address(),
                  in.anchorDistances.address(),
                  in.anchorDeviations.address(),
                  in.neighborOffsets.address(),
                  in.neighbors.address(),
                  settings.maxNeighbors(),
                  numbers.address(),
                  from.address()));
      sensors = network.sensors();
    }
  }

  /** What refinement came to. */
  @SuppressWarnings("ArrayRecordComponent") // Read at once, never compared.
  record Refined(double[] positions, double cost, int iterations, boolean converged) {}

  /**
   * Refines positions.
   *
   * @param searches for a fold of lower cost than the one that they are in
   */
  Refined refine(double[] positions, boolean searches) {
    return refine(positions, searches, settings.huber());
  }

  /** … with another threshold of the robust loss. */
  Refined refine(double[] positions, boolean searches, double huber) {
    try (NativeArray inOut = NativeArray.of(positions);
        NativeArray summary = NativeArray.ofDoubles(3)) {
      call(
          () ->
              Native.refine_positions(
                  handle,
                  noise.factor(),
                  huber,
                  settings.refineIterations(),
                  settings.refineTolerance(),
                  searches,
                  inOut.address(),
                  summary.address()));
      double[] values = summary.doubles();
      return new Refined(inOut.doubles(), values[0], (int) values[1], values[2] != 0);
    }
  }

  /** f64[sensors × dimension × dimension]; NaN where the ranges do not determine a sensor. */
  double[] covariances(double[] positions) {
    try (NativeArray in = NativeArray.of(positions);
        NativeArray out = NativeArray.ofDoubles(sensors * dimension * dimension)) {
      call(
          () ->
              Native.read_covariances(
                  handle, noise.factor(), settings.huber(), in.address(), out.address()));
      return out.doubles();
    }
  }

  List<Ambiguity> ambiguities(double[] positions) {
    try (NativeArray in = NativeArray.of(positions);
        NativeArray numbers = NativeArray.ofInts(sensors);
        NativeArray alternatives = NativeArray.ofDoubles(sensors * dimension);
        NativeArray differences = NativeArray.ofDoubles(sensors)) {
      long found =
          get(
              () ->
                  Native.find_ambiguous_sensors(
                      handle,
                      noise.factor(),
                      settings.huber(),
                      in.address(),
                      sensors,
                      numbers.address(),
                      alternatives.address(),
                      differences.address()));
      int[] ambiguous = numbers.ints();
      double[] points = alternatives.doubles();
      double[] costs = differences.doubles();
      List<Ambiguity> all = new ArrayList<>();
      for (int i = 0; i < found; i++) {
        double[] alternative = Arrays.copyOfRange(points, i * dimension, (i + 1) * dimension);
        all.add(new Ambiguity(ambiguous[i], alternative, costs[i]));
      }
      return all;
    }
  }

  @Override
  public void close() {
    if (handle != 0) {
      Native.close_localizer(handle);
      handle = 0;
    }
  }

  /** Through the communicator, which knows what its errors mean. */
  private void call(Runnable operation) {
    get(
        () -> {
          operation.run();
          return 0;
        });
  }

  private <T> T get(Supplier<T> operation) {
    LongFunction<T> ignoringGroup = communicator -> operation.get();
    return NativeGroup.of(group).runNative(ignoringGroup);
  }
}
