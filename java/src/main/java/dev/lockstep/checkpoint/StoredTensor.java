package dev.lockstep.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Locale;

/**
 * A named tensor as a file holds it: dense, row-major, little-endian.
 *
 * <p>The record does not copy the bytes. Whoever makes one for {@link CheckpointStore#save} leaves
 * the memory behind {@code data} alone until the call returns; tensors that a store loaded own
 * their memory.
 *
 * @param name a non-empty name, unique in its checkpoint, for example {@code model.layers.0.weight}
 * @param type the element type
 * @param shape the length of each dimension, outermost first; empty for a scalar
 * @param data the elements: a buffer with exactly {@code product(shape) × type.bytes()} bytes
 *     remaining
 */
public record StoredTensor(String name, TensorType type, List<Long> shape, ByteBuffer data) {
  /**
   * Checks that name, shape and data agree.
   *
   * @throws IllegalArgumentException if the name is empty or reserved, a dimension is negative, or
   *     the data's length is not the shape's
   */
  public StoredTensor {
    if (name.isEmpty() || name.equals("__metadata__")) {
      throw new IllegalArgumentException(
          "A tensor cannot be named '" + name + "': safetensors reserves it; choose another name.");
    }
    shape = List.copyOf(shape);
    long expected = byteLength(name, type, shape);
    if (data.remaining() != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Tensor '%s' of type %s and shape %s needs %d bytes, but its data has %d.",
              name,
              type,
              shape,
              expected,
              data.remaining()));
    }
    data = data.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * Returns the elements' bytes.
   *
   * @return a new read-only, little-endian view, positioned at the first element; a caller may move
   *     its position
   */
  @Override
  public ByteBuffer data() {
    return data.duplicate().order(ByteOrder.LITTLE_ENDIAN);
  }

  /** The dense size in bytes of a shape, checked for overflow. */
  static long byteLength(String name, TensorType type, List<Long> shape) {
    long length = type.bytes();
    boolean empty = false;
    for (long dimension : shape) {
      if (dimension < 0) {
        throw new IllegalArgumentException(
            String.format(
                Locale.ROOT, "Tensor '%s' has a negative dimension in its shape %s.", name, shape));
      }
      empty |= dimension == 0;
    }
    if (empty) {
      return 0;
    }
    try {
      for (long dimension : shape) {
        length = Math.multiplyExact(length, dimension);
      }
    } catch (ArithmeticException overflow) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT, "Tensor '%s' of shape %s is larger than any file.", name, shape),
          overflow);
    }
    return length;
  }
}
