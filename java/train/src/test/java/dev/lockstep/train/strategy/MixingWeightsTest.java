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
    assertThrows(
        ConfigKeyException.class,
        () -> Gossip.Options.of(Graph.USER, 1, 1, List.of("0>1", "1>0"), null, null),
        "one-way edges without push_sum");
    assertThrows(
        ConfigKeyException.class,
        () -> Gossip.Options.of(Graph.USER, 1, 1, List.of("0-1"), Design.METROPOLIS, true),
        "weights with push_sum");
    Gossip.Options chain = Gossip.Options.of(Graph.USER, 1, 1, List.of("0-1", "1>2"), null, true);
    assertThrows(
        ConfigKeyException.class, () -> GossipPeers.of(chain, 0, 0, 3), "rank 2 tells nobody");
    for (List<String> edges : List.of(List.of("1-1"), List.of("a-b"), List.<String>of())) {
      assertThrows(
          ConfigKeyException.class, () -> Gossip.Options.of(Graph.USER, 1, 1, edges, null));
    }
    assertThrows(
        ConfigKeyException.class, () -> Gossip.Options.of(Graph.RING, 1, 1, List.of("0-1"), null));
  }
}
