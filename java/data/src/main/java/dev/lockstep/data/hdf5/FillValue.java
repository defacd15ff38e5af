package dev.lockstep.data.hdf5;

import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * What a data set reads as where nothing was written (specification, IV.A.2.e and f).
 *
 * @param bytes one element as stored; null for zero
 * @param never whether the writer was told to leave unwritten values undefined, as NetCDF's no-fill
 *     mode does
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record FillValue(byte @Nullable [] bytes, boolean never) {
  private static final int TIME_NEVER = 1;

  static FillValue of(ObjectHeader header) {
    ByteBuffer message = header.find(ObjectHeader.FILL_VALUE);
    if (message != null) {
      return parse(message);
    }
    ByteBuffer old = header.find(ObjectHeader.OLD_FILL_VALUE);
    return new FillValue(old == null ? null : value(old), false);
  }

  private static FillValue parse(ByteBuffer bytes) {
    int version = bytes.get();
    if (version == 3) {
      int flags = bytes.get();
      boolean defined = (flags & 0x20) != 0;
      return new FillValue(defined ? value(bytes) : null, (flags >> 2 & 3) == TIME_NEVER);
    }
    bytes.get();
    boolean never = bytes.get() == TIME_NEVER;
    boolean defined = bytes.get() != 0 || version == 1;
    return new FillValue(defined ? value(bytes) : null, never);
  }

  private static byte @Nullable [] value(ByteBuffer bytes) {
    int size = bytes.remaining() < Integer.BYTES ? 0 : bytes.getInt();
    if (size <= 0) {
      return null;
    }
    byte[] value = new byte[Math.min(size, bytes.remaining())];
    bytes.get(value);
    return value;
  }

  /** The fill value as a number. */
  double number(NumberFormat format) {
    if (bytes == null || bytes.length < format.size()) {
      return 0;
    }
    double[] value = new double[1];
    format.decode(bytes, 0, value, 0, 1);
    return value[0];
  }
}
