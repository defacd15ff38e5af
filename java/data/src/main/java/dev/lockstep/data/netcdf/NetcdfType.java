package dev.lockstep.data.netcdf;

import dev.lockstep.data.StoredNumber;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/** The types of NetCDF classic files with their codes and sizes (netcdf.h). */
enum NetcdfType {
  BYTE(1, 1, "byte", true),
  CHAR(2, 1, "char", false),
  SHORT(3, 2, "short", true),
  INT(4, 4, "int", true),
  FLOAT(5, 4, "float", true),
  DOUBLE(6, 8, "double", true),
  UBYTE(7, 1, "ubyte", false),
  USHORT(8, 2, "ushort", false),
  UINT(9, 4, "uint", false),
  INT64(10, 8, "int64", true),
  UINT64(11, 8, "uint64", false);

  final int code;
  final int size;
  final String label;
  private final boolean signed;

  NetcdfType(int code, int size, String label, boolean signed) {
    this.code = code;
    this.size = size;
    this.label = label;
    this.signed = signed;
  }

  static @Nullable NetcdfType ofCode(int code) {
    return code >= 1 && code <= values().length ? values()[code - 1] : null;
  }

  static NetcdfType ofLabel(String label) {
    for (NetcdfType type : values()) {
      if (type.label.equals(label)) {
        return type;
      }
    }
    throw new IllegalArgumentException("NetCDF classic has no type " + label);
  }

  boolean isFloating() {
    return this == FLOAT || this == DOUBLE;
  }

  StoredNumber stored() {
    return isFloating()
        ? StoredNumber.floating(size * Byte.SIZE)
        : StoredNumber.integer(size * Byte.SIZE, signed);
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
      case UINT64 -> StoredNumber.unsignedToDouble(bytes.getLong(position));
    };
  }

  /** Writes one value, which this type holds, at a byte position of a big-endian buffer. */
  void put(ByteBuffer bytes, int position, double value) {
    switch (this) {
      case BYTE, CHAR, UBYTE -> bytes.put(position, (byte) value);
      case SHORT, USHORT -> bytes.putShort(position, (short) value);
      case INT, UINT -> bytes.putInt(position, (int) (long) value);
      case FLOAT -> bytes.putFloat(position, (float) value);
      case DOUBLE -> bytes.putDouble(position, value);
      case INT64, UINT64 -> bytes.putLong(position, (long) value);
    }
  }
}
