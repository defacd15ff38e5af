package dev.lockstep.federated.privacy;

import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.InvalidKeyException;
import java.security.KeyFactory;
import java.security.SecureRandom;
import java.security.spec.NamedParameterSpec;
import java.security.spec.XECPrivateKeySpec;
import java.security.spec.XECPublicKeySpec;
import java.util.Arrays;
import java.util.Optional;
import javax.crypto.KeyAgreement;

/** Keys of X25519 (RFC 7748) as their bytes, for one round. */
final class KeyPair implements AutoCloseable {
  /** Bytes of a private as of a public key. */
  static final int LENGTH = 32;

  private final byte[] privateKey;
  private final byte[] publicKey;

  private KeyPair(byte[] privateKey) {
    this.privateKey = privateKey;
    byte[] basePoint = new byte[LENGTH];
    basePoint[0] = 9; // section 6.1: the public key is the private one times the base point
    publicKey =
        multiply(basePoint)
            .orElseThrow(() -> new IllegalStateException("X25519 refuses its base point."));
  }

  static KeyPair generate(SecureRandom random) {
    byte[] privateKey = new byte[LENGTH];
    random.nextBytes(privateKey); // X25519 sets and clears the bits that must be (section 5)
    return new KeyPair(privateKey);
  }

  static KeyPair of(byte[] privateKey) {
    return new KeyPair(privateKey.clone());
  }

  /** False for the few points of small order, with which any common secret would be known. */
  static boolean isUsable(byte[] publicKey) {
    return new KeyPair(new byte[LENGTH]).multiply(publicKey).isPresent();
  }

  byte[] publicKey() {
    return publicKey.clone();
  }

  /** Not a copy: for sharing, and for whoever wipes it. */
  byte[] privateKey() {
    return privateKey;
  }

  /**
   * A key that only both ends can compute, by HKDF from the common point, for one purpose of one
   * round of this pair.
   *
   * @return empty where the other's key is of small order, which would give a known secret
   */
  Optional<byte[]> keyWith(byte[] other, String purpose, long round) {
    Optional<byte[]> point = multiply(other);
    if (point.isEmpty()) {
      return point;
    }
    boolean isFirst = Arrays.compareUnsigned(publicKey, other) < 0;
    byte[] label = ("lockstep secure aggregation " + purpose).getBytes(StandardCharsets.UTF_8);
    byte[] info =
        ByteBuffer.allocate(label.length + Long.BYTES + 2 * LENGTH)
            .put(label)
            .putLong(round)
            .put(isFirst ? publicKey : other)
            .put(isFirst ? other : publicKey)
            .array();
    byte[] key = Hkdf.derive(point.get(), info, LENGTH);
    Arrays.fill(point.get(), (byte) 0);
    return Optional.of(key);
  }

  private Optional<byte[]> multiply(byte[] point) {
    byte[] bigEndian = new byte[LENGTH];
    for (int i = 0; i < LENGTH; i++) {
      bigEndian[i] = point[LENGTH - 1 - i];
    }
    bigEndian[0] &= 0x7f; // section 5: the top bit is ignored
    try {
      KeyFactory keys = KeyFactory.getInstance("X25519");
      KeyAgreement agreement = KeyAgreement.getInstance("X25519");
      agreement.init(
          keys.generatePrivate(new XECPrivateKeySpec(NamedParameterSpec.X25519, privateKey)));
      agreement.doPhase(
          keys.generatePublic(
              new XECPublicKeySpec(NamedParameterSpec.X25519, new BigInteger(1, bigEndian))),
          true);
      return Optional.of(agreement.generateSecret());
    } catch (InvalidKeyException e) {
      return Optional.empty(); // RFC 7748, section 6.1: a product of all zeros
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM has no X25519.", e);
    }
  }

  /** Overwrites the private key. */
  @Override
  public void close() {
    Arrays.fill(privateKey, (byte) 0);
  }
}
