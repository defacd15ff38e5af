package dev.lockstep.data;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;

/**
 * Decoded chunks of all arrays of a file, whole, so that every column that needs a chunk finds it
 * decoded. When the limit is reached, the chunks that were used longest ago go first; one always
 * stays. Thread-safe; a chunk is decoded under the lock, so never twice.
 */
public final class ChunkCache {
  private final long limitBytes;
  private final Map<Key, byte[]> chunks = new LinkedHashMap<>(16, 0.75f, true);
  private long bytes;

  private record Key(long dataset, long number) {}

  /** With room for so many bytes, and for one chunk at least. */
  public ChunkCache(long limitBytes) {
    this.limitBytes = limitBytes;
  }

  /**
   * A chunk, decoded.
   *
   * @param dataset a number of the array, such as its address
   * @param number of the chunk in it
   * @param decode reads and decodes it where it is not kept
   */
  public synchronized byte[] get(long dataset, long number, Supplier<byte[]> decode) {
    Key key = new Key(dataset, number);
    byte[] chunk = chunks.get(key);
    if (chunk == null) {
      chunk = decode.get();
      chunks.put(key, chunk);
      bytes += chunk.length;
      evict();
    }
    return chunk;
  }

  private void evict() {
    Iterator<byte[]> oldest = chunks.values().iterator();
    while (bytes > limitBytes && chunks.size() > 1) {
      bytes -= oldest.next().length;
      oldest.remove();
    }
  }
}
