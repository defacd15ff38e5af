package dev.lockstep.federated.aggregation;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.ReduceOp;

/**
 * A sum of weighted vectors in fixed point: integers add up to the same bits in any order and on
 * any number of ranks. Terms are multiples of 2⁻⁴⁹; the sum of |weight| may be at most 1, and
 * elements at most 2¹³. Not thread-safe.
 */
public final class FixedPointSum {
  private static final double SCALE = 0x1p49;

  private long[] sum;

  public FixedPointSum(int length) {
    sum = new long[length];
  }

  /**
   * Adds weight × vector.
   *
   * @param vector of finite elements up to 2¹³
   */
  public void add(double weight, double[] vector) {
    for (int i = 0; i < sum.length; i++) {
      sum[i] += (long) Math.rint(weight * vector[i] * SCALE);
    }
  }

  /** Adds up what all ranks have; collective. */
  public void reduce(Communicator communicator) {
    sum = communicator.allReduce(sum, ReduceOp.SUM);
  }

  /** The sum times a factor. */
  public double[] times(double factor) {
    double[] result = new double[sum.length];
    for (int i = 0; i < result.length; i++) {
      result[i] = sum[i] / SCALE * factor;
    }
    return result;
  }
}
