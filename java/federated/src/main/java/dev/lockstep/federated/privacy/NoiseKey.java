package dev.lockstep.federated.privacy;

import static java.util.Objects.requireNonNull;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;

/**
 * The secret from which noise and samples of all rounds are drawn, by ChaCha20 with (purpose,
 * block, round) as its nonce. Who has it can compute the noise and take it off: then there is no
 * privacy. Immutable.
 */
public final class NoiseKey {
  /** Length of a key in bytes. */
  public static final int LENGTH = 32;

  /** What a stream is for: no two uses share numbers. */
  enum Purpose {
    NOISE,
    SAMPLING,
    CANARIES
  }

  private final byte[] key;

  private NoiseKey(byte[] key) {
    this.key = key;
  }

  /** Draws a key; what a server that owes privacy does. */
  public static NoiseKey random(SecureRandom random) {
    byte[] key = new byte[LENGTH];
    requireNonNull(random, "random").nextBytes(key);
    return new NoiseKey(key);
  }

  /**
   * Of bytes from {@link #bytes}, for a server that goes on from its checkpoint.
   *
   * @throws IllegalArgumentException unless there are 32
   */
  public static NoiseKey of(byte[] bytes) {
    if (requireNonNull(bytes, "bytes").length != LENGTH) {
      throw new IllegalArgumentException("bytes must be " + LENGTH + ", not " + bytes.length);
    }
    return new NoiseKey(bytes.clone());
  }

  /**
   * Of a seed that is written into a configuration. For simulations, which have nothing to protect
   * and shall be repeated: a seed that others know, or can guess among 2⁶⁴, voids the guarantee.
   */
  public static NoiseKey fromPublicSeed(long seed) {
    byte[] input = ByteBuffer.allocate(Long.BYTES).putLong(seed).array();
    return new NoiseKey(
        Hkdf.derive(
            input, "lockstep noise of a public seed".getBytes(StandardCharsets.UTF_8), LENGTH));
  }

  /** A copy of the secret. */
  public byte[] bytes() {
    return key.clone();
  }

  KeyedStream stream(Purpose purpose, long round) {
    return stream(purpose, round, 0);
  }

  /** One of many streams of a round, so that threads may share its numbers. */
  KeyedStream stream(Purpose purpose, long round, int block) {
    if (block < 0 || block >= 1 << 24) {
      throw new IllegalArgumentException("block must be from 0 to 2^24 - 1, not " + block);
    }
    int use = purpose.ordinal() << 24 | block;
    return new KeyedStream(key, ByteBuffer.allocate(12).putInt(use).putLong(round).array());
  }

  /** Tells nothing of the key. */
  @Override
  public String toString() {
    return "NoiseKey";
  }
}
