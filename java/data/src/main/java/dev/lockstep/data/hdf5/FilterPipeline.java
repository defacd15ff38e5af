package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.codec.Blosc;
import dev.lockstep.data.codec.Compression;
import dev.lockstep.data.codec.Shuffle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.DataFormatException;
import java.util.zip.Inflater;

/**
 * The filters that a chunk went through when it was written (specification, IV.A.2.l), undone in
 * reverse order.
 */
record FilterPipeline(List<Filter> filters) {
  private static final int DEFLATE = 1;
  private static final int SHUFFLE = 2;
  private static final int FLETCHER32 = 3;
  private static final int SCALE_OFFSET = 6;
  private static final int LZF = 32000;
  private static final int BLOSC = 32001;
  private static final int ZSTD = 32015;
  private static final int FIRST_REGISTERED = 256;

  /** DEFLATE's highest ratio, 1032 to 1: what a stored size can expand to is bounded by it. */
  private static final long HIGHEST_RATIO = 1032;

  /** Zstandard's: a block of 128 KiB in four bytes. */
  private static final long HIGHEST_ZSTD_RATIO = 1 << 15;

  /** Room for a checksum, and one more byte, so that the end of the stream is always seen. */
  private static final int SLACK = Integer.BYTES + 1;

  private static final Map<Integer, String> UNDECODED =
      Map.of(
          4, "szip",
          5, "nbit",
          307, "bzip2",
          32004, "lz4",
          32008, "bitshuffle",
          32013, "zfp",
          32026, "blosc2");

  /** One filter and its parameters. */
  @SuppressWarnings("ArrayRecordComponent") // never leaves the package
  record Filter(int id, int[] parameters) {}

  static final FilterPipeline NONE = new FilterPipeline(List.of());

  static FilterPipeline parse(ByteBuffer bytes) {
    int version = bytes.get();
    int count = Byte.toUnsignedInt(bytes.get());
    bytes.position(bytes.position() + (version == 1 ? 6 : 0));
    List<Filter> filters = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int id = Short.toUnsignedInt(bytes.getShort());
      boolean named = version == 1 || id >= FIRST_REGISTERED;
      int nameBytes = named ? Short.toUnsignedInt(bytes.getShort()) : 0;
      bytes.getShort();
      int[] parameters = new int[Short.toUnsignedInt(bytes.getShort())];
      bytes.position(bytes.position() + (version == 1 ? nameBytes + 7 & ~7 : nameBytes));
      for (int p = 0; p < parameters.length; p++) {
        parameters[p] = bytes.getInt();
      }
      if (version == 1 && parameters.length % 2 == 1) {
        bytes.getInt();
      }
      filters.add(new Filter(id, parameters));
    }
    return new FilterPipeline(filters);
  }

  boolean isEmpty() {
    return filters.isEmpty();
  }

  /** Fails with the filter's name if a chunk cannot be decoded. */
  void requireDecodable() {
    for (Filter filter : filters) {
      boolean known =
          filter.id == DEFLATE
              || filter.id == SHUFFLE
              || filter.id == FLETCHER32
              || filter.id == SCALE_OFFSET
              || filter.id == LZF
              || filter.id == BLOSC
              || filter.id == ZSTD;
      if (!known) {
        String name = UNDECODED.getOrDefault(filter.id, "the unknown filter " + filter.id);
        throw new UnreadableException(
            "is compressed with " + name + ", which is not read; write it with gzip (deflate)");
      }
    }
  }

  /**
   * Decodes one chunk.
   *
   * @param mask the filters that were skipped for this chunk, one bit each
   * @param size bytes of the decoded chunk
   */
  byte[] decode(byte[] stored, int mask, int size) {
    boolean zstd = filters.stream().anyMatch(f -> f.id == ZSTD || f.id == BLOSC);
    if (size / (zstd ? HIGHEST_ZSTD_RATIO : HIGHEST_RATIO) > stored.length + 64L) {
      throw new UnreadableException("is damaged: " + stored.length + " bytes stand for " + size);
    }
    byte[] bytes = stored;
    for (int i = filters.size() - 1; i >= 0; i--) {
      if ((mask >> i & 1) == 0) {
        bytes = undo(filters.get(i), bytes, size);
      }
    }
    if (bytes.length != size) {
      throw new UnreadableException(
          "is damaged: a chunk has " + bytes.length + " bytes instead of " + size);
    }
    return bytes;
  }

  private static byte[] undo(Filter filter, byte[] bytes, int size) {
    return switch (filter.id) {
      case DEFLATE -> inflate(bytes, size);
      case SHUFFLE ->
          Shuffle.undoBytes(bytes, filter.parameters.length == 0 ? 1 : filter.parameters[0]);
      case FLETCHER32 -> withoutFletcher32(bytes);
      case SCALE_OFFSET -> ScaleOffset.decode(bytes, filter.parameters, size);
      case LZF -> Lzf.decode(bytes, size + SLACK);
      case BLOSC -> Blosc.decode(bytes, size + SLACK);
      case ZSTD -> Compression.ZSTD.decode(bytes, 0, bytes.length, size + SLACK);
      default -> throw new UnreadableException("has a chunk of the unknown filter " + filter.id);
    };
  }

  /** The result may end in a checksum that a filter before this one appended. */
  private static byte[] inflate(byte[] bytes, int size) {
    Inflater inflater = new Inflater();
    try {
      inflater.setInput(bytes);
      byte[] out = new byte[size];
      int done = inflateInto(inflater, out);
      byte[] more = new byte[SLACK];
      int beyond = inflateInto(inflater, more);
      if (!inflater.finished()) {
        throw new UnreadableException("is damaged: a compressed chunk is cut short or too long");
      }
      if (beyond > 0 || done < size) {
        out = Arrays.copyOf(out, done + beyond);
        System.arraycopy(more, 0, out, done, beyond);
      }
      return out;
    } catch (DataFormatException e) {
      throw new UnreadableException("is damaged: a compressed chunk makes no sense", e);
    } finally {
      inflater.end();
    }
  }

  /** Fills {@code out} as far as there is something; returns the number of bytes. */
  private static int inflateInto(Inflater inflater, byte[] out) throws DataFormatException {
    int done = 0;
    for (int count = 1; count > 0 && done < out.length; done += count) {
      count = inflater.inflate(out, done, out.length - done);
    }
    return done;
  }

  private static byte[] withoutFletcher32(byte[] bytes) {
    int length = bytes.length - Integer.BYTES;
    if (length < 0) {
      throw new UnreadableException("is damaged: a chunk is shorter than its checksum");
    }
    int stored = ByteBuffer.wrap(bytes).order(java.nio.ByteOrder.LITTLE_ENDIAN).getInt(length);
    int sum = fletcher32(bytes, length);
    // HDF5 before 1.6.3 swapped the bytes of each half on little-endian machines.
    int swapped =
        Short.reverseBytes((short) sum) & 0xFFFF | Short.reverseBytes((short) (sum >>> 16)) << 16;
    if (stored != sum && stored != swapped) {
      throw new UnreadableException("is damaged: the checksum of a chunk (fletcher32) is wrong");
    }
    return Arrays.copyOf(bytes, length);
  }

  /**
   * Fletcher's checksum over 16-bit big-endian words, folded as HDF5 does (H5_checksum_fletcher32).
   */
  private static int fletcher32(byte[] bytes, int length) {
    int low = 0;
    int high = 0;
    int at = 0;
    int words = length / 2;
    while (words > 0) {
      int block = Math.min(360, words);
      words -= block;
      for (int i = 0; i < block; i++, at += 2) {
        low += Byte.toUnsignedInt(bytes[at]) << 8 | Byte.toUnsignedInt(bytes[at + 1]);
        high += low;
      }
      low = (low & 0xFFFF) + (low >>> 16);
      high = (high & 0xFFFF) + (high >>> 16);
    }
    if (length % 2 == 1) {
      low += Byte.toUnsignedInt(bytes[at]) << 8;
      high += low;
      low = (low & 0xFFFF) + (low >>> 16);
      high = (high & 0xFFFF) + (high >>> 16);
    }
    low = (low & 0xFFFF) + (low >>> 16);
    high = (high & 0xFFFF) + (high >>> 16);
    return high << 16 | low;
  }
}
