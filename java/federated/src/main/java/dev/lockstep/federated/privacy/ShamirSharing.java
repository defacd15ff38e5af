package dev.lockstep.federated.privacy;

import java.math.BigInteger;
import java.security.SecureRandom;
import java.util.Arrays;
import java.util.Map;
import java.util.Optional;

/**
 * Shares of a secret of 32 bytes, of which {@code threshold} give it back and fewer tell nothing
 * (Shamir 1979, "How to share a secret"), over the field of the least prime above 2²⁵⁶. A share is
 * the value at {@code client + 1} of a polynomial whose value at 0 is the secret.
 */
final class ShamirSharing {
  /** Bytes of a share. */
  static final int LENGTH = 33;

  static final BigInteger PRIME = BigInteger.ONE.shiftLeft(256).add(BigInteger.valueOf(297));

  private static final int SECRET = 32;

  private final BigInteger[] coefficients;

  ShamirSharing(byte[] secret, int threshold, SecureRandom random) {
    coefficients = new BigInteger[threshold];
    coefficients[0] = new BigInteger(1, secret);
    for (int i = 1; i < threshold; i++) {
      do {
        coefficients[i] = new BigInteger(PRIME.bitLength(), random);
      } while (coefficients[i].compareTo(PRIME) >= 0);
    }
  }

  byte[] share(int client) {
    BigInteger at = BigInteger.valueOf(client + 1L);
    BigInteger value = BigInteger.ZERO;
    for (int i = coefficients.length - 1; i >= 0; i--) { // Horner
      value = value.multiply(at).add(coefficients[i]).mod(PRIME);
    }
    return bytes(value, LENGTH);
  }

  /**
   * The secret of as many shares as the threshold, by Lagrange's interpolation at 0.
   *
   * @return empty where the shares are not all of one secret, as far as that can be seen
   */
  static Optional<byte[]> secret(Map<Integer, byte[]> shareOfClient) {
    BigInteger sum = BigInteger.ZERO;
    for (Map.Entry<Integer, byte[]> entry : shareOfClient.entrySet()) {
      BigInteger at = BigInteger.valueOf(entry.getKey() + 1L);
      BigInteger numerator = BigInteger.ONE;
      BigInteger denominator = BigInteger.ONE;
      for (int other : shareOfClient.keySet()) {
        if (other != entry.getKey()) {
          BigInteger otherAt = BigInteger.valueOf(other + 1L);
          numerator = numerator.multiply(otherAt).mod(PRIME);
          denominator = denominator.multiply(otherAt.subtract(at)).mod(PRIME);
        }
      }
      BigInteger weight = numerator.multiply(denominator.modInverse(PRIME));
      sum = sum.add(new BigInteger(1, entry.getValue()).multiply(weight)).mod(PRIME);
    }
    return sum.bitLength() > 8 * SECRET ? Optional.empty() : Optional.of(bytes(sum, SECRET));
  }

  private static byte[] bytes(BigInteger value, int length) {
    byte[] bytes = value.toByteArray(); // maybe with a leading zero for the sign
    byte[] result = new byte[length];
    int count = Math.min(bytes.length, length);
    System.arraycopy(bytes, bytes.length - count, result, length - count, count);
    Arrays.fill(bytes, (byte) 0);
    return result;
  }
}
