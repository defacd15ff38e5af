package dev.lockstep.federated.privacy;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * Vectors of words modulo a power of 2. They are computed in 64 bits, whose upper ones may be
 * anything until {@link #toSigned}.
 */
final class Masks {
  private Masks() {}

  /** Adds, or subtracts, the key stream of ChaCha20 with this key; wipes the key. */
  static void add(long[] words, byte[] key, boolean negative, int wordBytes) {
    KeyedStream stream = new KeyedStream(key, new byte[12]); // a key is of one mask only
    for (int i = 0; i < words.length; i++) {
      long mask = stream.nextWord(wordBytes);
      words[i] += negative ? -mask : mask;
    }
    Arrays.fill(key, (byte) 0);
  }

  static void put(ByteBuffer target, long[] words, int wordBytes) {
    for (long word : words) {
      for (int shift = 0; shift < 8 * wordBytes; shift += 8) {
        target.put((byte) (word >>> shift));
      }
    }
  }

  static void addFrom(ByteBuffer source, long[] sum, int wordBytes) {
    for (int i = 0; i < sum.length; i++) {
      for (int shift = 0; shift < 8 * wordBytes; shift += 8) {
        sum[i] += (source.get() & 0xffL) << shift;
      }
    }
  }

  /** Takes each word as a two's complement number of so many bytes. */
  static void toSigned(long[] words, int wordBytes) {
    int unused = Long.SIZE - 8 * wordBytes;
    for (int i = 0; i < words.length; i++) {
      words[i] = words[i] << unused >> unused;
    }
  }
}
