package dev.lockstep.localize.network;

import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A sensor network: anchors at known positions, sensors at unknown ones, and measured distances
 * between sensors and from sensors to anchors. Positions and distances share one unit of length.
 * Immutable; what {@link #builder} and the readers return has enough anchors and references for
 * every sensor to be located.
 */
public final class Network {
  private final int dimension;
  private final double[] anchorPositions;
  private final @Nullable List<String> anchorNames;
  private final int sensors;
  private final @Nullable List<String> sensorNames;
  private final double @Nullable [] truth;
  private final Ranges sensorRanges;
  private final Ranges anchorRanges;
  private final @Nullable Neighbors neighbors;
  private final double noiseFactor;
  private final int repeatedPairs;
  private final boolean everyRangeHasDeviation;
  private final @Nullable WorldGeodetic plane;
  private final @Nullable String utmZone;

  /** The arrays are the network's from now on; names are null where sensors are only numbered. */
  Network(Parts parts) {
    dimension = parts.dimension;
    anchorPositions = parts.anchorPositions;
    anchorNames = parts.anchorNames;
    sensors = parts.sensors;
    sensorNames = parts.sensorNames;
    truth = parts.truth;
    sensorRanges = parts.sensorRanges;
    anchorRanges = parts.anchorRanges;
    neighbors = parts.neighbors;
    noiseFactor = parts.noiseFactor;
    repeatedPairs = parts.repeatedPairs;
    everyRangeHasDeviation = parts.everyRangeHasDeviation;
    plane = parts.plane;
    utmZone = parts.utmZone;
  }

  /** The same with other distances, whose neighbours are chosen anew; not checked. */
  public Network withRanges(Ranges betweenSensors, Ranges toAnchors) {
    Parts parts = new Parts();
    parts.dimension = dimension;
    parts.anchorPositions = anchorPositions;
    parts.anchorNames = anchorNames;
    parts.sensors = sensors;
    parts.sensorNames = sensorNames;
    parts.truth = truth;
    parts.sensorRanges = betweenSensors;
    parts.anchorRanges = toAnchors;
    parts.noiseFactor = noiseFactor;
    parts.repeatedPairs = repeatedPairs;
    parts.everyRangeHasDeviation = everyRangeHasDeviation;
    parts.plane = plane;
    parts.utmZone = utmZone;
    return new Network(parts);
  }

  /** What a network is made of; checked by who fills it in. */
  static final class Parts {
    int dimension = 2;
    double[] anchorPositions = {};
    @Nullable List<String> anchorNames;
    int sensors;
    @Nullable List<String> sensorNames;
    double @Nullable [] truth;
    Ranges sensorRanges = new RangeList().toRanges();
    Ranges anchorRanges = new RangeList().toRanges();
    @Nullable Neighbors neighbors;
    double noiseFactor = Double.NaN;
    int repeatedPairs;
    boolean everyRangeHasDeviation;
    @Nullable WorldGeodetic plane;
    @Nullable String utmZone;
  }

  /**
   * Begins a network, by names.
   *
   * @param dimension 2 or 3
   * @throws IllegalArgumentException for another dimension
   */
  public static NetworkBuilder builder(int dimension) {
    return new NetworkBuilder(dimension);
  }

  /** 2 or 3. */
  public int dimension() {
    return dimension;
  }

  /** How many sensors there are. */
  public int sensors() {
    return sensors;
  }

  /** How many anchors there are. */
  public int anchors() {
    return anchorPositions.length / dimension;
  }

  /** How many distances there are, between sensors and to anchors. */
  public int ranges() {
    return sensorRanges.count() + anchorRanges.count();
  }

  /** The sensor's name, or its number where it has no other. */
  public String sensorName(int sensor) {
    return sensorNames == null ? Integer.toString(sensor) : sensorNames.get(sensor);
  }

  /** The anchor's name, or its number where it has no other. */
  public String anchorName(int anchor) {
    return anchorNames == null ? Integer.toString(anchor) : anchorNames.get(anchor);
  }

  /** Whether sensors have names beside their numbers. */
  public boolean named() {
    return sensorNames != null;
  }

  /** A copy, f64[anchors × dimension], row by row. */
  public double[] anchorPositions() {
    return anchorPositions.clone();
  }

  /** Where the sensors really are, f64[sensors × dimension], where that is known; a copy. */
  public Optional<double[]> truth() {
    return Optional.ofNullable(truth).map(double[]::clone);
  }

  /** The standard deviation of a range as a fraction of it, as its file says, or NaN. */
  public double noiseFactor() {
    return noiseFactor;
  }

  /** How many pairs of stations were given more than one distance, which were combined. */
  public int repeatedPairs() {
    return repeatedPairs;
  }

  /** The plane that positions are in, where the network's file has latitudes and longitudes. */
  public Optional<WorldGeodetic> tangentPlane() {
    return Optional.ofNullable(plane);
  }

  /** The zone of UTM, as 32N, where the network's file has eastings and northings in zones. */
  public Optional<String> utmZone() {
    return Optional.ofNullable(utmZone);
  }

  /**
   * Whether something is known of each measurement's standard deviation by itself. What is known of
   * anchors does not count: it is part of the distances' deviations, but says nothing of how well
   * they were measured.
   */
  public boolean everyRangeHasDeviation() {
    return everyRangeHasDeviation;
  }

  /** Coordinate {@code axis} of an anchor. */
  public double anchor(int anchor, int axis) {
    return anchorPositions[anchor * dimension + axis];
  }

  public Ranges sensorRanges() {
    return sensorRanges;
  }

  public Ranges anchorRanges() {
    return anchorRanges;
  }

  public @Nullable Neighbors neighbors() {
    return neighbors;
  }

  /**
   * Mean over sensors of the squared distance to the truth; NaN where it is not known.
   *
   * @param positions f64[sensors × dimension]
   */
  public double meanSquaredError(double[] positions) {
    if (truth == null) {
      return Double.NaN;
    }
    double sum = 0;
    for (int i = 0; i < truth.length; i++) {
      sum += (positions[i] - truth[i]) * (positions[i] - truth[i]);
    }
    return sum / sensors;
  }

  /** Two networks are equal when all their numbers and names are. */
  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Network that
        && dimension == that.dimension
        && sensors == that.sensors
        && Arrays.equals(anchorPositions, that.anchorPositions)
        && Arrays.equals(truth, that.truth)
        && Arrays.equals(sensorRanges.pairs(), that.sensorRanges.pairs())
        && Arrays.equals(sensorRanges.distances(), that.sensorRanges.distances())
        && Arrays.equals(sensorRanges.deviations(), that.sensorRanges.deviations())
        && Arrays.equals(anchorRanges.pairs(), that.anchorRanges.pairs())
        && Arrays.equals(anchorRanges.distances(), that.anchorRanges.distances())
        && Arrays.equals(anchorRanges.deviations(), that.anchorRanges.deviations())
        && Objects.equals(sensorNames, that.sensorNames);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(sensorRanges.distances());
  }

  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%,d sensors, %,d anchors, %,d ranges in %d-D",
        sensors,
        anchors(),
        ranges(),
        dimension);
  }
}
