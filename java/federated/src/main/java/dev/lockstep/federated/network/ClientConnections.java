package dev.lockstep.federated.network;

import static java.util.Objects.requireNonNull;

import dev.lockstep.LockstepException;
import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The server's connections. Nothing happens but within {@link #poll} and {@link #send}, on the
 * caller's thread; meanwhile the kernel keeps what arrives. One thread.
 */
public final class ClientConnections implements AutoCloseable {
  /** Parts of messages that may wait for a client; those of one question are fewer. */
  private static final int MOST_WAITING = 24;

  private static final Logger log = LoggerFactory.getLogger(ClientConnections.class);

  /** A connection that has not proved the token after this time is closed. */
  private static final Duration HANDSHAKE = Duration.ofSeconds(10);

  /** So often all clients are told that the server is there, so that none waits for a dead one. */
  private static final Duration ALIVE_EVERY = Duration.ofSeconds(10);

  /** Connections without a proof; one more, and the oldest gives way. */
  private static final int MOST_UNPROVED = 256;

  private final byte[] secret;
  private final int mostBytes;
  private final ClientHandler handler;
  private final Selector selector;
  private final ListeningSocket listener;
  private final TreeMap<Integer, Connection> clients = new TreeMap<>();
  private final Set<Connection> unproved = new LinkedHashSet<>();
  private long bytesOfClosed;
  private long saidAlive = System.nanoTime();

  /**
   * Listens.
   *
   * @param address port 0 for any
   * @param secret from which {@linkplain ClientToken clients' tokens} follow
   * @param mostBytes of a message's body
   * @throws IOException if the address cannot be had
   */
  public ClientConnections(
      InetSocketAddress address, byte[] secret, int mostBytes, ClientHandler handler)
      throws IOException {
    this.secret = secret.clone();
    this.mostBytes = mostBytes;
    this.handler = requireNonNull(handler, "handler");
    selector = Selector.open();
    try {
      listener = new ListeningSocket(address, selector);
    } catch (IOException | RuntimeException e) {
      selector.close();
      throw e;
    }
  }

  /** Where it listens. */
  public InetSocketAddress address() throws IOException {
    return listener.address();
  }

  /** Those that are connected, ascending. */
  public List<Integer> present() {
    return List.copyOf(clients.keySet());
  }

  /** How many are connected. */
  public int connected() {
    return clients.size();
  }

  /**
   * Signs of a client: it grows with each piece that comes of it, and with each that it takes of
   * what has waited for it; 0 if it is not connected.
   */
  public long signs(int client) {
    Connection connection = clients.get(client);
    return connection == null ? 0 : connection.signs;
  }

  /** Bytes that were read and written since the beginning. */
  public long bytes() {
    long sum = bytesOfClosed;
    for (Connection connection : clients.values()) {
      sum += connection.bytes;
    }
    return sum;
  }

  /** Handles what arrives, at least once and for so long if nothing does. */
  public void poll(Duration atMost) throws IOException {
    long millis = Math.max(1, Math.min(atMost.toMillis(), HANDSHAKE.toMillis()));
    selector.select(millis);
    for (Iterator<SelectionKey> keys = selector.selectedKeys().iterator(); keys.hasNext(); ) {
      SelectionKey key = keys.next();
      keys.remove();
      if (key.attachment() instanceof Connection connection) {
        serve(connection, key);
      } else if (key.isValid()) {
        accept();
      }
    }
    long now = System.nanoTime();
    for (Connection connection : List.copyOf(unproved)) {
      if (now - connection.deadline > 0) {
        drop(connection, "it did not say who it is within " + HANDSHAKE.toSeconds() + " s");
      }
    }
    if (now - saidAlive > ALIVE_EVERY.toNanos()) {
      saidAlive = now;
      for (Connection connection : List.copyOf(clients.values())) {
        if (!connection.isBehind()) {
          send(connection.client, Handshake.ALIVE);
        }
      }
    }
  }

  private void accept() throws IOException {
    SocketChannel channel = listener.accept();
    if (channel == null) {
      return;
    }
    if (unproved.size() >= MOST_UNPROVED) {
      drop(unproved.iterator().next(), "too many others came before it said who it is");
    }
    try {
      SelectionKey key = channel.register(selector, SelectionKey.OP_READ);
      Connection connection = new Connection(channel, key, System.nanoTime() + HANDSHAKE.toNanos());
      key.attach(connection);
      unproved.add(connection);
      connection.sendChallenge();
    } catch (IOException e) {
      channel.close();
    }
  }

  private void serve(Connection connection, SelectionKey key) {
    try {
      if (key.isValid() && key.isWritable()) {
        connection.signs++;
        connection.write();
      }
      if (key.isValid() && key.isReadable()) {
        boolean joins = connection.client == Connection.UNKNOWN;
        Frame frame = connection.read(joins ? Handshake.MOST_HELLO : mostBytes);
        if (frame != null && joins) {
          join(connection, frame);
        } else if (frame != null) {
          handler.received(connection.client, frame);
        }
      }
    } catch (EOFException e) {
      if (connection.client == Connection.UNKNOWN) {
        drop(connection, "it left without saying who it is");
      } else {
        log.info("{} left.", connection);
        remove(connection);
      }
    } catch (IOException e) {
      drop(connection, String.valueOf(e.getMessage()));
    }
  }

  private void join(Connection connection, Frame frame) throws IOException {
    Handshake.Hello hello;
    byte[] answer;
    try {
      hello = Handshake.Hello.read(secret, connection.challenge, frame);
    } catch (UnprovedRefusalException e) {
      refuse(connection, Handshake.UNPROVED, e);
      return;
    }
    connection.seal(ClientToken.of(secret, hello.client()), hello.nonce());
    try {
      answer = handler.admit(hello.client(), hello.body());
    } catch (RefusedException e) {
      refuse(connection, Handshake.REFUSED, e);
      return;
    }
    Connection before = clients.get(hello.client());
    if (before != null) {
      // The old connection's host may have lost its power; the client that is there counts. If the
      // old one is there after all, it is another process, which must not come back.
      tellReplaced(before);
      drop(before, "the client came with another connection");
    }
    unproved.remove(connection);
    connection.client = hello.client();
    clients.put(hello.client(), connection);
    connection.send(Handshake.WELCOME, ByteBuffer.wrap(answer));
    handler.joined(hello.client());
  }

  private void refuse(Connection connection, int kind, IOException why) throws IOException {
    log.warn("{} was refused: {}.", connection, why.getMessage());
    unproved.remove(connection);
    String reason = LockstepException.messageOf(why);
    connection.sendLast(kind, ByteBuffer.wrap(reason.getBytes(StandardCharsets.UTF_8)));
  }

  private static void tellReplaced(Connection before) {
    ByteBuffer reason =
        ByteBuffer.wrap(
            "another process has come with this number; give each its own"
                .getBytes(StandardCharsets.UTF_8));
    try {
      before.sendLast(Handshake.REFUSED, reason);
    } catch (IOException e) {
      // It is gone.
    }
  }

  /**
   * Sends a message, now or when the client takes it.
   *
   * @param parts of the body, at their first bytes; shared, so they must stay as they are
   * @return whether the client is connected
   */
  public boolean send(int client, int kind, ByteBuffer... parts) {
    Connection connection = clients.get(client);
    if (connection == null) {
      return false;
    }
    if (connection.waiting() > MOST_WAITING) {
      drop(connection, "it does not take what is sent to it");
      return false;
    }
    try {
      connection.send(kind, parts);
      return true;
    } catch (IOException e) {
      drop(connection, String.valueOf(e.getMessage()));
      return false;
    }
  }

  /** Closes connections that have begun a message, or not taken one: they block their client. */
  public void closeStalled() {
    List.copyOf(clients.values()).forEach(this::closeStalled);
  }

  /** The same of one client. */
  public void closeStalled(int client) {
    Connection connection = clients.get(client);
    if (connection != null) {
      closeStalled(connection);
    }
  }

  private void closeStalled(Connection connection) {
    if (connection.isMidMessage()) {
      drop(connection, "it stopped in the middle of a message");
    } else if (connection.isBehind()) {
      drop(connection, "it does not take what is sent to it");
    }
  }

  /** Whether messages wait for clients to take them. */
  boolean isBehind() {
    return clients.values().stream().anyMatch(Connection::isBehind);
  }

  private void drop(Connection connection, String why) {
    log.warn("{} was closed: {}.", connection, why);
    remove(connection);
  }

  private void remove(@Nullable Connection connection) {
    if (connection != null) {
      connection.close();
      unproved.remove(connection);
      if (clients.remove(connection.client, connection)) {
        bytesOfClosed += connection.bytes;
      }
    }
  }

  /** Closes all. */
  @Override
  public void close() {
    for (Connection connection : new ArrayList<>(clients.values())) {
      remove(connection);
    }
    for (Connection connection : List.copyOf(unproved)) {
      remove(connection);
    }
    listener.close();
    try {
      selector.close();
    } catch (IOException e) {
      log.warn("The server's socket could not be closed: {}", e.getMessage());
    }
  }
}
