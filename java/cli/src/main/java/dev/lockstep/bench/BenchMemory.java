package dev.lockstep.bench;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * One buffer of a rank, allocated once for the largest size of a sweep; smaller ones are its
 * beginning. On a 64-byte boundary.
 */
final class BenchMemory implements AutoCloseable {
  private static final int ALIGNMENT = 64;

  private final @Nullable NativeMemory registered;
  private final ByteBuffer bytes;

  private BenchMemory(@Nullable NativeMemory registered, ByteBuffer bytes) {
    this.registered = registered;
    this.bytes = bytes;
  }

  static BenchMemory allocate(Communicator group, long size, boolean registered) {
    if (registered) {
      NativeMemory memory = group.allocate(size);
      return new BenchMemory(memory, memory.buffer());
    }
    // alignedSlice() rounds both ends inwards.
    long whole = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT + ALIGNMENT;
    ByteBuffer plain = ByteBuffer.allocateDirect(Math.toIntExact(whole));
    return new BenchMemory(null, plain.alignedSlice(ALIGNMENT).order(ByteOrder.nativeOrder()));
  }

  /** {@code count} elements from element {@code from} on, to write and read. */
  ByteBuffer view(long from, long count, DataType type) {
    int begin = Math.toIntExact(from * type.bytes());
    return bytes.slice(begin, Math.toIntExact(count * type.bytes()));
  }

  /** The first {@code count} elements, for the communicator. */
  Span span(long count, DataType type) {
    return registered == null
        ? Span.of(view(0, count, type), type)
        : registered.span(0, count, type);
  }

  @Override
  public void close() {
    if (registered != null) {
      registered.close();
    }
  }
}
