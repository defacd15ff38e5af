package dev.lockstep.localize.network;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Whether every sensor can be located at all: d distances leave a point in d dimensions two places
 * at most, a mirror image that the result tells, and d + 1 anchors fix a part of the network that
 * hangs together. Native code has the same rule; this one knows the sensors' names.
 */
public final class References {
  /** More names than this help nobody. */
  private static final int NAMED = 8;

  private final Network network;

  private References(Network network) {
    this.network = network;
  }

  /**
   * The network itself.
   *
   * @throws NetworkException naming the sensors that cannot be located
   */
  public static Network checked(Network network) {
    new References(network).check();
    return network;
  }

  /** The sensors that cannot be located, in order; for a network with enough anchors. */
  static BitSet lost(Network network) {
    References references = new References(network);
    BitSet lost = references.withFewRanges();
    lost.or(references.ofPartsWithFewAnchors());
    return lost;
  }

  private void check() {
    int d = network.dimension();
    if (network.anchors() <= d) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "there are too few anchors: %d, but positions in %d-D need at least %d",
              network.anchors(),
              d,
              d + 1));
    }
    if (network.sensors() == 0) {
      throw new NetworkException("there are no sensors; add ranges from sensors");
    }
    BitSet apart = ofPartsWithFewAnchors();
    if (!apart.isEmpty()) {
      throw new NetworkException(
          String.format(
                  Locale.ROOT,
                  "a part of the network is disconnected: no chain of ranges connects %s to at least %d",
                  names(apart),
                  d + 1)
              + " anchors; add ranges or leave them out");
    }
    BitSet few = withFewRanges();
    if (!few.isEmpty()) {
      throw new NetworkException(
          String.format(
                  Locale.ROOT,
                  "%s %s too few ranges to be located; each needs ranges to at least %d anchors or sensors",
                  names(few),
                  few.cardinality() == 1 ? "has" : "have",
                  d)
              + " that can be located; add ranges or leave them out");
    }
  }

  /** Who cannot be located is of no use to others: sensors drop out until all that stay have d. */
  private BitSet withFewRanges() {
    BitSet few = new BitSet();
    int dropped;
    do {
      dropped = few.cardinality();
      int[] references = references(few);
      for (int sensor = 0; sensor < references.length; sensor++) {
        if (references[sensor] < network.dimension()) {
          few.set(sensor);
        }
      }
    } while (few.cardinality() > dropped);
    return few;
  }

  private int[] references(BitSet without) {
    int[] references = new int[network.sensors()];
    Ranges between = network.sensorRanges();
    for (int range = 0; range < between.count(); range++) {
      int first = between.first(range);
      int second = between.second(range);
      references[first] += without.get(second) ? 0 : 1;
      references[second] += without.get(first) ? 0 : 1;
    }
    Ranges toAnchors = network.anchorRanges();
    for (int range = 0; range < toAnchors.count(); range++) {
      references[toAnchors.first(range)]++;
    }
    return references;
  }

  private BitSet ofPartsWithFewAnchors() {
    int[] part = parts();
    Map<Integer, BitSet> anchorsOf = new HashMap<>();
    Ranges toAnchors = network.anchorRanges();
    for (int range = 0; range < toAnchors.count(); range++) {
      anchorsOf
          .computeIfAbsent(part[toAnchors.first(range)], p -> new BitSet())
          .set(toAnchors.second(range));
    }
    int[] sizes = new int[part.length];
    for (int root : part) {
      sizes[root]++;
    }
    BitSet lost = new BitSet();
    for (int sensor = 0; sensor < part.length; sensor++) {
      BitSet anchors = anchorsOf.get(part[sensor]);
      boolean few = anchors == null || anchors.cardinality() <= network.dimension();
      // A sensor on its own needs no more than any other: d ranges.
      lost.set(sensor, few && sizes[part[sensor]] > 1);
    }
    return lost;
  }

  /** Of each sensor, one that stands for the part of the network it is in: union by index. */
  private int[] parts() {
    int[] parent = new int[network.sensors()];
    for (int sensor = 0; sensor < parent.length; sensor++) {
      parent[sensor] = sensor;
    }
    Ranges between = network.sensorRanges();
    for (int range = 0; range < between.count(); range++) {
      int first = root(parent, between.first(range));
      int second = root(parent, between.second(range));
      parent[Math.max(first, second)] = Math.min(first, second);
    }
    for (int sensor = 0; sensor < parent.length; sensor++) {
      parent[sensor] = root(parent, sensor);
    }
    return parent;
  }

  private static int root(int[] parent, int sensor) {
    int at = sensor;
    while (parent[at] != at) {
      parent[at] = parent[parent[at]];
      at = parent[at];
    }
    return at;
  }

  private String names(BitSet sensors) {
    int count = sensors.cardinality();
    List<String> first = new ArrayList<>();
    sensors.stream().limit(NAMED).forEach(sensor -> first.add(network.sensorName(sensor)));
    String listed = first.stream().collect(Collectors.joining(", "));
    String more = count > NAMED ? String.format(Locale.ROOT, " and %,d more", count - NAMED) : "";
    return (count == 1 ? "sensor " : "sensors ") + listed + more;
  }
}
