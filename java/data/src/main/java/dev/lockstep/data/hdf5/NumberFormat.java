package dev.lockstep.data.hdf5;

import dev.lockstep.data.StoredNumber;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a number of at most eight bytes is laid out: integers and floating-point numbers of any
 * width, offset and byte order (specification, IV.A.2.d).
 *
 * @param size bytes of one number
 * @param bitOffset of the number's lowest bit
 * @param precision its bits
 * @param floating fields of a floating-point number; null for integers
 */
record NumberFormat(
    int size,
    ByteOrder order,
    int bitOffset,
    int precision,
    boolean signed,
    @org.jspecify.annotations.Nullable FloatFields floating) {

  /** Positions (from the number's bit 0) and widths of the fields. */
  record FloatFields(
      int sign,
      int exponentAt,
      int exponentBits,
      int mantissaAt,
      int mantissaBits,
      long bias,
      boolean impliedBit) {
    boolean isSingle() {
      return equals(new FloatFields(31, 23, 8, 0, 23, 127, true));
    }

    boolean isDouble() {
      return equals(new FloatFields(63, 52, 11, 0, 52, 1023, true));
    }

    /** IEEE 754 with other widths: binary16, bfloat16. */
    double decode(long bits) {
      long mantissa = bits >>> mantissaAt & mask(mantissaBits);
      long exponent = bits >>> exponentAt & mask(exponentBits);
      double magnitude;
      if (exponent == mask(exponentBits)) {
        magnitude = mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
      } else {
        boolean normal = impliedBit && exponent != 0;
        double significand = mantissa + (normal ? 0x1p0 * (1L << mantissaBits) : 0);
        long scale = (impliedBit && exponent == 0 ? 1 : exponent) - bias - mantissaBits;
        magnitude = Math.scalb(significand, Math.toIntExact(scale + (impliedBit ? 0 : 1)));
      }
      return (bits >>> sign & 1) == 0 ? magnitude : -magnitude;
    }
  }

  private static long mask(int bits) {
    return bits >= 64 ? -1L : (1L << bits) - 1;
  }

  StoredNumber stored() {
    return floating == null
        ? StoredNumber.integer(precision, signed)
        : StoredNumber.floating(size * Byte.SIZE);
  }

  /** Turns {@code count} numbers from byte {@code at} on into values. */
  void decode(byte[] bytes, int at, double[] values, int into, int count) {
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(order);
    boolean whole = bitOffset == 0 && precision == size * Byte.SIZE;
    if (floating != null && size == Float.BYTES && floating.isSingle()) {
      for (int i = 0; i < count; i++) {
        values[into + i] = buffer.getFloat(at + i * Float.BYTES);
      }
    } else if (floating != null && size == Double.BYTES && floating.isDouble()) {
      buffer.position(at).slice().order(order).asDoubleBuffer().get(values, into, count);
    } else if (floating == null && whole && signed && size == Short.BYTES) {
      for (int i = 0; i < count; i++) {
        values[into + i] = buffer.getShort(at + i * Short.BYTES);
      }
    } else {
      for (int i = 0; i < count; i++) {
        values[into + i] = number(bits(buffer, at + i * size));
      }
    }
  }

  private double number(long bits) {
    if (floating != null) {
      return floating.decode(bits);
    }
    long field = bits >>> bitOffset & mask(precision);
    if (signed) {
      int unused = Long.SIZE - precision;
      return field << unused >> unused;
    }
    return StoredNumber.unsignedToDouble(field);
  }

  /** An integer of at most 64 bits, exactly; unsigned ones of 64 bits keep their bits. */
  long integer(ByteBuffer buffer, int at) {
    long field = bits(buffer, at) >>> bitOffset & mask(precision);
    int unused = Long.SIZE - precision;
    return signed ? field << unused >> unused : field;
  }

  private long bits(ByteBuffer buffer, int at) {
    long bits = 0;
    for (int i = 0; i < size; i++) {
      int from = order == ByteOrder.LITTLE_ENDIAN ? size - 1 - i : i;
      bits = bits << 8 | Byte.toUnsignedLong(buffer.get(at + from));
    }
    return bits;
  }
}
