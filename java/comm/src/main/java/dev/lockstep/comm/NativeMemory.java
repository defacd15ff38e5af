package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.LongSupplier;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;

/**
 * Zeroed native memory on a 64-byte boundary: private ({@link #allocate}), or registered with a
 * communicator that reduces it often ({@link Communicator#allocate}). The caller closes it, after
 * every span, buffer and tensor over it is out of use; an operation that was started on it keeps it
 * until it has ended. {@link #close} may be called from any thread, more than once.
 */
public final class NativeMemory implements MemoryOwner, AutoCloseable {
  private final long address;
  private final long bytes;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** The owner, and operations that are under way; whoever leaves last frees the memory. */
  private final AtomicInteger holders = new AtomicInteger(1);

  private NativeMemory(long bytes, LongSupplier allocate) {
    try {
      this.address = allocate.getAsLong();
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    }
    this.bytes = bytes;
  }

  /** Memory of this process alone. */
  public static NativeMemory allocate(long bytes) {
    return new NativeMemory(bytes, () -> Native.allocate_memory(bytes));
  }

  static NativeMemory shared(long communicator, long bytes) {
    return new NativeMemory(bytes, () -> Native.allocate_shared(communicator, bytes));
  }

  static NativeMemory registered(long communicator, long bytes) {
    return new NativeMemory(bytes, () -> Native.allocate_registered(communicator, bytes));
  }

  /** Size in bytes. */
  public long bytes() {
    return bytes;
  }

  /**
   * The machine address.
   *
   * @throws IllegalStateException when the memory is closed
   */
  public long address() {
    if (closed.get()) {
      throw isClosed();
    }
    return address;
  }

  private IllegalStateException isClosed() {
    return new IllegalStateException("This native memory of " + bytes + " bytes is closed.");
  }

  @Override
  public Runnable hold() {
    enter();
    return this::exit;
  }

  @Override
  public void enter() {
    if (closed.get() || holders.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
      throw isClosed();
    }
  }

  @Override
  public void exit() {
    if (holders.decrementAndGet() == 0) {
      Native.free_memory(address);
    }
  }

  /**
   * {@code count} elements of {@code type} from {@code byteOffset} on.
   *
   * @throws IndexOutOfBoundsException when they are not all inside
   * @throws IllegalStateException when the memory is closed
   */
  public Span span(long byteOffset, long count, DataType type) {
    Objects.requireNonNull(type, "type");
    if (byteOffset < 0 || count < 0 || count > (bytes - byteOffset) / type.bytes()) {
      throw new IndexOutOfBoundsException(
          count + " " + type + " from byte " + byteOffset + " of " + bytes);
    }
    return new Span(address() + byteOffset, count, type, this);
  }

  /**
   * The memory as a direct buffer in native byte order; it must not be used after {@link #close}.
   *
   * @throws IllegalStateException when the memory is closed or larger than a buffer can be (2 GiB)
   */
  public ByteBuffer buffer() {
    if (bytes > Integer.MAX_VALUE) {
      throw new IllegalStateException(bytes + " bytes are more than one buffer holds.");
    }
    if (bytes == 0) {
      return ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder());
    }
    BytePointer pointer = new BytePointer(new AddressedPointer(address()));
    return pointer.capacity(bytes).asByteBuffer().order(ByteOrder.nativeOrder());
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      exit();
    }
  }

  private static final class AddressedPointer extends Pointer {
    AddressedPointer(long address) {
      this.address = address;
    }
  }
}
