package dev.lockstep.localize.network;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Groups of sensors that hang on as many stations as there are dimensions, as a door on its hinges:
 * they can be folded over the line (in space: the plane) through these with all distances kept
 * (Hendrickson, SIAM J. Comput. 21, 1992: a network in d dimensions has a unique solution only if
 * it is (d + 1)-connected). Found before anything is located, from who measured to whom alone: all
 * stations but one of the hinge are taken away in turn, and what is left is searched for
 * articulation points (Hopcroft and Tarjan, Comm. ACM 16, 1973).
 */
final class Hinges {
  /** Steps of the search that take about a second; larger networks are not looked at. */
  private static final double MOST_STEPS = 3e8;

  private static final int NAMED = 6;
  private static final int TOLD = 20;

  private record Hinge(BitSet group, List<Integer> stations) {}

  private final Network network;
  private final int sensors;
  private final int points;

  /** Stands for all anchors together, whose places are known; joined to each of them. */
  private final int ground;

  private final int[][] neighbors;
  private final int[] found;
  private final int[] low;
  private final int[] parent;
  private final int[] next;
  private final int[] order;

  private Hinges(Network network) {
    this.network = network;
    sensors = network.sensors();
    points = sensors + network.anchors();
    ground = points;
    neighbors = joined(network, ground);
    found = new int[points + 1];
    low = new int[points + 1];
    parent = new int[points + 1];
    next = new int[points + 1];
    order = new int[points + 1];
  }

  /** A sentence for each group of two sensors and more, the largest first. */
  static List<String> describe(Network network) {
    double steps = network.ranges() + network.sensors();
    for (int taken = 1; taken < network.dimension(); taken++) {
      steps *= (network.sensors() + network.anchors()) / (double) taken;
    }
    return steps > MOST_STEPS ? List.of() : new Hinges(network).describeAll();
  }

  private static int[][] joined(Network network, int ground) {
    List<List<Integer>> lists = new ArrayList<>();
    for (int point = 0; point <= ground; point++) {
      lists.add(new ArrayList<>());
    }
    for (Ranges ranges : List.of(network.sensorRanges(), network.anchorRanges())) {
      int offset = ranges == network.sensorRanges() ? 0 : network.sensors();
      for (int range = 0; range < ranges.count(); range++) {
        lists.get(ranges.first(range)).add(offset + ranges.second(range));
        lists.get(offset + ranges.second(range)).add(ranges.first(range));
      }
    }
    for (int anchor = network.sensors(); anchor < ground; anchor++) {
      lists.get(anchor).add(ground);
      lists.get(ground).add(anchor);
    }
    return lists.stream()
        .map(list -> list.stream().mapToInt(Integer::intValue).toArray())
        .toArray(int[][]::new);
  }

  private List<String> describeAll() {
    Map<BitSet, List<Integer>> hinges = new LinkedHashMap<>();
    BitSet taken = new BitSet(points);
    for (int first = 0; first < points; first++) {
      taken.set(first);
      if (network.dimension() == 2) {
        hang(taken, hinges);
      } else {
        for (int second = first + 1; second < points; second++) {
          taken.set(second);
          hang(taken, hinges);
          taken.clear(second);
        }
      }
      taken.clear(first);
    }
    List<Hinge> largestFirst = new ArrayList<>();
    hinges.forEach((group, stations) -> largestFirst.add(new Hinge(group, stations)));
    largestFirst.sort(Comparator.comparingInt(hinge -> -hinge.group().cardinality()));
    List<String> sentences = new ArrayList<>();
    BitSet told = new BitSet();
    for (Hinge hinge : largestFirst) {
      if (sentences.size() < TOLD && !told.intersects(hinge.group())) {
        told.or(hinge.group());
        sentences.add(describe(hinge));
      }
    }
    return sentences;
  }

  private String describe(Hinge hinge) {
    int stations = hinge.stations().size();
    String motion =
        stations < network.dimension()
            ? "turn about " + (stations == 1 ? "it" : "them")
            : "be folded over the "
                + (network.dimension() == 2 ? "line" : "plane")
                + " through them";
    return String.format(
        Locale.ROOT,
        "Not rigid: %s hang on %s only, and can %s; measure from one of them to another station",
        names(hinge.group()),
        hinge.stations().stream().map(this::name).collect(Collectors.joining(" and ")),
        motion);
  }

  /** Adds the groups that hang on the taken stations and one more. */
  private void hang(BitSet taken, Map<BitSet, List<Integer>> hinges) {
    int count = search(taken);
    for (int k = 1; k < count; k++) {
      int child = order[k];
      int joint = parent[child];
      if (joint == ground || low[child] < found[joint]) {
        continue;
      }
      BitSet group = new BitSet(points);
      // The child's subtree: what was found from it on until the search went back above it.
      int at = k;
      for (; at < count && (at == k || found[parent[order[at]]] >= found[child]); at++) {
        group.set(order[at]);
      }
      if (group.cardinality() > 1 && group.length() <= sensors) {
        hinges.putIfAbsent(group, stationsOf(group));
        k = at - 1; // a group within this one would not be told beside it
      }
    }
  }

  /** Those outside of a group that it has distances to: not all of the taken ones need be. */
  private List<Integer> stationsOf(BitSet group) {
    BitSet stations = new BitSet(points);
    for (int one = group.nextSetBit(0); one >= 0; one = group.nextSetBit(one + 1)) {
      for (int other : neighbors[one]) {
        if (!group.get(other)) {
          stations.set(other);
        }
      }
    }
    return stations.stream().boxed().toList();
  }

  /**
   * Depth first from the ground, without the taken stations; writes {@code order}, {@code found}
   * (places in it, −1 for who is not reached), {@code parent} and {@code low}.
   *
   * @return how many points are reached
   */
  private int search(BitSet taken) {
    Arrays.fill(found, -1);
    Arrays.fill(next, 0);
    int count = 0;
    int at = ground;
    parent[ground] = -1;
    found[ground] = low[ground] = count;
    order[count++] = ground;
    while (at >= 0) {
      if (next[at] == neighbors[at].length) {
        int above = parent[at];
        if (above >= 0) {
          low[above] = Math.min(low[above], low[at]);
        }
        at = above;
        continue;
      }
      int other = neighbors[at][next[at]++];
      if (other < points && taken.get(other)) {
        continue;
      }
      if (found[other] >= 0) {
        low[at] = Math.min(low[at], found[other]);
      } else {
        parent[other] = at;
        found[other] = low[other] = count;
        order[count++] = other;
        at = other;
      }
    }
    return count;
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
