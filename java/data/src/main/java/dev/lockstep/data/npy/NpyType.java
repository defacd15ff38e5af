package dev.lockstep.data.npy;

import dev.lockstep.data.StoredNumber;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.jspecify.annotations.Nullable;

/**
 * The type of an NPY array's elements, from its {@code descr}: byte order, kind, bytes.
 *
 * @param kind f float, i signed, u unsigned, b boolean
 * @param size bytes of one element
 */
record NpyType(ByteOrder order, char kind, int size) {

  /** Returns null for what is not a real number or a boolean. */
  static @Nullable NpyType of(String descr) {
    if (!descr.matches("[<>|=](f[248]|[iu][1248]|b1)")) {
      return null;
    }
    ByteOrder order = descr.charAt(0) == '>' ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new NpyType(order, descr.charAt(1), descr.charAt(2) - '0');
  }

  String label() {
    String name = kind == 'f' ? "float" : kind == 'i' ? "int" : kind == 'u' ? "uint" : "bool";
    return name + 8 * size;
  }

  /** One element at a byte position of a buffer that has this type's order. */
  double get(ByteBuffer bytes, int position) {
    boolean signed = kind == 'i';
    return switch (size) {
      case 1 -> signed ? bytes.get(position) : Byte.toUnsignedInt(bytes.get(position));
      case 2 -> {
        short bits = bytes.getShort(position);
        yield kind == 'f' ? half(bits) : signed ? bits : Short.toUnsignedInt(bits);
      }
      case 4 -> {
        int bits = bytes.getInt(position);
        yield kind == 'f'
            ? Float.intBitsToFloat(bits)
            : signed ? bits : Integer.toUnsignedLong(bits);
      }
      default -> {
        long bits = bytes.getLong(position);
        yield kind == 'f'
            ? Double.longBitsToDouble(bits)
            : signed ? bits : StoredNumber.unsignedToDouble(bits);
      }
    };
  }

  /** IEEE 754 binary16: one sign bit, five of exponent (bias 15), ten of significand. */
  private static double half(short bits) {
    int exponent = bits >> 10 & 0x1F;
    int significand = bits & 0x3FF;
    double magnitude =
        switch (exponent) {
          case 0 -> significand * 0x1p-24;
          case 0x1F -> significand == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
          default -> Math.scalb(1 + significand * 0x1p-10, exponent - 15);
        };
    return bits < 0 ? -magnitude : magnitude;
  }
}
