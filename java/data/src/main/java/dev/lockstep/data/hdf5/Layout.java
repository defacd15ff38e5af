package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Where a data set's values lie (the data layout message, specification IV.A.2.i).
 *
 * @param kind compact, contiguous or chunked
 * @param address of the values or of the index of chunks
 * @param inline the values of a compact data set
 * @param chunk lengths of a chunk; empty unless chunked
 * @param index how chunks are found
 * @param partialUnfiltered whether chunks that reach over the edge are stored without filters
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record Layout(
    Kind kind,
    long address,
    byte @Nullable [] inline,
    long[] chunk,
    IndexKind index,
    boolean partialUnfiltered,
    long singleBytes,
    int singleMask,
    boolean wideSizes) {
  enum Kind {
    COMPACT,
    CONTIGUOUS,
    CHUNKED
  }

  enum IndexKind {
    B_TREE_1,
    SINGLE,
    IMPLICIT,
    FIXED_ARRAY,
    EXTENSIBLE_ARRAY,
    B_TREE_2
  }

  private static final int MAX_RANK = 33;

  static Layout parse(Storage storage, ByteBuffer bytes) {
    int version = bytes.get();
    return switch (version) {
      case 1, 2 -> parseOld(storage, bytes);
      case 3, 4, 5 -> parseNew(storage, bytes, version);
      default ->
          throw new UnreadableException(
              "has a data layout of version " + version + ", newer than this reader (5)");
    };
  }

  private static Layout plain(Kind kind, long address, byte @Nullable [] inline) {
    return new Layout(kind, address, inline, new long[0], IndexKind.B_TREE_1, false, 0, 0, false);
  }

  private static Layout parseOld(Storage storage, ByteBuffer bytes) {
    int rank = Byte.toUnsignedInt(bytes.get());
    int kind = bytes.get();
    bytes.position(bytes.position() + 5);
    long address = kind == 0 ? Storage.UNDEFINED : storage.offset(bytes);
    long[] lengths = lengths(bytes, rank, Integer.BYTES);
    if (kind == 0) {
      return plain(Kind.COMPACT, address, inline(bytes, bytes.getInt()));
    }
    return kind == 1 ? plain(Kind.CONTIGUOUS, address, null) : oldChunks(address, lengths);
  }

  private static Layout parseNew(Storage storage, ByteBuffer bytes, int version) {
    int kind = bytes.get();
    if (kind == 0) {
      return plain(
          Kind.COMPACT, Storage.UNDEFINED, inline(bytes, Short.toUnsignedInt(bytes.getShort())));
    }
    if (kind == 1) {
      return plain(Kind.CONTIGUOUS, storage.offset(bytes), null);
    }
    if (kind == 3) {
      throw new UnreadableException(
          "is virtual: its values lie in other data sets, which are not read");
    }
    if (kind != 2) {
      throw new UnreadableException("has a data layout of the unknown kind " + kind);
    }
    if (version == 3) {
      int rank = Byte.toUnsignedInt(bytes.get());
      long address = storage.offset(bytes);
      return oldChunks(address, lengths(bytes, rank, Integer.BYTES));
    }
    return newChunks(storage, bytes, version);
  }

  private static Layout oldChunks(long address, long[] lengths) {
    return new Layout(
        Kind.CHUNKED,
        address,
        null,
        withoutElement(lengths),
        IndexKind.B_TREE_1,
        false,
        0,
        0,
        false);
  }

  private static Layout newChunks(Storage storage, ByteBuffer bytes, int version) {
    int flags = bytes.get();
    int rank = Byte.toUnsignedInt(bytes.get());
    int width = Byte.toUnsignedInt(bytes.get());
    if (width < 1 || width > Long.BYTES) {
      throw new UnreadableException("is damaged: its chunk lengths have " + width + " bytes");
    }
    long[] chunk = withoutElement(lengths(bytes, rank, width));
    int index = bytes.get();
    long singleBytes = 0;
    int singleMask = 0;
    IndexKind kind =
        switch (index) {
          case 1 -> IndexKind.SINGLE;
          case 2 -> IndexKind.IMPLICIT;
          case 3 -> IndexKind.FIXED_ARRAY;
          case 4 -> IndexKind.EXTENSIBLE_ARRAY;
          case 5 -> IndexKind.B_TREE_2;
          default -> throw new UnreadableException("finds chunks by the unknown index " + index);
        };
    if (kind == IndexKind.SINGLE && (flags & 2) != 0) {
      singleBytes = storage.length(bytes);
      singleMask = bytes.getInt();
    }
    // What follows repeats the headers of the indexes.
    int skip =
        switch (kind) {
          case FIXED_ARRAY -> 1;
          case EXTENSIBLE_ARRAY -> 5;
          case B_TREE_2 -> 6;
          default -> 0;
        };
    long address = storage.offset(bytes.position(bytes.position() + skip));
    return new Layout(
        Kind.CHUNKED,
        address,
        null,
        chunk,
        kind,
        (flags & 1) != 0,
        singleBytes,
        singleMask,
        version > 4);
  }

  private static long[] lengths(ByteBuffer bytes, int rank, int width) {
    if (rank > MAX_RANK) {
      throw new UnreadableException("is damaged: its layout has " + rank + " dimensions");
    }
    long[] lengths = new long[rank];
    for (int d = 0; d < rank; d++) {
      lengths[d] = Storage.unsigned(bytes, width);
    }
    return lengths;
  }

  /** The last length is the size of an element. */
  private static long[] withoutElement(long[] lengths) {
    if (lengths.length < 2) {
      throw new UnreadableException("is damaged: its chunks have no dimensions");
    }
    long[] chunk = java.util.Arrays.copyOf(lengths, lengths.length - 1);
    for (long length : chunk) {
      if (length <= 0) {
        throw new UnreadableException("is damaged: its chunks have a length of " + length);
      }
    }
    return chunk;
  }

  private static byte[] inline(ByteBuffer bytes, int size) {
    byte[] inline = new byte[Math.min(size, bytes.remaining())];
    bytes.get(inline);
    return inline;
  }
}
