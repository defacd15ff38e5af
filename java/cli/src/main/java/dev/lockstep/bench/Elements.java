package dev.lockstep.bench;

import dev.lockstep.comm.DataType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Numbers as elements of a {@link DataType}, rounded to nearest even. */
final class Elements {
  private static final int F16_SMALLEST_NORMAL = 0x38800000;
  private static final int F16_REBIAS = (127 - 15) << 23;

  private Elements() {}

  /** Stores element {@code index}. Integers are cut off toward zero and wrap around. */
  static void put(byte[] elements, int index, DataType type, double value) {
    ByteBuffer buffer = ByteBuffer.wrap(elements).order(ByteOrder.nativeOrder());
    int at = index * type.bytes();
    switch (type) {
      case F32 -> buffer.putFloat(at, (float) value);
      case F64 -> buffer.putDouble(at, value);
      case F16 -> buffer.putShort(at, f16((float) value));
      case BF16 -> buffer.putShort(at, roundedUpper16(Float.floatToRawIntBits((float) value)));
      case I32 -> buffer.putInt(at, (int) value);
      case I64 -> buffer.putLong(at, (long) value);
      case U8 -> buffer.put(at, (byte) (int) value);
    }
  }

  private static short roundedUpper16(int bits) {
    return (short) ((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
  }

  /** Of the numbers that patterns hold: 0, and from 2⁻¹⁴ up to 65,504. */
  private static short f16(float value) {
    if (value == 0) {
      return 0;
    }
    int bits = Float.floatToRawIntBits(value);
    if (bits < F16_SMALLEST_NORMAL || value > 65504) {
      throw new IllegalArgumentException(value + " is no number of a pattern");
    }
    return (short) ((bits - F16_REBIAS + 0xfff + ((bits >> 13) & 1)) >> 13);
  }
}
