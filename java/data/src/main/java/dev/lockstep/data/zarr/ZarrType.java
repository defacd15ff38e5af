package dev.lockstep.data.zarr;

import dev.lockstep.data.StoredNumber;
import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * How a number is stored.
 *
 * @param kind 'b' for booleans, 'i', 'u' and 'f' as NumPy has them
 * @param bytes of one number
 */
record ZarrType(char kind, int bytes) {
  /** "&lt;f4" and its like of version 2; dates and texts are no numbers. */
  static ZarrType ofVersion2(String dtype) {
    if (dtype.matches("[<>|][biuf][1248]") && !dtype.endsWith("f1")) {
      return new ZarrType(dtype.charAt(1), dtype.charAt(2) - '0');
    }
    throw notNumbers(dtype);
  }

  /** "float32" and its like of version 3. */
  static ZarrType ofVersion3(String name) {
    if (name.equals("bool")) {
      return new ZarrType('b', 1);
    }
    if (name.matches("(u?int(8|16|32|64))|float(16|32|64)")) {
      return new ZarrType(name.charAt(0), Integer.parseInt(name.replaceAll("\\D", "")) / 8);
    }
    throw notNumbers(name);
  }

  private static UnreadableException notNumbers(String type) {
    return new UnreadableException("holds " + type + ", not numbers of at most 8 bytes");
  }

  StoredNumber stored() {
    return kind == 'f'
        ? StoredNumber.floating(bytes * Byte.SIZE)
        : StoredNumber.integer(bytes * Byte.SIZE, kind == 'i');
  }

  String label() {
    String name = kind == 'f' ? "float" : kind == 'b' ? "bool" : kind == 'u' ? "uint" : "int";
    return kind == 'b' ? name : name + bytes * Byte.SIZE;
  }

  /** One number at a byte. */
  double get(ByteBuffer buffer, int at) {
    if (kind == 'f') {
      return bytes == Double.BYTES
          ? buffer.getDouble(at)
          : bytes == Float.BYTES ? buffer.getFloat(at) : half(buffer.getShort(at));
    }
    boolean signed = kind == 'i';
    return switch (bytes) {
      case 1 -> signed ? buffer.get(at) : Byte.toUnsignedInt(buffer.get(at));
      case 2 -> signed ? buffer.getShort(at) : Short.toUnsignedInt(buffer.getShort(at));
      case 4 -> signed ? buffer.getInt(at) : Integer.toUnsignedLong(buffer.getInt(at));
      default ->
          signed ? (double) buffer.getLong(at) : StoredNumber.unsignedToDouble(buffer.getLong(at));
    };
  }

  /** IEEE 754 binary16. */
  private static double half(short bits) {
    int exponent = bits >> 10 & 31;
    int mantissa = bits & 1023;
    double size =
        exponent == 31
            ? (mantissa == 0 ? Double.POSITIVE_INFINITY : Double.NaN)
            : exponent == 0 ? mantissa * 0x1p-24 : Math.scalb(1024.0 + mantissa, exponent - 25);
    return bits < 0 ? -size : size;
  }

  static ByteOrder order(String dtype) {
    return dtype.startsWith(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
  }
}
