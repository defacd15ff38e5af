package dev.lockstep.bench;

import dev.lockstep.comm.DataType;
import java.nio.ByteBuffer;
import java.util.function.IntToDoubleFunction;

/**
 * Elements that repeat with a prime period, so that pieces of a buffer which are cut at powers of
 * two never look alike. Written and compared by bulk operations, at the speed of memory. {@link
 * #VARIANTS} shifted forms of it keep the results of one iteration from passing for the next one's.
 */
final class Pattern {
  static final int VARIANTS = 7;

  /** Elements; 64 KiB at most, which lie in a core's L2 cache beside the buffers. */
  private static final int PERIOD = 8191;

  private final int elementBytes;

  /** The period, and further elements into which variants reach. */
  private final byte[] elements;

  private final ByteBuffer view;

  private Pattern(DataType type, byte[] elements) {
    this.elementBytes = type.bytes();
    this.elements = elements;
    this.view = ByteBuffer.wrap(elements);
  }

  /**
   * Elements of {@code type}.
   *
   * @param value of an element, by its index in the period
   */
  static Pattern of(DataType type, IntToDoubleFunction value) {
    byte[] elements = new byte[(PERIOD + VARIANTS) * type.bytes()];
    for (int i = 0; i < PERIOD + VARIANTS; i++) {
      Elements.put(elements, i, type, value.applyAsDouble(i % PERIOD));
    }
    return new Pattern(type, elements);
  }

  /** Overwrites what remains of {@code buffer}, whose position stays. */
  void write(ByteBuffer buffer, int variant) {
    int period = PERIOD * elementBytes;
    int end = buffer.limit();
    for (int position = buffer.position(); position < end; position += period) {
      buffer.put(position, elements, variant * elementBytes, Math.min(period, end - position));
    }
  }

  /** How many elements of what remains of {@code buffer} are not as {@link #write} leaves them. */
  long countErrors(ByteBuffer buffer, int variant) {
    int period = PERIOD * elementBytes;
    long errors = 0;
    for (int from = buffer.position(); from < buffer.limit(); from += period) {
      int length = Math.min(period, buffer.limit() - from);
      ByteBuffer actual = buffer.slice(from, length);
      ByteBuffer expected = view.slice(variant * elementBytes, length);
      if (actual.mismatch(expected) >= 0) {
        errors += count(actual, expected);
      }
    }
    return errors;
  }

  private long count(ByteBuffer actual, ByteBuffer expected) {
    long errors = 0;
    for (int at = 0; at < actual.limit(); at += elementBytes) {
      if (!actual.slice(at, elementBytes).equals(expected.slice(at, elementBytes))) {
        errors++;
      }
    }
    return errors;
  }
}
