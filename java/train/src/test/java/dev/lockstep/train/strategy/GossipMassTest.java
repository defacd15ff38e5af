package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.train.strategy.Gossip.Graph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * The sum over ranks through 10⁴ exchanges in which messages are lost and ranks leave and join.
 * What a rank keeps, and takes of others, is asked of the code that trains; messages are simulated.
 */
class GossipMassTest {
  private static final int RANKS = 12;
  private static final int EXCHANGES = 10_000;

  /** 12 ranks take turns of four on the exponential graph. */
  private static final int PERIOD = 4;

  static Stream<Gossip.Options> symmetric() {
    return Stream.of(MixingWeights.Design.values())
        .map(design -> Gossip.Options.of(Graph.USER, 1, 50, ringWithChords("-"), design));
  }

  static Stream<Gossip.Options> pushing() {
    return Stream.concat(
        Stream.of(Graph.EXPONENTIAL, Graph.RING, Graph.COMPLETE)
            .map(graph -> Gossip.Options.of(graph, 1, 50).withPushSum()),
        Stream.of(Gossip.Options.of(Graph.USER, 1, 50, ringWithChords(">"), null, true)));
  }

  private static List<String> ringWithChords(String arrow) {
    Random random = new Random(4);
    List<String> edges = new ArrayList<>();
    for (int i = 0; i < RANKS; i++) {
      edges.add(i + arrow + (i + 1) % RANKS);
      int other = random.nextInt(RANKS);
      if (other != i) {
        edges.add(i + arrow + other);
      }
    }
    return edges;
  }

  /** A pair of neighbours hears nothing of each other, or does. */
  @ParameterizedTest
  @MethodSource("symmetric")
  void symmetricWeightsKeepIt(Gossip.Options options) {
    run(options);
  }

  /** One way may fail alone: who cannot tell keeps the share, of parameters and of the weight. */
  @ParameterizedTest
  @MethodSource("pushing")
  void pushSumKeepsIt(Gossip.Options options) {
    run(options);
  }

  private static void run(Gossip.Options options) {
    boolean oneWay = options.pushSum();
    GossipPeers[][] peers = peers(options, RANKS);
    Random random = new Random(7);
    double[] x = random.doubles(RANKS).toArray();
    double[] w = new double[RANKS];
    Arrays.fill(w, 1);
    boolean[] there = new boolean[RANKS];
    Arrays.fill(there, true);
    double mass = Arrays.stream(x).sum();
    double weight = RANKS;
    for (int exchange = 0; exchange < EXCHANGES; exchange++) {
      if (random.nextInt(50) == 0) {
        int rank = random.nextInt(RANKS);
        mass += there[rank] ? -x[rank] : 0.5;
        weight += there[rank] ? -w[rank] : 1;
        x[rank] = there[rank] ? 0 : 0.5;
        w[rank] = there[rank] ? 0 : 1;
        there[rank] = !there[rank];
      }
      boolean[][] arrives = arriving(random, there, oneWay);
      x = mixed(peers[exchange % PERIOD], x, arrives);
      w = oneWay ? mixed(peers[exchange % PERIOD], w, arrives) : w;
      assertEquals(mass, Arrays.stream(x).sum(), 1e-12 * RANKS, "after exchange " + exchange);
      assertEquals(weight, Arrays.stream(w).sum(), 1e-12 * RANKS, "after exchange " + exchange);
    }
  }

  /** [from][to]: one message in twenty is lost. */
  private static boolean[][] arriving(Random random, boolean[] there, boolean oneWay) {
    boolean[][] arrives = new boolean[RANKS][RANKS];
    for (int i = 0; i < RANKS; i++) {
      for (int j = 0; j < RANKS; j++) {
        arrives[i][j] = there[i] && there[j] && random.nextInt(20) != 0;
        if (!oneWay && j < i) {
          arrives[i][j] = arrives[j][i];
        }
      }
    }
    return arrives;
  }

  /** [exchange][rank], of exchanges after which they come again. */
  private static GossipPeers[][] peers(Gossip.Options options, int ranks) {
    GossipPeers[][] peers = new GossipPeers[PERIOD][ranks];
    for (int exchange = 0; exchange < PERIOD; exchange++) {
      for (int rank = 0; rank < ranks; rank++) {
        peers[exchange][rank] = GossipPeers.of(options, exchange, rank, ranks);
      }
    }
    return peers;
  }

  private static double[] mixed(GossipPeers[] peers, double[] x, boolean[][] arrives) {
    double[] next = new double[x.length];
    for (int rank = 0; rank < x.length; rank++) {
      BitSet deaf = new BitSet();
      BitSet mute = new BitSet();
      for (int other = 0; other < x.length; other++) {
        deaf.set(other, !arrives[rank][other]);
        mute.set(other, !arrives[other][rank]);
      }
      double[] shares = peers[rank].shares(mute);
      next[rank] = peers[rank].own(peers[rank].given() > 0 ? deaf : mute) * x[rank];
      for (int i = 0; i < shares.length; i++) {
        next[rank] += shares[i] * x[peers[rank].from()[i]];
      }
    }
    return next;
  }

  /** On a graph whose ranks tell different numbers of others, x alone goes elsewhere. */
  @Test
  void theQuotientComesToTheMeanWhereParametersAloneDoNot() {
    List<String> edges = List.of("0>1", "1>2", "2>0", "0>2", "2>3", "3>0");
    Gossip.Options options = Gossip.Options.of(Graph.USER, 1, 50, edges, null, true);
    GossipPeers[][] peers = peers(options, 4);
    double[] x = {4, -1, 2.5, 0.25};
    double mean = Arrays.stream(x).average().orElseThrow();
    double[] w = {1, 1, 1, 1};
    boolean[][] all = new boolean[4][4];
    for (boolean[] row : all) {
      Arrays.fill(row, true);
    }
    for (int exchange = 0; exchange < 200; exchange++) {
      x = mixed(peers[0], x, all);
      w = mixed(peers[0], w, all);
    }
    double farthest = 0;
    for (int rank = 0; rank < 4; rank++) {
      assertEquals(mean, x[rank] / w[rank], 1e-12, "rank " + rank);
      farthest = Math.max(farthest, Math.abs(x[rank] - mean));
    }
    assertTrue(farthest > 0.1, "biased parameters are away from the mean: " + farthest);
  }
}
