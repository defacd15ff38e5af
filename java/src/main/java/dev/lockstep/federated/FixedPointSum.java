package dev.lockstep.federated;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;

/**
 * A sum of weighted vectors in fixed point: integers add up to the same bits in any order and on
 * any number of ranks. Terms are multiples of 2⁻⁴⁹; the sum of |weight| may be at most 1, and
 * elements at most 2¹³. Not thread-safe.
 */
final class FixedPointSum {
  /** An element beyond this is no change that a model survives. */
  static final double LARGEST = 1 << 13;

  private static final double SCALE = 0x1p49;

  private long[] sum;

  FixedPointSum(int length) {
    sum = new long[length];
  }

  /**
   * Adds weight × vector.
   *
   * @param vector of finite elements up to {@link #LARGEST}
   */
  void add(double weight, double[] vector) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += (long) Math.rint(weight * vector[i] * SCALE);
    }
  }

  /** Adds up what all ranks have; collective. */
  void reduce(Communicator communicator) {
    sum = communicator.allReduce(sum, ReduceOp.SUM);
  }

  /** The sum times a factor. */
  double[] times(double factor) {
    double[] result = new double[sum.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = sum[i] / SCALE * factor;
    }
    return result;
  }
}
