package dev.lockstep.data.codec;

import dev.lockstep.data.UnreadableException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Chunks of Blosc 1 (its README_CHUNK_FORMAT): a header of 16 bytes, the blocks' places, and in
 * each block one stream, or one for each byte of an element. The compressors lz4 (and lz4hc), zlib
 * and zstd are read, byte and bit shuffles undone.
 */
public final class Blosc {
  private static final int HEADER = 16;
  private static final int SHUFFLED = 1;
  private static final int COPIED = 2;
  private static final int BIT_SHUFFLED = 4;
  private static final int WHOLE_BLOCKS = 16;

  /** Blocks of fewer elements are never cut into streams. */
  private static final int FEWEST_ELEMENTS = 128;

  private static final int MOST_STREAMS = 16;
  private static final String[] COMPRESSORS = {"blosclz", "lz4", "snappy", "zlib", "zstd"};

  private Blosc() {}

  /**
   * Decompresses a chunk.
   *
   * @param most bytes that may come out
   * @throws UnreadableException if it is damaged, or of blosclz or snappy
   */
  public static byte[] decode(byte[] chunk, int most) {
    try {
      return decode(ByteBuffer.wrap(chunk).order(ByteOrder.LITTLE_ENDIAN), most);
    } catch (IndexOutOfBoundsException | IllegalArgumentException e) {
      throw new UnreadableException("is damaged: a Blosc chunk makes no sense", e);
    }
  }

  private static byte[] decode(ByteBuffer chunk, int most) {
    int flags = chunk.get(2);
    int elementBytes = Math.max(1, Byte.toUnsignedInt(chunk.get(3)));
    int size = chunk.getInt(4);
    int blockSize = chunk.getInt(8);
    if (size < 0 || size > most || (size > 0 && blockSize <= 0)) {
      throw new UnreadableException("is damaged: a Blosc chunk states " + size + " bytes");
    }
    if ((flags & COPIED) != 0) {
      if (chunk.capacity() - HEADER < size) {
        throw new UnreadableException("is damaged: a Blosc chunk is cut short");
      }
      return Arrays.copyOfRange(chunk.array(), HEADER, HEADER + size);
    }
    byte[] out = new byte[size];
    for (int block = 0, at = 0; at < size; block++, at += blockSize) {
      int length = Math.min(blockSize, size - at);
      boolean last = length < blockSize;
      byte[] bytes =
          block(chunk, flags, elementBytes, length, last, chunk.getInt(HEADER + 4 * block));
      if ((flags & SHUFFLED) != 0) {
        bytes = Shuffle.undoBytes(bytes, elementBytes);
      } else if ((flags & BIT_SHUFFLED) != 0) {
        bytes = length >= elementBytes ? Shuffle.undoBits(bytes, elementBytes) : bytes;
      }
      System.arraycopy(bytes, 0, out, at, length);
    }
    return out;
  }

  private static byte[] block(
      ByteBuffer chunk, int flags, int elementBytes, int length, boolean last, int place) {
    boolean cut =
        (flags & WHOLE_BLOCKS) == 0
            && elementBytes <= MOST_STREAMS
            && length / elementBytes >= FEWEST_ELEMENTS
            && !last;
    int streams = cut ? elementBytes : 1;
    int each = length / streams;
    byte[] out = new byte[length];
    int at = place;
    for (int s = 0; s < streams; s++) {
      int stored = chunk.getInt(at);
      at += Integer.BYTES;
      if (stored == each) {
        System.arraycopy(chunk.array(), at, out, s * each, each);
      } else {
        byte[] stream = compression(flags).decode(chunk.array(), at, stored, each);
        System.arraycopy(stream, 0, out, s * each, each);
      }
      at += stored;
    }
    return out;
  }

  private static Compression compression(int flags) {
    int code = flags >> 5 & 7;
    return switch (code) {
      case 1 -> Compression.LZ4;
      case 3 -> Compression.ZLIB;
      case 4 -> Compression.ZSTD;
      default ->
          throw new UnreadableException(
              "is compressed with Blosc's "
                  + (code < COMPRESSORS.length ? COMPRESSORS[code] : "compressor " + code)
                  + ", which is not read; write it with lz4 or zstd");
    };
  }
}
