package dev.lockstep.federated.network;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Duration;

/** A client's connection. One thread, but {@link #close}, which any may call to end a wait. */
public final class ServerConnection implements AutoCloseable {
  private static final int MOST_WELCOME = 1 << 24;

  private final SocketChannel channel;
  private final ByteBuffer welcome;

  private ServerConnection(SocketChannel channel, ByteBuffer welcome) {
    this.channel = channel;
    this.welcome = welcome;
  }

  /**
   * Joins.
   *
   * @param token the {@linkplain ClientToken client's own}
   * @param client which this is
   * @param hello what else the server wants to know
   * @param timeout of the connection, and of the server's answer
   * @throws RefusedException if the server does not want this client, or is not one with this token
   * @throws IOException if it cannot be reached
   */
  public static ServerConnection join(
      InetSocketAddress address, byte[] token, int client, byte[] hello, Duration timeout)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      KeepAlive.enable(channel);
      channel.socket().connect(address, Math.toIntExact(timeout.toMillis()));
      channel.configureBlocking(false);
      ByteBuffer welcome;
      try (Deadline deadline = new Deadline(channel, timeout)) {
        welcome = shakeHands(deadline, token, client, hello);
      }
      channel.configureBlocking(true);
      return new ServerConnection(channel, welcome);
    } catch (IOException | RuntimeException e) {
      channel.close();
      throw e;
    }
  }

  private static ByteBuffer shakeHands(Deadline deadline, byte[] token, int client, byte[] hello)
      throws IOException {
    ByteBuffer challenge = ByteBuffer.allocate(Handshake.CHALLENGE);
    deadline.read(challenge);
    if (challenge.getLong(0) != Handshake.MAGIC) {
      throw new RefusedException("what listens there is no server of this version");
    }
    byte[] number = new byte[Handshake.NONCE];
    challenge.get(Long.BYTES, number);
    byte[] nonce = Handshake.nonce();
    ByteBuffer said = Handshake.Hello.write(token, number, nonce, client, hello);
    deadline.write(Frame.header(Handshake.HELLO, said));
    deadline.write(said);
    return welcome(deadline, Handshake.serverProof(token, number, nonce));
  }

  private static ByteBuffer welcome(Deadline deadline, byte[] expected) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    deadline.read(header);
    ByteBuffer body = Frame.body(header, MOST_WELCOME);
    deadline.read(body);
    body.flip();
    int kind = header.get(Integer.BYTES) & 0xff;
    if (kind == Handshake.REFUSED) {
      throw new RefusedException(StandardCharsets.UTF_8.decode(body).toString());
    }
    byte[] proof = new byte[Handshake.PROOF];
    if (kind != Handshake.WELCOME || body.remaining() < proof.length) {
      throw new ProtocolException("the server's answer is no welcome");
    }
    body.get(proof);
    if (!MessageDigest.isEqual(proof, expected)) {
      throw new RefusedException("the server does not know the token");
    }
    return body.slice();
  }

  /** Reads and writes that wait no longer than until a deadline. */
  private static final class Deadline implements AutoCloseable {
    private final SocketChannel channel;
    private final Selector selector;
    private final SelectionKey key;
    private final long end;

    Deadline(SocketChannel channel, Duration timeout) throws IOException {
      this.channel = channel;
      selector = Selector.open();
      key = channel.register(selector, 0);
      end = System.nanoTime() + timeout.toNanos();
    }

    private void await(int operation) throws IOException {
      key.interestOps(operation);
      long millis = (end - System.nanoTime()) / 1_000_000;
      if (millis <= 0 || selector.select(millis) == 0 && System.nanoTime() - end >= 0) {
        throw new SocketTimeoutException("the server does not answer");
      }
      selector.selectedKeys().clear();
    }

    void read(ByteBuffer buffer) throws IOException {
      while (buffer.hasRemaining()) {
        int count = channel.read(buffer);
        if (count < 0) {
          throw new EOFException("the server closed the connection");
        }
        if (count == 0) {
          await(SelectionKey.OP_READ);
        }
      }
    }

    void write(ByteBuffer buffer) throws IOException {
      while (buffer.hasRemaining()) {
        if (channel.write(buffer) == 0) {
          await(SelectionKey.OP_WRITE);
        }
      }
    }

    @Override
    public void close() throws IOException {
      key.cancel();
      selector.close();
    }
  }

  /** What the server said on joining, at its first byte. */
  public ByteBuffer welcome() {
    return welcome.duplicate();
  }

  /**
   * Waits for the next message.
   *
   * @param mostBytes of its body
   * @throws IOException if the server is gone
   */
  public Frame receive(int mostBytes) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    read(header);
    ByteBuffer body = Frame.body(header, mostBytes);
    read(body);
    int kind = header.get(Integer.BYTES) & 0xff;
    if (kind == Handshake.REFUSED) {
      throw new RefusedException(StandardCharsets.UTF_8.decode(body.flip()).toString());
    }
    return new Frame(kind, body.flip());
  }

  private void read(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer) < 0) {
        throw new EOFException("the server closed the connection");
      }
    }
  }

  /**
   * Sends a message; waits until the server takes it.
   *
   * @param parts of its body
   * @throws IOException if the server is gone
   */
  public void send(int kind, ByteBuffer... parts) throws IOException {
    write(Frame.header(kind, parts));
    for (ByteBuffer part : parts) {
      write(part.duplicate());
    }
  }

  void write(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      channel.write(buffer);
    }
  }

  /** Ends the connection, and a wait of another thread. */
  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use any more, closed or not.
    }
  }
}
