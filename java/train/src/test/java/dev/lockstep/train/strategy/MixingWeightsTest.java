package dev.lockstep.train.strategy;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.ConfigKeyException;
import dev.lockstep.train.strategy.Gossip.Graph;
import dev.lockstep.train.strategy.MixingWeights.Design;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Weights on users' graphs, and what they keep. */
class MixingWeightsTest {
  private static final int RANKS = 12;

  /** A path of three: its Metropolis weights are thirds; its scaling factors solve to these. */
  @Test
  void knownWeightsOfAPath() {
    boolean[][] path = GossipPeers.neighbours(List.of("0-1", "1-2"), 3);
    double[][] metropolis = MixingWeights.of(path, Design.METROPOLIS);
    assertEquals(1.0 / 3, metropolis[0][1], 1e-15);
    assertEquals(2.0 / 3, metropolis[2][2], 1e-15);
    assertEquals(1.0 / 3, metropolis[1][1], 1e-15);
    // d₀² + d₀d₁ = 1 and 2d₀d₁ + d₁² = 1 give d₀d₁ = (√5 − 1)/(√5 + 1), and not thirds.
    double[][] scaled = MixingWeights.of(path, Design.SINKHORN_KNOPP);
    double ratio = (Math.sqrt(5) - 1) / 2;
    assertEquals(ratio / (1 + ratio), scaled[0][1], 1e-12);
  }

  @ParameterizedTest
  @EnumSource(Design.class)
  void weightsAreSymmetricAndRowsSumToOne(Design design) {
    for (int seed = 0; seed < 20; seed++) {
      double[][] weights = MixingWeights.of(graph(new Random(seed)), design);
      for (int i = 0; i < RANKS; i++) {
        double sum = 0;
        for (int j = 0; j < RANKS; j++) {
          assertEquals(weights[j][i], weights[i][j], 1e-15);
          assertTrue(weights[i][j] >= -1e-12, "weights are not negative, seed " + seed);
          sum += weights[i][j];
        }
        assertEquals(1, sum, 1e-12);
      }
    }
  }

  /**
   * 10⁴ exchanges in which one pair of neighbours in twenty does not hear of each other, and ranks
   * leave with what they have and join with something: the sum of those who are there changes by
   * that alone.
   */
  @ParameterizedTest
  @EnumSource(Design.class)
  void massIsKeptOverLossesLeavesAndJoins(Design design) {
    Random random = new Random(4);
    boolean[][] neighbours = graph(random);
    double[][] weights = MixingWeights.of(neighbours, design);
    boolean[] there = new boolean[RANKS];
    double[] x = new double[RANKS];
    double mass = 0;
    for (int i = 0; i < RANKS; i++) {
      there[i] = true;
      x[i] = random.nextDouble();
      mass += x[i];
    }
    for (int step = 0; step < 10_000; step++) {
      if (random.nextInt(50) == 0) {
        int rank = random.nextInt(RANKS);
        mass += there[rank] ? -x[rank] : 1;
        x[rank] = there[rank] ? 0 : 1;
        there[rank] = !there[rank];
      }
      x = mixed(x, weights, there, lost(random));
      double sum = 0;
      for (double one : x) {
        sum += one;
      }
      assertEquals(mass, sum, 1e-12 * RANKS, "after exchange " + step);
      mass = sum;
    }
  }

  private static boolean[][] lost(Random random) {
    boolean[][] lost = new boolean[RANKS][RANKS];
    for (int i = 0; i < RANKS; i++) {
      for (int j = 0; j < i; j++) {
        lost[i][j] = random.nextInt(20) == 0;
        lost[j][i] = lost[i][j];
      }
    }
    return lost;
  }

  /** By the rule of an exchange: the weight of whoever is not heard stays with the rank itself. */
  private static double[] mixed(double[] x, double[][] weights, boolean[] there, boolean[][] lost) {
    double[] next = new double[RANKS];
    for (int i = 0; i < RANKS; i++) {
      double others = 0;
      for (int j = 0; j < RANKS; j++) {
        if (j != i && there[i] && there[j] && !lost[i][j]) {
          others += weights[i][j];
          next[i] += weights[i][j] * x[j];
        }
      }
      next[i] += (1 - others) * x[i];
    }
    return next;
  }

  /** A ring with chords. */
  private static boolean[][] graph(Random random) {
    boolean[][] neighbours = new boolean[RANKS][RANKS];
    for (int i = 0; i < RANKS; i++) {
      int next = (i + 1) % RANKS;
      int other = random.nextInt(RANKS);
      neighbours[i][next] = true;
      neighbours[next][i] = true;
      if (other != i) {
        neighbours[i][other] = true;
        neighbours[other][i] = true;
      }
    }
    return neighbours;
  }

  @Test
  void whatIsNoGraphIsRefused() {
    assertFalse(MixingWeights.isConnected(new boolean[2][2]));
    assertThrows(ConfigKeyException.class, () -> GossipPeers.neighbours(List.of("0-1"), 3));
    assertThrows(ConfigKeyException.class, () -> GossipPeers.neighbours(List.of("0-3"), 3));
    for (List<String> edges : List.of(List.of("1-1"), List.of("a-b"), List.<String>of())) {
      assertThrows(
          ConfigKeyException.class, () -> Gossip.Options.of(Graph.USER, 1, 1, edges, null));
    }
    assertThrows(
        ConfigKeyException.class, () -> Gossip.Options.of(Graph.RING, 1, 1, List.of("0-1"), null));
  }
}
