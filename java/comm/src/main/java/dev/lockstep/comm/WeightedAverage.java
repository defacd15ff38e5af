package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.util.Objects;

/** An average in which ranks count by their weights. */
final class WeightedAverage {
  private WeightedAverage() {}

  static void run(Communicator ranks, Span data, double weight) {
    Objects.requireNonNull(data, "data");
    if (data.type() != DataType.F32 && data.type() != DataType.F64) {
      throw new IllegalArgumentException(
          "A weighted average takes F32 or F64 elements, not " + data + ".");
    }
    // A weight that is wrong is told to all, so that none waits for the sum.
    boolean isWrong = !(weight >= 0) || Double.isInfinite(weight);
    double[] sums =
        ranks.allReduce(new double[] {isWrong ? 0 : weight, isWrong ? 1 : 0}, ReduceOp.SUM);
    if (sums[1] > 0 || !(sums[0] > 0) || Double.isInfinite(sums[0])) {
      throw new IllegalArgumentException(
          "The weights of a weighted average must be finite and not negative, and one of them above 0;"
              + " rank "
              + ranks.rank()
              + " passed "
              + weight
              + ".");
    }
    data.enter();
    try {
      if (data.count() > 0) {
        Native.scale(data.address(), data.count(), data.type().code, weight / sums[0]);
      }
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      data.exit();
    }
    ranks.allReduce(data, ReduceOp.SUM);
  }
}
