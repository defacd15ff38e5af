package dev.lockstep.train.strategy;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.strategy.Gossip.Graph;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Whom a rank tells in an exchange, of whom it hears, and how much of whom it takes.
 *
 * @param to the ranks that are told
 * @param from the ranks that are heard of
 * @param weights of what each of these says
 * @param given under push-sum, the share of this rank's own that each who is told takes, so that
 *     columns of weights sum to 1; 0 where rows do
 */
@SuppressWarnings("ArrayRecordComponent") // read in the same package alone
record GossipPeers(int[] to, int[] from, double[] weights, double given) {
  /**
   * The peers of a rank.
   *
   * @param number of the exchange, from 0
   */
  static GossipPeers of(Gossip.Options options, long number, int rank, int ranks) {
    if (options.pushSum()) {
      return pushing(options, number, rank, ranks);
    }
    if (options.graph() == Graph.USER) {
      double[] row = MixingWeights.of(neighbours(options.edges(), ranks), options.design())[rank];
      int[] others = IntStream.range(0, ranks).filter(j -> j != rank && row[j] > 0).toArray();
      return new GossipPeers(
          others, others, Arrays.stream(others).mapToDouble(j -> row[j]).toArray(), 0);
    }
    int[] hops = hops(options.graph(), number, ranks);
    double[] weights = new double[hops.length];
    Arrays.fill(weights, 1.0 / (1 + hops.length));
    return new GossipPeers(
        Arrays.stream(hops).map(hop -> (rank + hop) % ranks).toArray(),
        Arrays.stream(hops).map(hop -> (rank - hop + ranks) % ranks).toArray(),
        weights,
        0);
  }

  /** Each rank keeps as much of its own as it gives to each of those that it tells. */
  private static GossipPeers pushing(Gossip.Options options, long number, int rank, int ranks) {
    boolean[][] tells = tells(options, number, ranks);
    int[] to = IntStream.range(0, ranks).filter(j -> tells[rank][j]).toArray();
    int[] from = IntStream.range(0, ranks).filter(j -> tells[j][rank]).toArray();
    double[] weights = Arrays.stream(from).mapToDouble(j -> share(tells[j])).toArray();
    return new GossipPeers(to, from, weights, share(tells[rank]));
  }

  private static double share(boolean[] told) {
    return 1.0 / (1 + MixingWeights.degree(told));
  }

  /** [ranks][ranks]: whom each rank tells. */
  private static boolean[][] tells(Gossip.Options options, long number, int ranks) {
    if (options.graph() == Graph.USER) {
      return arrows(options.edges(), ranks);
    }
    boolean[][] tells = new boolean[ranks][ranks];
    for (int rank = 0; rank < ranks; rank++) {
      for (int hop : hops(options.graph(), number, ranks)) {
        tells[rank][(rank + hop) % ranks] = true;
      }
    }
    return tells;
  }

  /** How much is taken of each that is heard of: nothing of one that is gone. */
  double[] shares(BitSet gone) {
    double[] shares = weights.clone();
    for (int i = 0; i < shares.length; i++) {
      shares[i] = gone.get(from[i]) ? 0 : shares[i];
    }
    return shares;
  }

  /**
   * How much of its own a rank keeps, where some are gone: what these do not take stays with it.
   */
  double own(BitSet gone) {
    double others = 0;
    if (given > 0) {
      for (int rank : to) {
        others += gone.get(rank) ? 0 : given;
      }
    } else {
      for (int i = 0; i < from.length; i++) {
        others += gone.get(from[i]) ? 0 : weights[i];
      }
    }
    return 1 - others;
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
    return arrows(edges, ranks);
  }

  /**
   * Who tells whom.
   *
   * @param edges each two ranks, as {@code 0-3} where both tell each other, or as {@code 0>3}
   * @throws ConfigKeyException if a rank is not there, or some ranks never hear of others
   */
  private static boolean[][] arrows(List<String> edges, int ranks) {
    boolean[][] tells = new boolean[ranks][ranks];
    for (String edge : edges) {
      int[] ends = ends(edge);
      for (int end : ends) {
        if (end >= ranks) {
          throw new ConfigKeyException(
              "strategy.edges",
              edge + " names rank " + end + ", and there are ranks 0 to " + (ranks - 1) + ".");
        }
      }
      tells[ends[0]][ends[1]] = true;
      tells[ends[1]][ends[0]] |= !isDirected(edge);
    }
    if (!MixingWeights.isConnected(tells)) {
      throw new ConfigKeyException(
          "strategy.edges",
          edges + " leaves ranks of 0 to " + (ranks - 1) + " that never hear of the others.");
    }
    return tells;
  }

  /** Whether only the second rank of an edge hears of the first. */
  static boolean isDirected(String edge) {
    return edge.contains(">");
  }

  /**
   * The two ranks of an edge.
   *
   * @throws ConfigKeyException if it is none
   */
  static int[] ends(String edge) {
    if (!edge.matches("\\d{1,6}[->]\\d{1,6}")) {
      throw new ConfigKeyException(
          "edges", "must be pairs of ranks as 0-3, or 0>3 with push_sum, not " + edge + ".");
    }
    int[] ends = Arrays.stream(edge.split("[->]")).mapToInt(Integer::parseInt).toArray();
    if (ends[0] == ends[1]) {
      throw new ConfigKeyException("edges", "must be of two different ranks, not " + edge + ".");
    }
    return ends;
  }
}
