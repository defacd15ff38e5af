package dev.lockstep.federated.privacy;

import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;

/** SHA-256 of a secret that nobody can guess: it binds to the secret and tells nothing of it. */
final class Commitment {
  static final int LENGTH = 32;

  private Commitment() {}

  static byte[] to(byte[] secret) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(secret);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("This JVM has no SHA-256.", e);
    }
  }

  static boolean fits(byte[] commitment, byte[] secret) {
    return MessageDigest.isEqual(commitment, to(secret));
  }
}
