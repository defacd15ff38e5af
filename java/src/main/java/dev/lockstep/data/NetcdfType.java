package dev.lockstep.data;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The types of NetCDF classic files with their codes, sizes and default fill values (netcdf.h,
 * {@code NC_FILL_*}). Bytes and characters have no default: all of their values are in use.
 */
enum NetcdfType {
  BYTE(1, 1, "byte", null),
  CHAR(2, 1, "char", null),
  SHORT(3, 2, "short", -32767.0),
  INT(4, 4, "int", -2147483647.0),
  FLOAT(5, 4, "float", 9.9692099683868690e+36),
  DOUBLE(6, 8, "double", 9.9692099683868690e+36),
  UBYTE(7, 1, "ubyte", null),
  USHORT(8, 2, "ushort", 65535.0),
  UINT(9, 4, "uint", 4294967295.0),
  INT64(10, 8, "int64", -0x1p63) /* −2⁶³ + 2, rounded */,
  UINT64(11, 8, "uint64", 0x1p64) /* 2⁶⁴ − 2, rounded */;

  final int code;
  final int size;
  final String label;
  final @Nullable Double defaultFill;

  NetcdfType(int code, int size, String label, @Nullable Double defaultFill) {
    this.code = code;
    this.size = size;
    this.label = label;
    this.defaultFill = defaultFill;
  }

  static @Nullable NetcdfType ofCode(int code) {
    return code >= 1 && code <= values().length ? values()[code - 1] : null;
  }

  /** One value at a byte position of a big-endian buffer. */
  double get(ByteBuffer bytes, int position) {
    return switch (this) {
      case BYTE -> bytes.get(position);
      case CHAR, UBYTE -> Byte.toUnsignedInt(bytes.get(position));
      case SHORT -> bytes.getShort(position);
      case USHORT -> Short.toUnsignedInt(bytes.getShort(position));
      case INT -> bytes.getInt(position);
      case UINT -> Integer.toUnsignedLong(bytes.getInt(position));
      case FLOAT -> bytes.getFloat(position);
      case DOUBLE -> bytes.getDouble(position);
      case INT64 -> bytes.getLong(position);
      case UINT64 -> unsignedToDouble(bytes.getLong(position));
    };
  }

  /** A number as this type stores it. */
  double stored(double number) {
    return this == FLOAT ? (float) number : number;
  }

  static double unsignedToDouble(long bits) {
    // Halving keeps the lowest bit, so that rounding is as of the whole number.
    return bits >= 0 ? bits : ((bits >>> 1) | (bits & 1)) * 2.0;
  }
}
