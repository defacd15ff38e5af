package dev.lockstep.federated.privacy;

import java.security.SecureRandom;

/** For tests alone: the same bytes for the same seed. */
final class SeededSecureRandom extends SecureRandom {
  private static final long serialVersionUID = 1L;

  private final transient KeyedStream stream;

  SeededSecureRandom(long seed) {
    super(null, null); // without a provider: nextBytes is all there is
    stream = NoiseKey.fromPublicSeed(seed).stream(NoiseKey.Purpose.NOISE, 0);
  }

  @Override
  public synchronized void nextBytes(byte[] bytes) {
    stream.next(bytes, bytes.length);
  }
}
