package dev.lockstep.localize.network;

import static java.util.Objects.requireNonNull;

import dev.lockstep.data.SplitMix64;
import java.util.BitSet;
import java.util.Locale;

/**
 * Random networks: sensors and anchors uniform in the unit square or cube, distances up to the
 * communication range with multiplicative Gaussian noise, r = d (1 + σ ε). The same seeds give the
 * same network everywhere. A sensor that could not be located (with fewer than d ranges, or in a
 * part of the network that reaches fewer than d + 1 anchors) is placed anew. Takes time linear in
 * the sensors, for a bounded number of neighbours.
 */
public final class NetworkGenerator {
  /** Where so many attempts leave somebody alone, the range is too short for the density. */
  private static final int ROUNDS = 100;

  private final NetworkConfig config;
  private final double noise;
  private final SplitMix64 placing;
  private final long noiseSeed;
  private final int dimension;
  private final double[] sensors;
  private final double[] anchors;

  private NetworkGenerator(NetworkConfig config, MeasurementsConfig measurements) {
    if (config.nSensors() == null
        || config.nAnchors() == null
        || config.communicationRange() == null) {
      throw new IllegalArgumentException(
          "network: needs n_sensors, n_anchors and communication_range to be generated");
    }
    this.config = config;
    noise = measurements.generatedNoise();
    long seed = config.seed() == null ? measurements.seed() : config.seed();
    placing = new SplitMix64(SplitMix64.streamSeed(seed, 0));
    noiseSeed = SplitMix64.streamSeed(measurements.seed(), 1);
    dimension = config.dimension();
    sensors = uniform(config.nSensors());
    anchors = uniform(config.nAnchors());
  }

  /**
   * Generates a network; its truth is known.
   *
   * @throws NetworkException when the communication range is too short for so few sensors
   */
  public static Network generate(NetworkConfig config, MeasurementsConfig measurements) {
    return new NetworkGenerator(config, measurements).generate();
  }

  private Network generate() {
    BitSet lost = new BitSet();
    for (int round = 0; round < ROUNDS; round++) {
      Network network = measured();
      lost = References.lost(network);
      if (lost.isEmpty()) {
        return References.checked(network);
      }
      lost.stream().forEach(this::placeAnew);
    }
    throw new NetworkException(
        String.format(
                Locale.ROOT,
                "network.communication_range %s is too short: %,d of %,d sensors have too few neighbours",
                config.communicationRange(),
                lost.cardinality(),
                config.nSensors())
            + " wherever they are placed; take a longer range or more sensors and anchors");
  }

  private Network measured() {
    double reach = requireNonNull(config.communicationRange());
    SplitMix64 errors = new SplitMix64(noiseSeed);
    Network.Parts parts = new Network.Parts();
    parts.dimension = dimension;
    parts.sensors = requireNonNull(config.nSensors());
    parts.truth = sensors.clone();
    parts.anchorPositions = requireNonNull(anchors);
    // Pairs are found by the grid, so none comes twice, and they come in the order of the sensors.
    RangeList between = new RangeList();
    CellGrid sensorCells = new CellGrid(dimension, sensors, reach);
    RangeList toAnchors = new RangeList();
    CellGrid anchorCells = new CellGrid(dimension, anchors, reach);
    for (int i = 0; i < parts.sensors; i++) {
      int sensor = i;
      sensorCells.visitNear(
          sensors,
          sensor,
          (other, distance) -> {
            if (other > sensor) {
              between.append(sensor, other, noisy(distance, errors));
            }
          });
      anchorCells.visitNear(
          sensors,
          sensor,
          (anchor, distance) -> toAnchors.append(sensor, anchor, noisy(distance, errors)));
    }
    parts.sensorRanges = between.toRanges();
    parts.anchorRanges = toAnchors.toRanges();
    parts.noiseFactor = noise;
    return new Network(parts);
  }

  private double noisy(double distance, SplitMix64 errors) {
    return distance * Math.abs(1 + noise * errors.nextGaussian());
  }

  private double[] uniform(int count) {
    double[] positions = new double[count * dimension];
    for (int i = 0; i < positions.length; i++) {
      positions[i] = placing.nextDouble();
    }
    return positions;
  }

  private void placeAnew(int sensor) {
    for (int axis = 0; axis < dimension; axis++) {
      sensors[sensor * dimension + axis] = placing.nextDouble();
    }
  }
}
