package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The shape of a data set or attribute (specification, IV.A.2.b).
 *
 * @param lengths of the dimensions; none for a scalar
 * @param limits what they may grow to; {@link #UNLIMITED} or at least the length
 * @param isNull whether it holds nothing, not even a scalar
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record Dataspace(long[] lengths, long[] limits, boolean isNull) {
  static final long UNLIMITED = -1;
  private static final int MAX_RANK = 32;

  static Dataspace parse(Storage storage, ByteBuffer bytes) {
    int version = bytes.get();
    int rank = Byte.toUnsignedInt(bytes.get());
    int flags = bytes.get();
    int kind = bytes.get();
    if (version != 1 && version != 2 || rank > MAX_RANK) {
      throw new UnreadableException("has a shape of the unknown version " + version);
    }
    bytes.position(bytes.position() + (version == 1 ? 4 : 0));
    long[] lengths = new long[rank];
    for (int d = 0; d < rank; d++) {
      lengths[d] = storage.length(bytes);
      if (lengths[d] < 0) {
        throw new UnreadableException("is damaged: it has a negative length");
      }
    }
    long[] limits = lengths.clone();
    for (int d = 0; d < rank && (flags & 1) != 0; d++) {
      long limit = storage.length(bytes);
      boolean all = storage.lengthBytes < 8 && limit == (1L << 8 * storage.lengthBytes) - 1;
      limits[d] = all ? UNLIMITED : limit;
    }
    return new Dataspace(lengths, limits, version == 2 && kind == 2);
  }

  int rank() {
    return lengths.length;
  }

  /** The number of elements. */
  long size() {
    return isNull ? 0 : Arrays.stream(lengths).reduce(1, Math::multiplyExact);
  }
}
