package dev.lockstep.federated.network;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/**
 * Behind each message of one direction of a connection: HMAC-SHA256 of its number, its header and
 * its body. The key follows from the client's token and both ends' random numbers, so it is of this
 * connection and direction alone: a message that was changed, repeated, left out or sent back to
 * where it came from is not taken. Hides nothing. Not thread-safe.
 */
final class Seal {
  static final int BYTES = 32;
  private static final String ALGORITHM = "HmacSHA256";

  private final Mac mac;
  private long number;

  private Seal(byte[] key) {
    try {
      mac = Mac.getInstance(ALGORITHM);
      mac.init(new SecretKeySpec(key, ALGORITHM));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("This JVM has no HmacSHA256.", e);
    }
  }

  /** Of what the server sends, the first message being its welcome. */
  static Seal ofServer(byte[] token, byte[] challenge, byte[] nonce) {
    return of("messages of the server", token, challenge, nonce);
  }

  /** Of what the client sends behind its hello, which has its proof. */
  static Seal ofClient(byte[] token, byte[] challenge, byte[] nonce) {
    return of("messages of the client", token, challenge, nonce);
  }

  private static Seal of(String purpose, byte[] token, byte[] challenge, byte[] nonce) {
    byte[] text = purpose.getBytes(StandardCharsets.US_ASCII);
    return new Seal(ClientToken.hmac(token, text, challenge, nonce));
  }

  /**
   * Of the next message.
   *
   * @param header at its first byte, as the parts of the body; all stay there
   */
  ByteBuffer next(ByteBuffer header, ByteBuffer... body) {
    mac.update(ByteBuffer.allocate(Long.BYTES).putLong(number++).flip());
    mac.update(header.duplicate());
    for (ByteBuffer part : body) {
      mac.update(part.duplicate());
    }
    return ByteBuffer.wrap(mac.doFinal());
  }

  /**
   * Compares the seal of the next message with what came behind it.
   *
   * @throws IOException if it is another
   */
  void check(ByteBuffer header, ByteBuffer body, ByteBuffer came) throws IOException {
    if (!MessageDigest.isEqual(next(header, body).array(), came.array())) {
      throw new IOException("a message was changed, repeated or left out on its way");
    }
  }
}
