package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.strategy.Gossip.Graph;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Whom a rank tells in an exchange, and of whom it hears.
 *
 * @param to the ranks that are told
 * @param from the ranks that are heard of
 * @param weights of what each of these says; the rest of 1 is that of the rank's own
 */
@SuppressWarnings("ArrayRecordComponent") // read in the same package alone
record GossipPeers(int[] to, int[] from, double[] weights) {
  /**
   * The peers of a rank.
   *
   * @param number of the exchange, from 0
   */
  static GossipPeers of(Gossip.Options options, long number, int rank, int ranks) {
    if (options.graph() == Graph.USER) {
      double[] row = MixingWeights.of(neighbours(options.edges(), ranks), options.design())[rank];
      int[] others = IntStream.range(0, ranks).filter(j -> j != rank && row[j] > 0).toArray();
      return new GossipPeers(
          others, others, Arrays.stream(others).mapToDouble(j -> row[j]).toArray());
    }
    int[] hops = hops(options.graph(), number, ranks);
    double[] weights = new double[hops.length];
    Arrays.fill(weights, 1.0 / (1 + hops.length));
    return new GossipPeers(
        Arrays.stream(hops).map(hop -> (rank + hop) % ranks).toArray(),
        Arrays.stream(hops).map(hop -> (rank - hop + ranks) % ranks).toArray(),
        weights);
  }

  /** How many ranks further on those are that a rank tells; it hears of as many ranks back. */
  private static int[] hops(Graph graph, long number, int ranks) {
    if (ranks == 1) {
      return new int[0];
    }
    return switch (graph) {
      case EXPONENTIAL -> {
        int turns = Integer.SIZE - Integer.numberOfLeadingZeros(ranks - 1);
        yield new int[] {1 << (int) (number % turns)};
      }
      case RING -> ranks == 2 ? new int[] {1} : new int[] {1, ranks - 1};
      case COMPLETE -> IntStream.range(1, ranks).toArray();
      case USER -> throw new IllegalArgumentException("A user's graph has no hops.");
    };
  }

  /**
   * Who is whose neighbour.
   *
   * @param edges each two ranks, as {@code 0-3}
   * @throws ConfigKeyException if a rank is not there, or some ranks never hear of others
   */
  static boolean[][] neighbours(List<String> edges, int ranks) {
    boolean[][] neighbours = new boolean[ranks][ranks];
    for (String edge : edges) {
      int[] ends = ends(edge);
      for (int end : ends) {
        if (end >= ranks) {
          throw new ConfigKeyException(
              "strategy.edges",
              edge + " names rank " + end + ", and there are ranks 0 to " + (ranks - 1) + ".");
        }
      }
      neighbours[ends[0]][ends[1]] = true;
      neighbours[ends[1]][ends[0]] = true;
    }
    if (!MixingWeights.isConnected(neighbours)) {
      throw new ConfigKeyException(
          "strategy.edges",
          edges + " leaves ranks of 0 to " + (ranks - 1) + " that never hear of the others.");
    }
    return neighbours;
  }

  /**
   * The two ranks of an edge.
   *
   * @throws ConfigKeyException if it is none
   */
  static int[] ends(String edge) {
    if (!edge.matches("\\d{1,6}-\\d{1,6}")) {
      throw new ConfigKeyException("edges", "must be pairs of ranks as 0-3, not " + edge + ".");
    }
    int[] ends = Arrays.stream(edge.split("-")).mapToInt(Integer::parseInt).toArray();
    if (ends[0] == ends[1]) {
      throw new ConfigKeyException("edges", "must be of two different ranks, not " + edge + ".");
    }
    return ends;
  }
}
