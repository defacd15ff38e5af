package dev.lockstep.benchmarks;

import dev.lockstep.comm.DataType;
import dev.lockstep.jni.Native;
import org.bytedeco.javacpp.Pointer;

/**
 * The kernels on flat buffers, each with the bytes that one element reads and writes. {@link #COPY}
 * is what they are measured against; {@link #FLATTEN} gathers {@value #PIECES} tensors into one
 * buffer.
 */
public enum Kernel {
  COPY(8, 4, 4, 0, 0),
  FLATTEN(8, 4, 4, 0, 0),
  NORM_F32(4, 4, 0, 0, 0),
  NORM_BF16(2, 2, 0, 0, 0),
  SCALE_F32(8, 4, 0, 0, 0),
  SGD_F32(12, 4, 4, 0, 0),
  SGD_MOMENTUM_F32(20, 4, 4, 4, 0),
  ADAM_F32(28, 4, 4, 4, 4),
  ADAM_BF16(22, 2, 2, 4, 4),
  F32_TO_BF16(6, 2, 4, 0, 0),
  F32_TO_F16(6, 2, 4, 0, 0),
  BF16_TO_F32(6, 4, 2, 0, 0),
  F16_TO_F32(6, 4, 2, 0, 0);

  private static final int PIECES = 64;

  private final int[] elementBytes;
  private final int traffic;

  /**
   * @param traffic bytes that one element reads and writes
   * @param elementBytes bytes of an element in each of four buffers: parameters, gradients, state
   */
  Kernel(int traffic, int... elementBytes) {
    this.traffic = traffic;
    this.elementBytes = elementBytes;
  }

  /** Elements whose buffers take {@code workingSet} bytes together. */
  public long count(long workingSet) {
    long each = 0;
    for (int bytes : elementBytes) {
      each += bytes;
    }
    return workingSet / each;
  }

  /** Bytes that a call reads and writes. */
  public double bytesMoved(long workingSet) {
    return (double) count(workingSet) * traffic;
  }

  int elementBytes(int buffer) {
    return elementBytes[buffer];
  }

  /** One call; {@code b} holds the four buffers. */
  double run(Pointer[] b, long count) {
    long p = b[0].address();
    long g = b[1].address();
    long m = b[2].address();
    long v = b[3].address();
    switch (this) {
      case COPY -> Pointer.memcpy(b[0], b[1], count * 4);
      case FLATTEN -> flatten(b[0], b[1], count * 4 / PIECES);
      case NORM_F32 -> {
        return Native.sum_of_squares(p, count, DataType.F32.code());
      }
      case NORM_BF16 -> {
        return Native.sum_of_squares(p, count, DataType.BF16.code());
      }
      case SCALE_F32 -> Native.scale(p, count, DataType.F32.code(), 0.999);
      case SGD_F32 -> sgd(p, g, 0, count, 0);
      case SGD_MOMENTUM_F32 -> sgd(p, g, m, count, 0.9);
      case ADAM_F32 -> adam(p, g, m, v, count, DataType.F32);
      case ADAM_BF16 -> adam(p, g, m, v, count, DataType.BF16);
      case F32_TO_BF16 -> convert(g, DataType.F32, p, DataType.BF16, count);
      case F32_TO_F16 -> convert(g, DataType.F32, p, DataType.F16, count);
      case BF16_TO_F32 -> convert(g, DataType.BF16, p, DataType.F32, count);
      case F16_TO_F32 -> convert(g, DataType.F16, p, DataType.F32, count);
    }
    return 0;
  }

  private static void flatten(Pointer flat, Pointer tensors, long piece) {
    Pointer to = new Pointer(flat);
    Pointer from = new Pointer(tensors);
    for (long i = 0; i < PIECES; i++) {
      Pointer.memcpy(to.position(i * piece), from.position(i * piece), piece);
    }
  }

  private static void sgd(long p, long g, long m, long count, double momentum) {
    Native.sgd_step(p, g, m, count, DataType.F32.code(), 2, 1e-3, momentum, 0, 0, false);
  }

  private static void adam(long p, long g, long m, long v, long count, DataType type) {
    Native.adam_step(p, g, m, v, count, type.code(), 7, 1e-3, 0.9, 0.999, 1e-8, 0, false);
  }

  private static void convert(long from, DataType type, long to, DataType toType, long count) {
    Native.convert(from, type.code(), to, toType.code(), count);
  }
}
