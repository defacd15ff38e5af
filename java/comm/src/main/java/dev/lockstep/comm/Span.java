package dev.lockstep.comm;

import java.lang.ref.Reference;
import java.nio.Buffer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.Objects;
import org.bytedeco.javacpp.Pointer;

/**
 * A run of native elements that an operation reads or writes: an address, a length and a type. It
 * keeps what it was made from reachable, so the memory lives at least as long as the span, unless
 * its owner closes it ({@link MemoryOwner}). {@link NativeMemory} may be closed while an operation
 * is under way, which keeps it until its end. A span whose owner is closed is refused. Immutable;
 * one element per {@link DataType} slot.
 */
public final class Span {
  private static final Span EMPTY = new Span(0, 0, DataType.U8, "");

  private final long address;
  private final long count;
  private final DataType type;
  private final Object owner;

  Span(long address, long count, DataType type, Object owner) {
    this.address = address;
    this.count = count;
    this.type = type;
    this.owner = owner;
  }

  /** No elements; what ranks without a buffer pass (non-roots of {@code scatter}, say). */
  public static Span empty() {
    return EMPTY;
  }

  /**
   * Elements at an address, for libraries with memory of their own.
   *
   * @param address of the first element; looked at when {@code count} is above 0
   * @param owner keeps the elements in place during operations
   * @throws IllegalArgumentException when there are elements at address 0, or fewer than none
   */
  public static Span of(long address, long count, DataType type, MemoryOwner owner) {
    Objects.requireNonNull(type, "type");
    Objects.requireNonNull(owner, "owner");
    if (count < 0 || (count > 0 && address == 0)) {
      throw new IllegalArgumentException(count + " elements at address " + address + ".");
    }
    return new Span(address, count, type, owner);
  }

  /** The remaining elements of a direct buffer. */
  public static Span of(FloatBuffer buffer) {
    Objects.requireNonNull(buffer, "buffer");
    return ofBuffer(buffer, DataType.F32, buffer.order());
  }

  /** The remaining elements of a direct buffer. */
  public static Span of(DoubleBuffer buffer) {
    Objects.requireNonNull(buffer, "buffer");
    return ofBuffer(buffer, DataType.F64, buffer.order());
  }

  /** The remaining elements of a direct buffer. */
  public static Span of(IntBuffer buffer) {
    Objects.requireNonNull(buffer, "buffer");
    return ofBuffer(buffer, DataType.I32, buffer.order());
  }

  /** The remaining elements of a direct buffer. */
  public static Span of(LongBuffer buffer) {
    Objects.requireNonNull(buffer, "buffer");
    return ofBuffer(buffer, DataType.I64, buffer.order());
  }

  /** The remaining bytes of a direct buffer. */
  public static Span of(ByteBuffer buffer) {
    Objects.requireNonNull(buffer, "buffer");
    return ofBuffer(buffer, DataType.U8, ByteOrder.nativeOrder());
  }

  /**
   * The remaining bytes of a direct buffer, in native byte order, as elements of {@code type}.
   *
   * @throws IllegalArgumentException when the bytes are no whole number of elements
   */
  public static Span of(ByteBuffer buffer, DataType type) {
    Objects.requireNonNull(buffer, "buffer");
    Objects.requireNonNull(type, "type");
    if (buffer.remaining() % type.bytes() != 0) {
      throw new IllegalArgumentException(
          buffer.remaining() + " bytes are no whole number of " + type + " elements.");
    }
    Span bytes = ofBuffer(buffer, DataType.U8, ByteOrder.nativeOrder());
    return new Span(bytes.address, bytes.count / type.bytes(), type, buffer);
  }

  private static Span ofBuffer(Buffer buffer, DataType type, ByteOrder order) {
    if (!buffer.isDirect()) {
      throw new IllegalArgumentException(
          "Communicators take direct buffers; use ByteBuffer.allocateDirect or an array method.");
    }
    if (order != ByteOrder.nativeOrder()) {
      throw new IllegalArgumentException(
          "Communicators take buffers in native byte order; call order(ByteOrder.nativeOrder()).");
    }
    if (!buffer.hasRemaining()) {
      return new Span(0, 0, type, buffer);
    }
    // JavaCPP's address() leaves out the buffer's position, which it keeps beside it.
    Pointer pointer = new Pointer(buffer);
    long address = pointer.address() + (long) buffer.position() * type.bytes();
    return new Span(address, buffer.remaining(), type, buffer);
  }

  /**
   * Elements {@code from} to {@code from + length} of this span.
   *
   * @throws IndexOutOfBoundsException when they are not all inside
   */
  public Span slice(long from, long length) {
    if (from < 0 || length < 0 || from > count - length) {
      throw new IndexOutOfBoundsException(
          "Elements " + from + " to " + (from + length) + " of a span of " + count);
    }
    return new Span(address + from * type.bytes(), length, type, owner);
  }

  /** Address of the first element; meaningless when there are none. */
  public long address() {
    return address;
  }

  /**
   * Keeps the memory in place, whatever its owner does, until the returned action has run.
   *
   * @throws IllegalStateException when the owner has closed it already
   */
  Runnable hold() {
    return owner instanceof MemoryOwner memory
        ? memory.hold()
        : () -> Reference.reachabilityFence(this);
  }

  /**
   * Keeps the memory in place until {@link #exit}, for one blocking operation: nothing is made that
   * would have to be collected.
   *
   * @throws IllegalStateException when the owner has closed it already
   */
  void enter() {
    if (owner instanceof MemoryOwner memory) {
      memory.enter();
    }
  }

  void exit() {
    if (owner instanceof MemoryOwner memory) {
      memory.exit();
    }
    Reference.reachabilityFence(this);
  }

  /** Number of elements. */
  public long count() {
    return count;
  }

  public DataType type() {
    return type;
  }

  @Override
  public String toString() {
    return count + " " + type;
  }
}
