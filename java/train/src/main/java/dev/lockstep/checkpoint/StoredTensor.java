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
 * @param pieces the elements: buffers with together exactly {@code product(shape) × type.bytes()}
 *     bytes remaining; several, because a buffer holds at most 2 GiB
 */
public record StoredTensor(
    String name, TensorType type, List<Long> shape, List<ByteBuffer> pieces) {
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
    long found = pieces.stream().mapToLong(ByteBuffer::remaining).sum();
    if (found != expected) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "Tensor '%s' of type %s and shape %s needs %d bytes, but its data has %d.",
              name,
              type,
              shape,
              expected,
              found));
    }
    pieces =
        pieces.stream()
            .map(piece -> piece.asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN))
            .toList();
  }

  /** A tensor in one buffer. */
  public StoredTensor(String name, TensorType type, List<Long> shape, ByteBuffer data) {
    this(name, type, shape, List.of(data));
  }

  /**
   * Returns the elements' bytes, piece by piece.
   *
   * @return new read-only, little-endian views, positioned at their first bytes; a caller may move
   *     their positions
   */
  @Override
  public List<ByteBuffer> pieces() {
    return pieces.stream().map(piece -> piece.duplicate().order(ByteOrder.LITTLE_ENDIAN)).toList();
  }

  /**
   * Returns the elements' bytes, of a tensor in one piece.
   *
   * @return a view as those of {@link #pieces}
   * @throws IllegalStateException if there are several pieces
   */
  public ByteBuffer data() {
    if (pieces.size() != 1) {
      throw new IllegalStateException(
          "Tensor '" + name + "' lies in " + pieces.size() + " pieces; read them one by one.");
    }
    return pieces().get(0);
  }

  /** Size in bytes. */
  public long bytes() {
    return pieces.stream().mapToLong(ByteBuffer::remaining).sum();
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
