package dev.lockstep.federated.network;

import java.net.ProtocolException;
import java.nio.ByteBuffer;

/** Hears what happens on a server's connections, during {@link ClientConnections#poll}. */
public interface ClientHandler {
  /**
   * A client that knows its token asks to join.
   *
   * @param hello what it says of itself
   * @return what it is told
   * @throws RefusedException to send it away
   */
  byte[] admit(int client, ByteBuffer hello) throws RefusedException;

  /** It has joined; messages to it may be sent. */
  void joined(int client);

  /**
   * A message has arrived.
   *
   * @throws ProtocolException for one that its client should not have sent; its connection is
   *     closed
   */
  void received(int client, Frame message) throws ProtocolException;
}
