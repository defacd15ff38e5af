package dev.lockstep.federated.network;

import java.net.ProtocolException;
import java.nio.ByteBuffer;

/**
 * A message. On the wire: the bytes of its body (4, big-endian), its kind (1), its body.
 *
 * @param kind what it is, from 0 to 99; the others are of the handshake
 * @param body at its first byte; whoever receives it owns it
 */
public record Frame(int kind, ByteBuffer body) {
  static final int HEADER = Integer.BYTES + 1;

  static ByteBuffer header(int kind, ByteBuffer... parts) {
    long length = 0;
    for (ByteBuffer part : parts) {
      length += part.remaining();
    }
    return ByteBuffer.allocate(HEADER).putInt(Math.toIntExact(length)).put((byte) kind).flip();
  }

  /**
   * An empty body for a header that has been read.
   *
   * @throws ProtocolException for a length that is negative or beyond the limit
   */
  static ByteBuffer body(ByteBuffer header, int mostBytes) throws ProtocolException {
    int length = header.getInt(0);
    if (length < 0 || length > mostBytes) {
      throw new ProtocolException(
          "a message of "
              + Integer.toUnsignedLong(length)
              + " bytes was announced; at most "
              + mostBytes
              + " are taken");
    }
    return ByteBuffer.allocate(length);
  }
}
