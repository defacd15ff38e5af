package dev.lockstep.localize;

import dev.lockstep.comm.NativeMemory;
import java.nio.ByteBuffer;

/** An array's copy in native memory, for one call. */
final class NativeArray implements AutoCloseable {
  private final NativeMemory memory;

  private NativeArray(long bytes) {
    memory = NativeMemory.allocate(bytes);
  }

  /** Zeros. */
  static NativeArray ofDoubles(int count) {
    return new NativeArray((long) Double.BYTES * count);
  }

  /** Zeros. */
  static NativeArray ofInts(int count) {
    return new NativeArray((long) Integer.BYTES * count);
  }

  static NativeArray of(double[] values) {
    NativeArray array = ofDoubles(values.length);
    array.buffer().asDoubleBuffer().put(values);
    return array;
  }

  static NativeArray of(int[] values) {
    NativeArray array = ofInts(values.length);
    array.buffer().asIntBuffer().put(values);
    return array;
  }

  static NativeArray of(long[] values) {
    NativeArray array = new NativeArray((long) Long.BYTES * values.length);
    array.buffer().asLongBuffer().put(values);
    return array;
  }

  private ByteBuffer buffer() {
    return memory.buffer();
  }

  /** 0 where there are no elements. */
  long address() {
    return memory.bytes() == 0 ? 0 : memory.address();
  }

  double[] doubles() {
    double[] values = new double[(int) (memory.bytes() / Double.BYTES)];
    buffer().asDoubleBuffer().get(values);
    return values;
  }

  int[] ints() {
    int[] values = new int[(int) (memory.bytes() / Integer.BYTES)];
    buffer().asIntBuffer().get(values);
    return values;
  }

  @Override
  public void close() {
    memory.close();
  }
}
