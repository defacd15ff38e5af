package dev.lockstep.train.strategy;

import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.Arrays;

/**
 * How much of whom a rank takes in an exchange with its neighbours: symmetric weights on a graph,
 * whose rows and columns have the sum 1, so that exchanges keep the mean of all ranks. The designs
 * are those by which localisation mixes its sensors' estimates, times ½.
 */
public final class MixingWeights {
  /** How weights follow from a graph. */
  public enum Design {
    /** 1 ÷ (1 + the greater number of neighbours), and the rest on the diagonal. */
    @JsonProperty("metropolis")
    METROPOLIS,
    /** D(I + A)D with the diagonal D that makes rows and columns sum to 1. */
    @JsonProperty("sinkhorn_knopp")
    SINKHORN_KNOPP
  }

  private static final double BALANCED = 1e-14;
  private static final int MOST_ROUNDS = 10_000;

  private MixingWeights() {}

  /**
   * The weights of all ranks.
   *
   * @param neighbours [ranks][ranks], symmetric
   * @return [ranks][ranks], symmetric; zero where ranks are no neighbours
   */
  static double[][] of(boolean[][] neighbours, Design design) {
    int ranks = neighbours.length;
    double[] scale = design == Design.METROPOLIS ? new double[ranks] : scalingFactors(neighbours);
    double[][] weights = new double[ranks][ranks];
    for (int i = 0; i < ranks; i++) {
      double others = 0;
      for (int j = 0; j < ranks; j++) {
        if (j != i && neighbours[i][j]) {
          weights[i][j] =
              design == Design.METROPOLIS
                  ? 1.0 / (1 + Math.max(degree(neighbours[i]), degree(neighbours[j])))
                  : scale[i] * scale[j];
          others += weights[i][j];
        }
      }
      weights[i][i] = 1 - others;
    }
    return weights;
  }

  static int degree(boolean[] row) {
    int degree = 0;
    for (boolean neighbour : row) {
      degree += neighbour ? 1 : 0;
    }
    return degree;
  }

  /**
   * Sinkhorn and Knopp 1967 in the symmetric form: both scalings at once, damped by the square root
   * so that they stay equal (Knight, Ruiz and Uçar 2014, "A symmetry preserving algorithm for
   * matrix scaling").
   */
  private static double[] scalingFactors(boolean[][] neighbours) {
    int ranks = neighbours.length;
    double[] scale = new double[ranks];
    Arrays.fill(scale, 1);
    for (int round = 0; round < MOST_ROUNDS; round++) {
      double[] sums = new double[ranks];
      double farthest = 0;
      for (int i = 0; i < ranks; i++) {
        for (int j = 0; j < ranks; j++) {
          sums[i] += i == j || neighbours[i][j] ? scale[i] * scale[j] : 0;
        }
        farthest = Math.max(farthest, Math.abs(sums[i] - 1));
      }
      if (farthest < BALANCED) {
        break;
      }
      for (int i = 0; i < ranks; i++) {
        scale[i] /= Math.sqrt(sums[i]);
      }
    }
    return scale;
  }

  /** Whether every rank hears of every other one, through others. */
  static boolean isConnected(boolean[][] tells) {
    int ranks = tells.length;
    boolean[][] hears = new boolean[ranks][ranks];
    for (int i = 0; i < ranks; i++) {
      for (int j = 0; j < ranks; j++) {
        hears[j][i] = tells[i][j];
      }
    }
    return reachesAll(tells) && reachesAll(hears);
  }

  /** Whether what rank 0 tells comes to every other one. */
  private static boolean reachesAll(boolean[][] neighbours) {
    boolean[] reached = new boolean[neighbours.length];
    reached[0] = true;
    boolean more = true;
    while (more) {
      more = false;
      for (int i = 0; i < neighbours.length; i++) {
        for (int j = 0; reached[i] && j < neighbours.length; j++) {
          more |= neighbours[i][j] && !reached[j];
          reached[j] |= neighbours[i][j];
        }
      }
    }
    for (boolean one : reached) {
      if (!one) {
        return false;
      }
    }
    return true;
  }
}
