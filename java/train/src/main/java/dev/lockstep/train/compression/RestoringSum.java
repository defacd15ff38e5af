package dev.lockstep.train.compression;

import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.train.memory.NativeView;
import org.jspecify.annotations.Nullable;

/**
 * Gradients as they are, with what compressed sums have left in the residual, of which then nothing
 * is left.
 *
 * @param gradients address of the first of {@code count} float32 elements
 * @param residual address of as many
 */
record RestoringSum(PlainSum sum, long gradients, long residual, long count) implements RangeSum {
  @Override
  public Work start(long step, double carry) {
    Native.accumulate(gradients, count, 0, 0, residual, carry);
    NativeView.copy(gradients, residual, count * Float.BYTES);
    NativeView.zero(residual, count * Float.BYTES);
    return sum.start(step, carry);
  }

  @Override
  public @Nullable Work proceed() {
    return null;
  }

  @Override
  public void finish() {}

  @Override
  public long sentBytes() {
    return sum.sentBytes();
  }
}
