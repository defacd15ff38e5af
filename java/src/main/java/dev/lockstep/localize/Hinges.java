package dev.lockstep.localize;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/**
 * Groups of sensors that hang on two stations only, as a door on its hinges: in the plane they can
 * be folded over the line through these with all distances kept (Hendrickson, SIAM J. Comput. 21,
 * 1992: a network has a unique solution only if it is three-connected). Found before anything is
 * located, from who measured to whom alone.
 */
final class Hinges {
  /** All pairs of stations are tried; larger networks are not looked at. */
  private static final int MOST_SENSORS = 300;

  private static final int NAMED = 6;

  private final Network network;
  private final int sensors;
  private final List<List<Integer>> neighbors = new ArrayList<>();

  private Hinges(Network network) {
    this.network = network;
    sensors = network.sensors();
    for (int point = 0; point < sensors + network.anchors(); point++) {
      neighbors.add(new ArrayList<>());
    }
    join(network.sensorRanges(), 0);
    join(network.anchorRanges(), sensors);
  }

  /** A sentence for each group of two sensors and more; none in space and of large networks. */
  static List<String> describe(Network network) {
    return network.dimension() == 2 && network.sensors() <= MOST_SENSORS
        ? new Hinges(network).describeAll()
        : List.of();
  }

  private void join(Ranges ranges, int offset) {
    for (int range = 0; range < ranges.count(); range++) {
      neighbors.get(ranges.first(range)).add(offset + ranges.second(range));
      neighbors.get(offset + ranges.second(range)).add(ranges.first(range));
    }
  }

  private List<String> describeAll() {
    List<String> sentences = new ArrayList<>();
    BitSet told = new BitSet();
    for (int first = 0; first < neighbors.size(); first++) {
      for (int second = first + 1; second < neighbors.size(); second++) {
        BitSet hanging = hangingOn(first, second);
        hanging.andNot(told);
        if (hanging.cardinality() > 1) {
          told.or(hanging);
          sentences.add(
              String.format(
                  Locale.ROOT,
                  "Not rigid: %s hang on %s and %s only, and can be folded over the line through"
                      + " them; measure from one of them to another station",
                  names(hanging),
                  name(first),
                  name(second)));
        }
      }
    }
    return sentences;
  }

  /** The sensors that no chain of distances joins to an anchor once two stations are taken away. */
  private BitSet hangingOn(int first, int second) {
    BitSet reached = new BitSet(neighbors.size());
    reached.set(sensors, neighbors.size());
    reached.set(first);
    reached.set(second);
    int[] queue = new int[neighbors.size()];
    int end = 0;
    for (int anchor = sensors; anchor < neighbors.size(); anchor++) {
      if (anchor != first && anchor != second) {
        queue[end++] = anchor;
      }
    }
    for (int at = 0; at < end; at++) {
      for (int other : neighbors.get(queue[at])) {
        if (!reached.get(other)) {
          reached.set(other);
          queue[end++] = other;
        }
      }
    }
    reached.flip(0, sensors);
    reached.clear(sensors, neighbors.size());
    return reached;
  }

  private String name(int point) {
    return point < sensors ? network.sensorName(point) : network.anchorName(point - sensors);
  }

  private String names(BitSet group) {
    String first =
        group.stream().limit(NAMED).mapToObj(this::name).collect(Collectors.joining(", "));
    int more = group.cardinality() - NAMED;
    return more > 0 ? first + " and " + more + " more" : first;
  }
}
