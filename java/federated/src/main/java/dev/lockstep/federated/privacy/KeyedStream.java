package dev.lockstep.federated.privacy;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.security.GeneralSecurityException;
import javax.crypto.Cipher;
import javax.crypto.spec.ChaCha20ParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * The key stream of ChaCha20 (RFC 8439) as a source of uniform numbers: a function of key and nonce
 * that nobody without the key can tell from chance. At most 256 GiB. Not thread-safe.
 */
final class KeyedStream {
  private static final int BLOCK = 8192;

  private final Cipher cipher;
  private final byte[] zeros = new byte[BLOCK];
  private final ByteBuffer buffer = ByteBuffer.allocate(BLOCK).order(ByteOrder.LITTLE_ENDIAN);
  private int bits; // not yet used ones, in the low bits
  private int bitsLeft;

  /**
   * @param key 32 bytes
   * @param nonce 12 bytes, never used with the key for anything else
   */
  KeyedStream(byte[] key, byte[] nonce) {
    try {
      cipher = Cipher.getInstance("ChaCha20");
      cipher.init(
          Cipher.ENCRYPT_MODE,
          new SecretKeySpec(key, "ChaCha20"),
          new ChaCha20ParameterSpec(nonce, 0));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM has no ChaCha20.", e);
    }
    buffer.position(BLOCK);
  }

  /** Fills an array with the next bytes of the key stream. */
  void next(byte[] target, int length) {
    int done = 0;
    while (done < length) {
      refillIfFewerThan(1);
      int count = Math.min(buffer.remaining(), length - done);
      buffer.get(target, done, count);
      done += count;
    }
  }

  /**
   * A word whose low {@code bytes} bytes are the next ones of the stream, lowest first; of the bits
   * above nothing is said.
   */
  long nextWord(int bytes) {
    refillIfFewerThan(Long.BYTES);
    int at = buffer.position();
    buffer.position(at + bytes);
    return buffer.getLong(at);
  }

  int nextInt() {
    refillIfFewerThan(Integer.BYTES);
    return buffer.getInt();
  }

  long nextLong() {
    refillIfFewerThan(Long.BYTES);
    return buffer.getLong();
  }

  /** A fair bit. */
  boolean nextBit() {
    return nextBits(1) == 1;
  }

  /** Uniform over {@code count} bits, 1 to 32. */
  long nextBits(int count) {
    if (count == Integer.SIZE) {
      return Integer.toUnsignedLong(nextInt());
    }
    if (bitsLeft < count) {
      bits = nextInt();
      bitsLeft = Integer.SIZE;
    }
    int value = bits & ((1 << count) - 1);
    bits >>>= count;
    bitsLeft -= count;
    return value;
  }

  /** Uniform over {@code [0, bound)}, without the bias of a remainder. */
  long nextBelow(long bound) {
    long limit = Long.MAX_VALUE - Long.MAX_VALUE % bound;
    long value;
    do {
      value = nextLong() >>> 1;
    } while (value >= limit);
    return value % bound;
  }

  /** Uniform over the multiples of 2⁻⁵³ in {@code [0, 1)}. */
  double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }

  private void refillIfFewerThan(int bytes) {
    if (buffer.remaining() >= bytes) {
      return;
    }
    try {
      // A rest of less than one number is thrown away: numbers never straddle blocks.
      if (cipher.update(zeros, 0, BLOCK, buffer.array(), 0) != BLOCK) {
        throw new IllegalStateException("ChaCha20 gave fewer bytes than it was given.");
      }
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("ChaCha20 refuses to go on.", e);
    }
    buffer.clear();
  }
}
