package dev.lockstep.federated.network;

import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.SecureRandom;

/**
 * How both ends prove that they know the client's token, which is never sent: the client answers
 * the server's random number with HMAC-SHA256 of it, and what follows, the server's welcome
 * included, has {@linkplain Seal seals} that take the token and both random numbers.
 *
 * <ol>
 *   <li>server: {@link #MAGIC} (8 bytes), its number (32)
 *   <li>client: a frame {@link #HELLO} with magic, its number, its proof (32), which client it is
 *       (4), and what else the server wants to know
 *   <li>server: a frame {@link #WELCOME} with what the client needs, or {@link #REFUSED} with the
 *       reason as UTF-8, both sealed; or, to a client that has not proved its token, {@link
 *       #UNPROVED} with the reason, which has no seal. Anybody on the way can send that, so a
 *       client tries again, as after a lost connection. Each refusal ends the connection
 *   <li>from then on sealed frames in both directions; {@link #ALIVE} of the server says nothing
 *       else
 * </ol>
 */
final class Handshake {
  static final long MAGIC = 0x4c6f636b46656404L; // "LockFed", version 4
  static final int HELLO = 100;
  static final int WELCOME = 101;
  static final int REFUSED = 102;
  static final int ALIVE = 103;
  static final int UNPROVED = 104;
  static final int NONCE = 32;
  static final int PROOF = 32;
  static final int CHALLENGE = Long.BYTES + NONCE;

  /** More is no hello; so much is read of anybody. */
  static final int MOST_HELLO = 1024;

  private static final SecureRandom RANDOM = new SecureRandom();

  private Handshake() {}

  static byte[] nonce() {
    byte[] nonce = new byte[NONCE];
    RANDOM.nextBytes(nonce);
    return nonce;
  }

  /**
   * What a client says of itself.
   *
   * @param nonce its random number
   * @param client which it is
   * @param body what else it says
   */
  @SuppressWarnings("ArrayRecordComponent") // handed on, never compared
  record Hello(byte[] nonce, int client, ByteBuffer body) {

    private static byte[] proof(byte[] token, byte[] challenge, byte[] nonce, ByteBuffer rest) {
      byte[] said = new byte[rest.remaining()];
      rest.duplicate().get(said);
      byte[] who = "client".getBytes(StandardCharsets.US_ASCII);
      return ClientToken.hmac(token, who, challenge, nonce, said);
    }

    static ByteBuffer write(byte[] token, byte[] challenge, byte[] nonce, int client, byte[] body) {
      ByteBuffer rest = ByteBuffer.allocate(Integer.BYTES + body.length).putInt(client).put(body);
      rest.flip();
      return ByteBuffer.allocate(Long.BYTES + NONCE + PROOF + rest.remaining())
          .putLong(MAGIC)
          .put(nonce)
          .put(proof(token, challenge, nonce, rest))
          .put(rest)
          .flip();
    }

    /**
     * @param secret the server's
     * @throws ProtocolException for anything else
     * @throws UnprovedRefusalException for a client with another token
     */
    static Hello read(byte[] secret, byte[] challenge, Frame frame)
        throws ProtocolException, UnprovedRefusalException {
      ByteBuffer body = frame.body();
      if (frame.kind() != HELLO
          || body.remaining() < Long.BYTES + NONCE + PROOF + Integer.BYTES
          || body.getLong() != MAGIC) {
        throw new ProtocolException("it does not begin as a client of this version does");
      }
      byte[] nonce = new byte[NONCE];
      byte[] proof = new byte[PROOF];
      body.get(nonce).get(proof);
      int client = body.getInt(body.position());
      byte[] token = ClientToken.of(secret, client);
      if (!MessageDigest.isEqual(proof, proof(token, challenge, nonce, body))) {
        throw new UnprovedRefusalException("its token is not that of client " + client);
      }
      body.getInt();
      return new Hello(nonce, client, body.slice());
    }
  }
}
