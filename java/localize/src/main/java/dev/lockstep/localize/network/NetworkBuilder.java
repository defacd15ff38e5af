package dev.lockstep.localize.network;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Builds a network from names. A name in a range that is no anchor is a sensor, in order of
 * appearance; but where sensors have been declared ({@link #sensor}), only those exist. Not
 * thread-safe.
 */
public final class NetworkBuilder {
  private final int dimension;
  private final Map<String, Integer> anchors = new HashMap<>();
  private final Map<String, Integer> sensors = new HashMap<>();
  private final List<String> anchorNames = new ArrayList<>();
  private final List<String> sensorNames = new ArrayList<>();
  private final List<double[]> anchorPositions = new ArrayList<>();
  private final List<double[]> truth = new ArrayList<>();
  private final RangeList sensorRanges = new RangeList();
  private final RangeList anchorRanges = new RangeList();
  private boolean declared;
  private final List<Double> anchorDeviations = new ArrayList<>();
  private @Nullable WorldGeodetic plane;
  private @Nullable String utmZone;
  private double noiseFactor = Double.NaN;

  NetworkBuilder(int dimension) {
    if (dimension != 2 && dimension != 3) {
      throw new IllegalArgumentException("The dimension is 2 or 3, not " + dimension + ".");
    }
    this.dimension = dimension;
  }

  /**
   * Adds an anchor; before the ranges that name it.
   *
   * @param position its coordinates, as many as the network has dimensions
   * @throws NetworkException when the name is taken or a coordinate is not finite
   */
  public NetworkBuilder anchor(String name, double... position) {
    checkNew(name);
    checkPosition("anchor " + name, position);
    anchors.put(name, anchors.size());
    anchorNames.add(name);
    anchorPositions.add(inPlane(position));
    anchorDeviations.add(0.0);
    return this;
  }

  /**
   * Says how exactly an anchor's position is known; after {@link #anchor} and before the ranges
   * that name it, whose variances grow by its variance along their direction.
   *
   * @param sigma standard deviation of each coordinate, at least 0
   * @throws NetworkException for a name that is no anchor's, or a sigma that is none
   */
  public NetworkBuilder anchorSigma(String name, double sigma) {
    Integer anchor = anchors.get(name);
    if (anchor == null) {
      throw new NetworkException("there is no anchor " + name);
    }
    anchorDeviations.set(anchor, checkedSigma("anchor " + name, sigma));
    return this;
  }

  /** Positions are latitude, longitude and height from now on, and located in a tangent plane. */
  public NetworkBuilder tangentPlane(WorldGeodetic touching) {
    plane = touching;
    return this;
  }

  /** The zone of UTM that results are written in, too, as 32N. */
  public NetworkBuilder utmZone(String zone) {
    utmZone = zone;
    return this;
  }

  /** What becomes of several distances between the same two stations; weighted_mean otherwise. */
  public NetworkBuilder duplicates(Duplicates how) {
    sensorRanges.combine(how);
    anchorRanges.combine(how);
    return this;
  }

  /**
   * Declares a sensor; before the ranges that name it.
   *
   * @param position where it really is, if that is known (for tests and simulations); else nothing
   * @throws NetworkException when the name is taken, or the positions of only some sensors are
   *     given
   */
  public NetworkBuilder sensor(String name, double... position) {
    checkNew(name);
    if (position.length > 0) {
      checkPosition("sensor " + name, position);
    }
    boolean mixed = position.length > 0 ? truth.size() != sensors.size() : !truth.isEmpty();
    if (mixed) {
      throw new NetworkException(
          "sensor " + name + ": give the true positions of all sensors, or of none");
    }
    declared = true;
    addSensor(name);
    if (position.length > 0) {
      truth.add(inPlane(position));
    }
    return this;
  }

  /**
   * Adds a measured distance. One between two anchors says nothing new and is dropped.
   *
   * @throws NetworkException when it is negative or not a number, from a station to itself, given
   *     before with another value where duplicates are an error, or from or to a sensor that is not
   *     declared while others are
   */
  public NetworkBuilder range(String from, String to, double distance) {
    return range(from, to, distance, 0);
  }

  /**
   * Adds a measured distance whose standard deviation is known.
   *
   * @param sigma in the unit of length; 0 where it is not known
   * @throws NetworkException as above, or when sigma is negative or not finite
   */
  public NetworkBuilder range(String from, String to, double distance, double sigma) {
    String described = "the range from " + from + " to " + to;
    if (from.equals(to)) {
      throw new NetworkException(described + " is from a station to itself; remove it");
    }
    checkedSigma(described, sigma);
    Integer fromAnchor = anchors.get(from);
    Integer toAnchor = anchors.get(to);
    if (fromAnchor != null && toAnchor != null) {
      RangeList.checkDistance(distance, () -> described);
    } else if (fromAnchor != null) {
      anchorRanges.add(sensorNumber(to), fromAnchor, distance, sigma, () -> described);
    } else if (toAnchor != null) {
      anchorRanges.add(sensorNumber(from), toAnchor, distance, sigma, () -> described);
    } else {
      int first = sensorNumber(from);
      int second = sensorNumber(to);
      sensorRanges.add(
          Math.min(first, second), Math.max(first, second), distance, sigma, () -> described);
    }
    return this;
  }

  /**
   * Says what is known of the noise.
   *
   * @param factor the standard deviation of a range as a fraction of it, above 0
   */
  public NetworkBuilder noiseFactor(double factor) {
    noiseFactor = factor;
    return this;
  }

  /**
   * The network.
   *
   * @throws NetworkException when there are too few anchors, or sensors that cannot be located
   */
  public Network build() {
    Network.Parts parts = new Network.Parts();
    parts.dimension = dimension;
    parts.anchorPositions = flat(anchorPositions);
    parts.anchorNames = List.copyOf(anchorNames);
    parts.sensors = sensorNames.size();
    parts.sensorNames = List.copyOf(sensorNames);
    parts.truth = truth.isEmpty() ? null : flat(truth);
    parts.sensorRanges = sensorRanges.toRanges();
    parts.anchorRanges = anchorRanges.toRanges();
    parts.everyRangeHasDeviation =
        parts.sensorRanges.haveDeviations() && parts.anchorRanges.haveDeviations();
    addAnchorDeviations(parts.anchorRanges);
    parts.noiseFactor = noiseFactor;
    parts.plane = plane;
    parts.utmZone = utmZone;
    parts.repeatedPairs = sensorRanges.repeatedPairs() + anchorRanges.repeatedPairs();
    return References.checked(new Network(parts));
  }

  private double[] inPlane(double[] position) {
    return plane == null ? position.clone() : plane.toPlane(position);
  }

  /** After repeated readings are combined: they share the error of their anchor. */
  private void addAnchorDeviations(Ranges ranges) {
    double[] deviations = ranges.deviations();
    for (int range = 0; range < deviations.length; range++) {
      deviations[range] = Math.hypot(deviations[range], anchorDeviations.get(ranges.second(range)));
    }
  }

  private static double checkedSigma(String whose, double sigma) {
    if (!(sigma >= 0 && Double.isFinite(sigma))) {
      throw new NetworkException(
          whose + " has the standard deviation " + sigma + "; it is a number of at least 0");
    }
    return sigma;
  }

  private int sensorNumber(String name) {
    Integer number = sensors.get(name);
    if (number != null) {
      return number;
    }
    if (declared) {
      throw new NetworkException(
          "unknown sensor "
              + name
              + "; it is neither among the anchors nor among the sensors that are listed");
    }
    return addSensor(name);
  }

  private int addSensor(String name) {
    int number = sensors.size();
    sensors.put(name, number);
    sensorNames.add(name);
    return number;
  }

  private void checkNew(String name) {
    if (anchors.containsKey(name) || sensors.containsKey(name)) {
      throw new NetworkException(
          "the name "
              + name
              + " is taken already; every anchor and sensor needs its own, and stands before the"
              + " ranges");
    }
  }

  private void checkPosition(String whose, double[] position) {
    if (position.length != dimension) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "%s has %d coordinates, but the network has %d dimensions",
              whose,
              position.length,
              dimension));
    }
    for (double coordinate : position) {
      if (!Double.isFinite(coordinate)) {
        throw new NetworkException(whose + " has the coordinate " + coordinate);
      }
    }
  }

  private double[] flat(List<double[]> rows) {
    double[] all = new double[rows.size() * dimension];
    for (int i = 0; i < rows.size(); i++) {
      System.arraycopy(rows.get(i), 0, all, i * dimension, dimension);
    }
    return all;
  }
}
