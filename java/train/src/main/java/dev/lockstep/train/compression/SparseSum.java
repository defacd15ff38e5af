package dev.lockstep.train.compression;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Work;
import dev.lockstep.jni.Native;
import dev.lockstep.train.memory.NativeView;
import org.jspecify.annotations.Nullable;

/**
 * Every rank gives all others its elements of largest magnitude, which they add in the ranks' order
 * (Lin et al. 2018, "Deep gradient compression", algorithm 1: momentum correction and momentum
 * factor masking). What a rank does not send stays in its residual.
 */
final class SparseSum implements RangeSum, AutoCloseable {
  /** The density at the start of the warm-up. */
  private static final double FIRST_DENSITY = 0.25;

  private static final int ELEMENT = Float.BYTES;

  private final CompressionConfig config;
  private final Communicator group;
  private final long gradients;
  private final long residual;
  private final long momentum;
  private final long count;

  /** What each rank sends, then what this one does. */
  private final NativeMemory memory;

  private long sent;

  /**
   * Takes the memory.
   *
   * @param gradients address of the first of {@code count} float32 elements
   * @param residual address of as many
   * @param momentum address of as many; 0 for none
   */
  SparseSum(
      CompressionConfig config,
      Communicator group,
      long gradients,
      long residual,
      long momentum,
      long count) {
    this.config = config;
    this.group = group;
    this.gradients = gradients;
    this.residual = residual;
    this.momentum = momentum;
    this.count = count;
    long most = Math.max(elements(0), elements(config.warmUpSteps()));
    memory = group.allocate(bytes(most) * (group.size() + 1));
  }

  /** How many elements a step sends. */
  private long elements(long step) {
    double density = config.density();
    if (step < config.warmUpSteps() && density < FIRST_DENSITY) {
      double done = (double) step / config.warmUpSteps();
      // StrictMath: all ranks must have the same number.
      density = FIRST_DENSITY * StrictMath.pow(density / FIRST_DENSITY, done);
    }
    return Math.min(count, Math.max(1, (long) Math.ceil(density * count)));
  }

  /** Of so many indices and values. */
  private static long bytes(long elements) {
    return 2 * ELEMENT * elements;
  }

  @Override
  public Work start(long step, double carry) {
    sent = elements(step);
    long all = bytes(sent) * group.size();
    long indices = memory.address() + all;
    long values = indices + ELEMENT * sent;
    Native.accumulate(gradients, count, momentum, config.momentum(), residual, carry);
    Native.select_largest(residual, count, sent, indices, values);
    Native.scatter_zero(indices, sent, residual, count);
    if (momentum != 0) {
      Native.scatter_zero(indices, sent, momentum, count);
    }
    return group.allGatherAsync(
        memory.span(all, bytes(sent), DataType.U8), memory.span(0, all, DataType.U8));
  }

  @Override
  public @Nullable Work proceed() {
    return null;
  }

  @Override
  public void finish() {
    NativeView.zero(gradients, count * ELEMENT);
    for (int rank = 0; rank < group.size(); rank++) {
      long indices = memory.address() + rank * bytes(sent);
      Native.scatter_add(indices, indices + ELEMENT * sent, sent, gradients, count);
    }
  }

  @Override
  public long sentBytes() {
    return (group.size() - 1) * bytes(sent);
  }

  @Override
  public void close() {
    memory.close();
  }
}
