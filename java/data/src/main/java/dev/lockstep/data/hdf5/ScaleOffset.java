package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * HDF5's scale-offset filter (H5Zscaleoffset.c): integers, or decimals scaled to integers, as their
 * distance from the chunk's minimum in as few bits as it takes, highest bit first.
 */
final class ScaleOffset {
  private static final int HEADER_BYTES = 21;
  private static final int MIN_PARAMETERS = 8;

  private ScaleOffset() {}

  static byte[] decode(byte[] stored, int[] parameters, int size) {
    if (parameters.length < MIN_PARAMETERS || stored.length < HEADER_BYTES) {
      throw new UnreadableException("is damaged: a scale-offset chunk is too short");
    }
    int elementBytes = parameters[4];
    boolean floating = parameters[3] == 1;
    boolean bigEndian = parameters[6] == 1;
    if (parameters[0] == 1 || elementBytes < 1 || elementBytes > 8 || size % elementBytes != 0) {
      throw new UnreadableException("uses a kind of the scale-offset filter that is not read");
    }
    ByteBuffer in = ByteBuffer.wrap(stored).order(ByteOrder.LITTLE_ENDIAN);
    int bits = in.getInt();
    in.get();
    long minimum = in.getLong();
    ByteBuffer out =
        ByteBuffer.allocate(size).order(bigEndian ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
    long position = HEADER_BYTES * 8L;
    if (bits < 0
        || bits > elementBytes * 8
        || (long) size / elementBytes * bits > 8L * (stored.length - HEADER_BYTES)) {
      throw new UnreadableException("is damaged: a scale-offset chunk is cut short");
    }
    boolean verbatim = bits == elementBytes * 8;
    boolean filled = parameters[7] == 1;
    long sentinel = bits == 64 ? -1 : (1L << bits) - 1;
    for (int at = 0; at < size; at += elementBytes, position += bits) {
      long distance;
      if (verbatim) {
        distance = Storage.unsigned(in.position(HEADER_BYTES + at), elementBytes);
        put(out, distance, elementBytes);
        continue;
      }
      distance = bits(stored, position, bits);
      if (filled && distance == sentinel) {
        put(out, fill(parameters), elementBytes);
      } else if (floating) {
        put(out, decimal(distance, minimum, parameters[1], elementBytes), elementBytes);
      } else {
        put(out, distance + minimum, elementBytes);
      }
    }
    return out.array();
  }

  private static long bits(byte[] bytes, long position, int count) {
    long value = 0;
    for (long p = position; p < position + count; p++) {
      value = value << 1 | bytes[(int) (p >> 3)] >> (7 - (p & 7)) & 1;
    }
    return value;
  }

  /** The writer works in the element's own type, and so does this. */
  private static long decimal(long distance, long minimum, int decimals, int elementBytes) {
    if (elementBytes == Float.BYTES) {
      float value =
          (float) (int) distance / (float) Math.pow(10, decimals)
              + Float.intBitsToFloat((int) minimum);
      return Float.floatToRawIntBits(value);
    }
    double value = distance / Math.pow(10, decimals) + Double.longBitsToDouble(minimum);
    return Double.doubleToRawLongBits(value);
  }

  private static long fill(int[] parameters) {
    long low = parameters.length > 8 ? Integer.toUnsignedLong(parameters[8]) : 0;
    long high = parameters.length > 9 ? Integer.toUnsignedLong(parameters[9]) : 0;
    return high << 32 | low;
  }

  private static void put(ByteBuffer out, long value, int bytes) {
    for (int i = 0; i < bytes; i++) {
      int shift = out.order() == ByteOrder.LITTLE_ENDIAN ? i : bytes - 1 - i;
      out.put((byte) (value >> 8 * shift));
    }
  }
}
