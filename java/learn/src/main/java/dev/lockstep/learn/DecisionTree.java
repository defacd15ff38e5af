package dev.lockstep.learn;

import java.util.Arrays;
import java.util.BitSet;

/**
 * One tree, as arrays over its nodes and leaves. A child from 0 on is a node, a negative one is the
 * leaf {@code ~child}. A number goes left when, rounded to f32, it is at most the threshold; a
 * category when its code is in the node's set; NaN as {@code missingLeft} says.
 *
 * @param codes of each node the codes that go left; empty for nodes over numbers
 * @param gain of each node, what its split brought
 * @param rows of each node, the rows that it was grown from
 * @param values of one leaf after the other, one or several each
 */
@SuppressWarnings("ArrayRecordComponent") // the file's structure, never compared
record DecisionTree(
    int[] feature,
    double[] threshold,
    int[] left,
    int[] right,
    boolean[] missingLeft,
    int[][] codes,
    double[] gain,
    long[] rows,
    double[] values,
    long[] leafRows) {

  /**
   * From the numbers of {@code read_tree}.
   *
   * @param outputs values of a leaf
   */
  static DecisionTree decode(double[] encoded, int outputs) {
    int nodes = (int) encoded[0];
    int leaves = (int) encoded[1];
    DecisionTree tree =
        new DecisionTree(
            new int[nodes],
            new double[nodes],
            new int[nodes],
            new int[nodes],
            new boolean[nodes],
            new int[nodes][],
            new double[nodes],
            new long[nodes],
            new double[leaves * outputs],
            new long[leaves]);
    int at = 2;
    for (int i = 0; i < nodes; i++) {
      tree.feature[i] = (int) encoded[at++];
      tree.threshold[i] = encoded[at++];
      tree.left[i] = (int) encoded[at++];
      tree.right[i] = (int) encoded[at++];
      at++; // whether it is categorical: then there are codes
      tree.missingLeft[i] = encoded[at++] != 0;
      tree.gain[i] = encoded[at++];
      tree.rows[i] = (long) encoded[at++];
      int count = (int) encoded[at++];
      tree.codes[i] = new int[count];
      for (int c = 0; c < count; c++) {
        tree.codes[i][c] = (int) encoded[at++];
      }
    }
    for (int i = 0; i < leaves; i++) {
      System.arraycopy(encoded, at, tree.values, i * outputs, outputs);
      at += outputs;
      tree.leafRows[i] = (long) encoded[at++];
    }
    return tree;
  }

  /** Whether every child and feature exists and no path returns. */
  boolean isWhole(int features, int outputs) {
    if (feature == null || values == null || left == null || right == null) {
      return false;
    }
    int nodes = feature.length;
    boolean complete =
        threshold != null
            && missingLeft != null
            && codes != null
            && gain != null
            && threshold.length == nodes
            && left.length == nodes
            && right.length == nodes
            && missingLeft.length == nodes
            && codes.length == nodes
            && gain.length == nodes
            && values.length == (nodes + 1) * outputs
            && Arrays.stream(codes).allMatch(one -> one != null);
    for (int i = 0; complete && i < nodes; i++) {
      complete =
          feature[i] >= 0
              && feature[i] < features
              && isChild(left[i], i, nodes)
              && isChild(right[i], i, nodes);
    }
    return complete;
  }

  private static boolean isChild(int child, int node, int nodes) {
    return child < 0 ? ~child <= nodes : child > node && child < nodes;
  }

  /** Sets of codes for {@link #leafOf}; null for nodes over numbers. */
  BitSet[] sets() {
    BitSet[] sets = new BitSet[codes.length];
    for (int i = 0; i < sets.length; i++) {
      if (codes[i].length > 0) {
        sets[i] = new BitSet();
        for (int code : codes[i]) {
          sets[i].set(code);
        }
      }
    }
    return sets;
  }

  int leafOf(double[] rows, int from, BitSet[] sets) {
    int at = feature.length == 0 ? -1 : 0;
    while (at >= 0) {
      double value = rows[from + feature[at]];
      boolean goesLeft;
      if (sets[at] != null) {
        int code = value >= 0 && value < 1 << 24 && value == (int) value ? (int) value : -1;
        // A category that the tree has not seen is a missing value.
        goesLeft = code >= 0 ? sets[at].get(code) : missingLeft[at];
      } else {
        goesLeft = Double.isNaN(value) ? missingLeft[at] : (float) value <= threshold[at];
      }
      at = goesLeft ? left[at] : right[at];
    }
    return ~at;
  }
}
