package dev.lockstep.federated.network;

import java.io.IOException;
import java.nio.ByteBuffer;

/** Sends what is no whole message. */
public final class RawBytes {
  private RawBytes() {}

  /** The header of a message, and the first bytes of its body. */
  public static void sendBeginning(
      ServerConnection connection, int kind, ByteBuffer body, int count) throws IOException {
    connection.write(Frame.header(kind, body));
    connection.write(body.duplicate().limit(count));
  }

  /** More of it. */
  public static void send(ServerConnection connection, ByteBuffer bytes) throws IOException {
    connection.write(bytes);
  }
}
