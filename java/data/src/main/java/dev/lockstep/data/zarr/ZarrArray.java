package dev.lockstep.data.zarr;

import dev.lockstep.data.ChunkCache;
import dev.lockstep.data.Packing;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.Variable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One array: where its chunks lie and how they become values.
 *
 * @param number tells it from others of its store
 * @param path of the keys, with its slash
 * @param shape its lengths
 * @param chunk lengths of a chunk, which is what is decoded at once
 * @param strides how far a chunk's position moves along each dimension
 * @param codecs of a chunk, in the order of encoding
 * @param fill what a chunk that is not there holds
 * @param keys how chunks, or shards, are called
 * @param shards whose parts the chunks are; null if each is stored by itself
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package
record ZarrArray(
    int number,
    String path,
    Variable variable,
    ZarrType type,
    ByteOrder order,
    Packing packing,
    long[] shape,
    long[] chunk,
    long[] strides,
    List<ZarrCodec> codecs,
    double fill,
    Keys keys,
    @Nullable Shards shards) {
  private static final byte[] ABSENT = {};
  private static final int ENTRY_BYTES = 2 * Long.BYTES;

  /** "c/0/1" or "0.1". */
  record Keys(String prefix, String separator) {
    String of(long[] index) {
      if (index.length == 0) {
        return prefix.isEmpty() ? "0" : prefix;
      }
      StringBuilder key = new StringBuilder(prefix);
      for (long i : index) {
        key.append(key.isEmpty() ? "" : separator).append(i);
      }
      return key.toString();
    }
  }

  /**
   * Files of many chunks with an index of their places (codec sharding_indexed).
   *
   * @param counts chunks of a shard along each dimension
   * @param atEnd whether the index is behind the chunks
   */
  @SuppressWarnings("ArrayRecordComponent") // never leaves the package
  record Shards(long[] counts, List<ZarrCodec> indexCodecs, int indexBytes, boolean atEnd) {
    int chunks() {
      return (int) Arrays.stream(counts).reduce(1, Math::multiplyExact);
    }
  }

  /** Values in one chunk. */
  int chunkSize() {
    long size = type.bytes();
    for (long length : chunk) {
      size = Math.multiplyExact(size, length);
    }
    if (size > Integer.MAX_VALUE - 64) {
      throw new UnreadableException("has chunks of " + size + " bytes; 2 GiB are the limit");
    }
    return (int) (size / type.bytes());
  }

  /** Reads values from a position in C order on. */
  void read(ZarrStore store, ChunkCache cache, long from, int count, double[] values) {
    int rank = shape.length;
    long[] at = new long[rank];
    long left = from;
    for (int d = rank - 1; d >= 0; d--) {
      at[d] = left % shape[d];
      left /= shape[d];
    }
    int done = 0;
    while (done < count) {
      int run = rank == 0 ? 1 : run(at[rank - 1], count - done);
      copy(store, cache, at, run, values, done);
      done += run;
      advance(at, run);
    }
    packing.decode(values, count);
  }

  /** How many values along the last dimension lie in one chunk. */
  private int run(long at, int wanted) {
    int last = shape.length - 1;
    long inChunk = chunk[last] - at % chunk[last];
    return (int) Math.min(wanted, Math.min(inChunk, shape[last] - at));
  }

  private void advance(long[] at, int run) {
    for (int d = at.length - 1; d >= 0; d--) {
      at[d] += d == at.length - 1 ? run : 1;
      if (at[d] < shape[d]) {
        return;
      }
      at[d] = 0;
    }
  }

  private void copy(
      ZarrStore store, ChunkCache cache, long[] at, int run, double[] values, int into) {
    long[] index = new long[at.length];
    long chunkNumber = 0;
    long position = 0;
    for (int d = 0; d < at.length; d++) {
      index[d] = at[d] / chunk[d];
      chunkNumber = chunkNumber * ((shape[d] - 1) / chunk[d] + 1) + index[d];
      position += at[d] % chunk[d] * strides[d];
    }
    byte[] bytes = cache.get(number, chunkNumber, () -> chunk(store, cache, index));
    if (bytes.length == 0) {
      Arrays.fill(values, into, into + run, fill);
      return;
    }
    ByteBuffer buffer = ByteBuffer.wrap(bytes).order(order);
    long step = at.length == 0 ? 1 : strides[at.length - 1];
    for (int i = 0; i < run; i++) {
      values[into + i] = type.get(buffer, (int) (position + i * step) * type.bytes());
    }
  }

  private byte[] chunk(ZarrStore store, ChunkCache cache, long[] index) {
    try {
      byte[] stored =
          shards == null ? store.get(path + keys.of(index)) : inShard(store, cache, index, shards);
      return stored == null ? ABSENT : decode(stored);
    } catch (IOException e) {
      throw new UnreadableException(
          "has a chunk " + Arrays.toString(index) + " that cannot be read: " + e.getMessage(), e);
    }
  }

  private byte[] decode(byte[] stored) {
    int size = chunkSize() * type.bytes();
    byte[] bytes = stored;
    for (int c = codecs.size() - 1; c >= 0; c--) {
      bytes = codecs.get(c).decode(bytes, size);
    }
    if (bytes.length != size) {
      throw new UnreadableException(
          "is damaged: a chunk has " + bytes.length + " bytes instead of " + size);
    }
    return bytes;
  }

  private byte @Nullable [] inShard(ZarrStore store, ChunkCache cache, long[] index, Shards parts)
      throws IOException {
    long[] shard = new long[index.length];
    int entry = 0;
    long shardNumber = 0;
    for (int d = 0; d < index.length; d++) {
      shard[d] = index[d] / parts.counts[d];
      entry = (int) (entry * parts.counts[d] + index[d] % parts.counts[d]);
      long chunks = (shape[d] - 1) / chunk[d] + 1;
      shardNumber = shardNumber * ((chunks - 1) / parts.counts[d] + 1) + shard[d];
    }
    String key = path + keys.of(shard);
    // Indexes are kept like chunks, under a number of their own.
    byte[] places = cache.get(-1L - number, shardNumber, () -> index(store, key, parts));
    if (places.length == 0) {
      return null;
    }
    ByteBuffer table = ByteBuffer.wrap(places).order(ByteOrder.LITTLE_ENDIAN);
    long offset = table.getLong(entry * ENTRY_BYTES);
    long length = table.getLong(entry * ENTRY_BYTES + Long.BYTES);
    if (offset == -1 && length == -1) {
      return null;
    }
    if (offset < 0 || length < 0 || length > Integer.MAX_VALUE - 64) {
      throw new UnreadableException("is damaged: an index states " + length + " bytes");
    }
    return store.get(key, offset, (int) length);
  }

  private static byte[] index(ZarrStore store, String key, Shards parts) {
    try {
      byte[] bytes = store.get(key, parts.atEnd ? -parts.indexBytes : 0, parts.indexBytes);
      if (bytes == null) {
        return ABSENT;
      }
      int size = parts.chunks() * ENTRY_BYTES;
      for (int c = parts.indexCodecs.size() - 1; c >= 0; c--) {
        bytes = parts.indexCodecs.get(c).decode(bytes, size);
      }
      if (bytes.length != size) {
        throw new UnreadableException("is damaged: the index of " + key + " has another size");
      }
      return bytes;
    } catch (IOException e) {
      throw new UnreadableException("has an index that cannot be read: " + e.getMessage(), e);
    }
  }
}
