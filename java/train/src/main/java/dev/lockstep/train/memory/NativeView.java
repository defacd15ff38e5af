package dev.lockstep.train.memory;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * Native memory as libtorch and as Java see it. Views own nothing and end before the memory does.
 */
public final class NativeView {
  private static final long PIECE = 1 << 30;

  private NativeView() {}

  /** A dense tensor over {@code address}; belongs to the current scope. */
  public static Tensor tensor(long address, ScalarType type, long... shape) {
    return torch.from_blob(new Address(address), shape, new TensorOptions(type));
  }

  /** At most 2 GiB from {@code address} on, in native byte order. */
  public static ByteBuffer bytes(long address, long count) {
    if (count == 0) {
      return ByteBuffer.allocateDirect(0).order(ByteOrder.nativeOrder());
    }
    return new BytePointer(new Address(address))
        .capacity(count)
        .asByteBuffer()
        .order(ByteOrder.nativeOrder());
  }

  /** Any number of bytes from {@code address} on, cut into buffers of at most 1 GiB. */
  public static List<ByteBuffer> pieces(long address, long count) {
    List<ByteBuffer> pieces = new ArrayList<>();
    for (long at = 0; at < count || pieces.isEmpty(); at += PIECE) {
      pieces.add(bytes(address + at, Math.min(PIECE, count - at)));
    }
    return pieces;
  }

  public static void zero(long address, long bytes) {
    if (bytes > 0) {
      Pointer.memset(new Address(address), 0, bytes);
    }
  }

  public static void copy(long to, long from, long bytes) {
    if (bytes > 0) {
      Pointer.memcpy(new Address(to), new Address(from), bytes);
    }
  }

  private static final class Address extends Pointer {
    Address(long address) {
      this.address = address;
    }
  }
}
