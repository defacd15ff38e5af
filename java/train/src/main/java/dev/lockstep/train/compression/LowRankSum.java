package dev.lockstep.train.compression;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.ReduceOp;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.train.memory.FlatBuffers;
import dev.lockstep.train.memory.FlatLayout.Slot;
import dev.lockstep.train.memory.NativeView;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.NoGradGuard;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.jspecify.annotations.Nullable;

/**
 * One step of the power method on the sum of the ranks' gradients (Vogels et al. 2019, "PowerSGD",
 * algorithm 1), which begins where the step before ended (warm start). With M = gradient +
 * residual: P = ΣM·Q, made orthonormal; Q = ΣMᵀ·P; the sum becomes P·Qᵀ, and each rank's residual
 * its M − P·(MᵀP)ᵀ, so that the ranks' residuals add up to what the sum has lost. Both factors are
 * kept transposed, a row for each of the rank's vectors. Tensors that are no matrices, or would
 * hardly shrink, go with the first exchange as they are.
 *
 * <p>All that ranks must have alike is computed by kernels of this library from what was reduced;
 * products with M, by libtorch, concern one rank.
 */
final class LowRankSum implements RangeSum, AutoCloseable {
  private static final int ELEMENT = Float.BYTES;

  /**
   * A gradient as a matrix.
   *
   * @param at its first element in the range
   * @param left where its P begins in the first exchange
   * @param right where its Q begins among those of all matrices
   */
  private record Matrix(long at, long rows, long columns, int rank, long left, long right) {}

  /** A run of elements that are sent as they are. */
  private record Plain(long at, long count, long place) {}

  private final Communicator group;
  private final long gradients;
  private final long residual;
  private final long count;
  private final FlatBuffers factors;
  private final List<Matrix> matrices = new ArrayList<>();
  private final List<Plain> plain = new ArrayList<>();
  private final NativeMemory first;
  private final long rightFrom;
  private final long rightCount;
  private boolean proceeds;

  /**
   * Takes the memory.
   *
   * @param gradients address of the first of {@code count} float32 elements
   * @param from the place of that element in the flat buffer
   * @param residual address of as many elements
   * @param slots the tensors there
   * @param factors of all matrices' Q, a slot each by the name of the tensor
   */
  LowRankSum(
      Communicator group,
      long gradients,
      long from,
      long residual,
      long count,
      List<Slot> slots,
      FlatBuffers factors) {
    this.group = group;
    this.gradients = gradients;
    this.residual = residual;
    this.count = count;
    this.factors = factors;
    long used = 0;
    long lowest = Long.MAX_VALUE;
    long highest = 0;
    for (Slot slot : slots) {
      long at = slot.offset() - from;
      Slot factor = factor(slot);
      if (factor == null) {
        plain.add(new Plain(at, slot.count(), used));
        used += slot.count();
        continue;
      }
      int rank = (int) factor.shape()[0];
      long columns = factor.shape()[1];
      long rows = slot.count() / columns;
      matrices.add(new Matrix(at, rows, columns, rank, used, factor.offset()));
      used += rank * rows;
      lowest = Math.min(lowest, factor.offset());
      highest = Math.max(highest, factor.offset() + factor.count());
    }
    rightFrom = matrices.isEmpty() ? 0 : lowest;
    rightCount = matrices.isEmpty() ? 0 : highest - lowest;
    first = group.allocate(Math.max(1, used) * ELEMENT);
  }

  private @Nullable Slot factor(Slot slot) {
    return factors.layout().slots().stream()
        .filter(factor -> factor.name().equals(slot.name()))
        .findFirst()
        .orElse(null);
  }

  private long left(Matrix matrix) {
    return first.address() + matrix.left() * ELEMENT;
  }

  private long right(Matrix matrix) {
    return factors.address(0) + matrix.right() * ELEMENT;
  }

  @Override
  public Work start(long step, double carry) {
    proceeds = !matrices.isEmpty();
    Native.accumulate(gradients, count, 0, 0, residual, carry);
    for (Plain run : plain) {
      NativeView.copy(
          first.address() + run.place() * ELEMENT,
          residual + run.at() * ELEMENT,
          run.count() * ELEMENT);
      NativeView.zero(residual + run.at() * ELEMENT, run.count() * ELEMENT);
    }
    for (Matrix matrix : matrices) {
      fillZeroRows(matrix, step);
      product(matrix, true);
    }
    return group.allReduceAsync(first.span(0, first.bytes() / ELEMENT, DataType.F32), ReduceOp.SUM);
  }

  /** left = right·Mᵀ, or right = left·M. */
  private void product(Matrix matrix, boolean toLeft) {
    try (PointerScope scope = new PointerScope();
        NoGradGuard guard = new NoGradGuard()) {
      var m =
          NativeView.tensor(
              residual + matrix.at() * ELEMENT, ScalarType.Float, matrix.rows(), matrix.columns());
      var left = NativeView.tensor(left(matrix), ScalarType.Float, matrix.rank(), matrix.rows());
      var right =
          NativeView.tensor(right(matrix), ScalarType.Float, matrix.rank(), matrix.columns());
      if (toLeft) {
        torch.mm_out(left, right, m.t());
      } else {
        torch.mm_out(right, left, m);
      }
    }
  }

  /**
   * Gives a row of Q that is zero a random direction: at first all, later those of a gradient that
   * was zero or of lower rank, which would else stay zero. Q is equal on all ranks, and so are
   * these.
   */
  private void fillZeroRows(Matrix matrix, long step) {
    FloatBuffer q =
        NativeView.bytes(right(matrix), matrix.rank() * matrix.columns() * ELEMENT).asFloatBuffer();
    int columns = Math.toIntExact(matrix.columns());
    for (int row = 0; row < matrix.rank(); row++) {
      boolean zero = true;
      for (int c = 0; c < columns && zero; c++) {
        zero = q.get(row * columns + c) == 0;
      }
      if (zero) {
        Random random = new Random(step * 1_000_003 + matrix.right() + row);
        for (int c = 0; c < columns; c++) {
          q.put(row * columns + c, (float) random.nextGaussian());
        }
      }
    }
  }

  @Override
  public @Nullable Work proceed() {
    if (!proceeds) {
      return null;
    }
    for (Matrix matrix : matrices) {
      Native.orthonormalize_rows(left(matrix), matrix.rank(), matrix.rows());
      product(matrix, false);
      expand(matrix, residual, true);
    }
    return group.allReduceAsync(factors.span(0, rightFrom, rightCount), ReduceOp.SUM);
  }

  private void expand(Matrix matrix, long target, boolean subtract) {
    Native.expand_low_rank(
        left(matrix),
        right(matrix),
        matrix.rank(),
        matrix.rows(),
        matrix.columns(),
        target + matrix.at() * ELEMENT,
        subtract);
  }

  @Override
  public void finish() {
    for (Matrix matrix : matrices) {
      expand(matrix, gradients, false);
    }
    for (Plain run : plain) {
      NativeView.copy(
          gradients + run.at() * ELEMENT,
          first.address() + run.place() * ELEMENT,
          run.count() * ELEMENT);
    }
  }

  @Override
  public long sentBytes() {
    return Compression.allReduceBytes(first.bytes() + rightCount * ELEMENT, group.size());
  }

  @Override
  public void close() {
    first.close();
  }
}
