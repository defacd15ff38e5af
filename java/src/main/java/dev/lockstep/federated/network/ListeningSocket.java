package dev.lockstep.federated.network;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.StandardSocketOptions;
import java.net.UnknownHostException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where a server's clients connect; never waits. One thread. */
final class ListeningSocket implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ListeningSocket.class);
  private static final int BACKLOG = 1024;

  private final ServerSocketChannel listener;

  /**
   * Listens.
   *
   * @param address port 0 for any
   * @param selector hears of clients that come
   * @throws IOException if the address cannot be had
   */
  ListeningSocket(InetSocketAddress address, Selector selector) throws IOException {
    if (address.isUnresolved()) {
      throw new UnknownHostException("there is no host " + address.getHostString());
    }
    listener = ServerSocketChannel.open();
    try {
      listener.setOption(StandardSocketOptions.SO_REUSEADDR, true);
      listener.bind(address, BACKLOG);
      listener.configureBlocking(false);
      listener.register(selector, SelectionKey.OP_ACCEPT);
    } catch (IOException | RuntimeException e) {
      close();
      throw e;
    }
  }

  InetSocketAddress address() throws IOException {
    return (InetSocketAddress) listener.getLocalAddress();
  }

  /** The next connection, which does not wait; null if there is none. */
  @Nullable SocketChannel accept() throws IOException {
    SocketChannel channel;
    try {
      channel = listener.accept();
    } catch (IOException e) {
      // Such as too many open files: of this connection, not of the server.
      log.warn("A connection could not be accepted: {}", e.getMessage());
      return null;
    }
    if (channel != null) {
      try {
        channel.configureBlocking(false);
        channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
        KeepAlive.enable(channel);
      } catch (IOException e) {
        channel.close();
        return null;
      }
    }
    return channel;
  }

  @Override
  public void close() {
    try {
      listener.close();
    } catch (IOException e) {
      log.warn("The server's socket could not be closed: {}", e.getMessage());
    }
  }
}
