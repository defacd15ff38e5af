package dev.lockstep.localize;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Whether every sensor can be located at all: d + 1 distances fix a point in d dimensions, and so
 * many anchors fix a part of the network that hangs together.
 */
final class References {
  /** More names than this help nobody. */
  private static final int NAMED = 8;

  private final Network network;
  private final int needed;

  private References(Network network) {
    this.network = network;
    needed = network.dimension() + 1;
  }

  /**
   * The network itself.
   *
   * @throws NetworkException naming the sensors that cannot be located
   */
  static Network checked(Network network) {
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
    if (network.anchors() < needed) {
      throw new NetworkException(
          "there are too few anchors: %d, but positions in %d-D need at least %d"
              .formatted(network.anchors(), network.dimension(), needed));
    }
    if (network.sensors() == 0) {
      throw new NetworkException("there are no sensors; add ranges from sensors");
    }
    BitSet apart = ofPartsWithFewAnchors();
    if (!apart.isEmpty()) {
      throw new NetworkException(
          "the network falls apart: no chain of ranges connects %s to at least %d anchors; add"
                  .formatted(names(apart), needed)
              + " ranges or leave them out");
    }
    BitSet few = withFewRanges();
    if (!few.isEmpty()) {
      throw new NetworkException(
          "%s %s fewer than %d ranges, too few to be located; add ranges or leave them out"
              .formatted(names(few), few.cardinality() == 1 ? "has" : "have", needed));
    }
  }

  private BitSet withFewRanges() {
    int[] degree = new int[network.sensors()];
    Ranges between = network.sensorRanges();
    for (int range = 0; range < between.count(); range++) {
      degree[between.first(range)]++;
      degree[between.second(range)]++;
    }
    Ranges toAnchors = network.anchorRanges();
    for (int range = 0; range < toAnchors.count(); range++) {
      degree[toAnchors.first(range)]++;
    }
    BitSet few = new BitSet();
    for (int sensor = 0; sensor < degree.length; sensor++) {
      few.set(sensor, degree[sensor] < needed);
    }
    return few;
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
    BitSet lost = new BitSet();
    for (int sensor = 0; sensor < part.length; sensor++) {
      BitSet anchors = anchorsOf.get(part[sensor]);
      lost.set(sensor, anchors == null || anchors.cardinality() < needed);
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
    String more = count > NAMED ? " and %,d more".formatted(count - NAMED) : "";
    return (count == 1 ? "sensor " : "sensors ") + listed + more;
  }
}
