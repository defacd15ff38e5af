package dev.lockstep.federated.privacy;

import java.security.GeneralSecurityException;
import java.util.Arrays;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/** HKDF with SHA-256 (RFC 5869). */
final class Hkdf {
  private static final int HASH = 32;

  private Hkdf() {}

  /** With no salt, which stands for 32 zero bytes (section 2.2). */
  static byte[] derive(byte[] input, byte[] info, int length) {
    return derive(input, new byte[HASH], info, length);
  }

  static byte[] derive(byte[] input, byte[] salt, byte[] info, int length) {
    byte[] pseudorandomKey = hmac(salt, input);
    byte[] output = new byte[length];
    byte[] block = {};
    for (int done = 0, counter = 1; done < length; done += HASH, counter++) {
      byte[] next = Arrays.copyOf(block, block.length + info.length + 1);
      System.arraycopy(info, 0, next, block.length, info.length);
      next[next.length - 1] = (byte) counter;
      block = hmac(pseudorandomKey, next);
      System.arraycopy(block, 0, output, done, Math.min(HASH, length - done));
    }
    return output;
  }

  private static byte[] hmac(byte[] key, byte[] data) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      // HMAC pads keys with zeros, and the JDK takes no empty one.
      mac.init(new SecretKeySpec(key.length == 0 ? new byte[HASH] : key, "HmacSHA256"));
      return mac.doFinal(data);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM has no HMAC with SHA-256.", e);
    }
  }
}
