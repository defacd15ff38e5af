package dev.lockstep.federated.network;

import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.HexFormat;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * What a client must know to be that client: HMAC-SHA256 of its number with the server's secret. So
 * the server keeps one secret, and no client can take another's place, or the server's.
 */
public final class ClientToken {
  private ClientToken() {}

  /**
   * A client's token.
   *
   * @param secret the server's
   * @param client its number
   * @return 64 hexadecimal digits in ASCII
   */
  public static byte[] of(byte[] secret, int client) {
    byte[] purpose = ("lockstep federation, client " + client).getBytes(StandardCharsets.US_ASCII);
    return HexFormat.of().formatHex(hmac(secret, purpose)).getBytes(StandardCharsets.US_ASCII);
  }

  static byte[] hmac(byte[] key, byte[]... parts) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(new SecretKeySpec(key, "HmacSHA256"));
      for (byte[] part : parts) {
        mac.update(part);
      }
      return mac.doFinal();
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM has no HmacSHA256.", e);
    }
  }
}
