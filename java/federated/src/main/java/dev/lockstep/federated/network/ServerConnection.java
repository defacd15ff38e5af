package dev.lockstep.federated.network;

import java.io.EOFException;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ProtocolException;
import java.net.SocketTimeoutException;
import java.net.StandardSocketOptions;
import java.nio.ByteBuffer;
import java.nio.channels.CancelledKeyException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.function.LongSupplier;

/** A client's connection. One thread, but {@link #close}, which any may call to end a wait. */
public final class ServerConnection implements AutoCloseable {
  private static final int MOST_WELCOME = 1 << 24;
  private static final String SILENT = "the server says nothing";

  private final SocketChannel channel;
  private final Selector selector;
  private final SelectionKey key;
  private final Seal incoming;
  private final Seal outgoing;
  private final Duration silence;
  private final ByteBuffer welcome;

  /** Shakes hands on a channel that is connected and does not wait. */
  private ServerConnection(
      SocketChannel channel,
      Selector selector,
      byte[] token,
      int client,
      byte[] hello,
      Duration timeout,
      Duration silence)
      throws IOException {
    this.channel = channel;
    this.selector = selector;
    this.silence = silence;
    key = channel.register(selector, 0);
    long deadline = System.nanoTime() + timeout.toNanos();
    LongSupplier end = () -> deadline;
    ByteBuffer greeting = ByteBuffer.allocate(Handshake.CHALLENGE);
    read(greeting, end);
    if (greeting.getLong(0) != Handshake.MAGIC) {
      throw new UnprovedRefusalException("what listens there is no server of this version");
    }
    byte[] challenge = new byte[Handshake.NONCE];
    greeting.get(Long.BYTES, challenge);
    byte[] nonce = Handshake.nonce();
    incoming = Seal.ofServer(token, challenge, nonce);
    outgoing = Seal.ofClient(token, challenge, nonce);
    ByteBuffer said = Handshake.Hello.write(token, challenge, nonce, client, hello);
    write(Frame.header(Handshake.HELLO, said), end);
    write(said, end);
    welcome = welcome(end);
  }

  /**
   * Joins.
   *
   * @param token the {@linkplain ClientToken client's own}
   * @param client which this is
   * @param hello what else the server wants to know
   * @param timeout of the connection, and of the server's answer
   * @param silence for which the server may say and take nothing later; it says at least every ten
   *     seconds that it is there, but for while it computes
   * @throws RefusedException if the server does not want this client
   * @throws UnprovedRefusalException if whoever answers is no server with this token, or does not
   *     prove that it is
   * @throws IOException if it cannot be reached
   */
  public static ServerConnection join(
      InetSocketAddress address,
      byte[] token,
      int client,
      byte[] hello,
      Duration timeout,
      Duration silence)
      throws IOException {
    SocketChannel channel = SocketChannel.open();
    Selector selector = Selector.open();
    try {
      channel.setOption(StandardSocketOptions.TCP_NODELAY, true);
      KeepAlive.enable(channel);
      channel.socket().connect(address, Math.toIntExact(timeout.toMillis()));
      channel.configureBlocking(false);
      return new ServerConnection(channel, selector, token, client, hello, timeout, silence);
    } catch (IOException | RuntimeException e) {
      selector.close();
      channel.close();
      throw e;
    }
  }

  private ByteBuffer welcome(LongSupplier end) throws IOException {
    ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
    read(header, end);
    ByteBuffer body = Frame.body(header, MOST_WELCOME);
    read(body, end);
    if (kind(header) == Handshake.UNPROVED) {
      throw new UnprovedRefusalException(reason(body));
    }
    ByteBuffer seal = ByteBuffer.allocate(Seal.BYTES);
    read(seal, end);
    try {
      incoming.check(header.rewind(), body.rewind(), seal);
    } catch (IOException e) {
      throw new UnprovedRefusalException("the server does not know the token");
    }
    Frame frame = frame(header, body);
    if (frame.kind() != Handshake.WELCOME) {
      throw new ProtocolException("the server's answer is no welcome");
    }
    return frame.body();
  }

  private static int kind(ByteBuffer header) {
    return header.get(Integer.BYTES) & 0xff;
  }

  private static String reason(ByteBuffer body) {
    return StandardCharsets.UTF_8.decode(body.rewind()).toString();
  }

  /** Of a message whose seal has been checked. */
  private static Frame frame(ByteBuffer header, ByteBuffer body) throws RefusedException {
    if (kind(header) == Handshake.REFUSED) {
      throw new RefusedException(reason(body));
    }
    return new Frame(kind(header), body.rewind());
  }

  /** What the server said on joining, at its first byte. */
  public ByteBuffer welcome() {
    return welcome.duplicate();
  }

  /**
   * Waits for the next message.
   *
   * @param mostBytes of its body
   * @throws RefusedException if the server does not want this client any more
   * @throws IOException if the server is gone, or silent for too long
   */
  public Frame receive(int mostBytes) throws IOException {
    for (; ; ) {
      ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
      read(header);
      ByteBuffer body = body(header, mostBytes);
      read(body);
      ByteBuffer seal = ByteBuffer.allocate(Seal.BYTES);
      read(seal);
      incoming.check(header.rewind(), body.rewind(), seal);
      Frame frame = frame(header, body);
      if (frame.kind() != Handshake.ALIVE) {
        return frame;
      }
    }
  }

  /** Whoever is between the two may have changed the length, so it is not the server's fault. */
  private static ByteBuffer body(ByteBuffer header, int mostBytes) throws IOException {
    try {
      return Frame.body(header, mostBytes);
    } catch (ProtocolException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  /** Each piece that comes, or goes, begins the time of silence anew. */
  private long endOfSilence() {
    return System.nanoTime() + silence.toNanos();
  }

  /**
   * Sends a message; waits until the server takes it.
   *
   * @param parts of its body
   * @throws IOException if the server is gone, or takes nothing for too long
   */
  public void send(int kind, ByteBuffer... parts) throws IOException {
    ByteBuffer header = Frame.header(kind, parts);
    ByteBuffer seal = outgoing.next(header, parts);
    write(header);
    for (ByteBuffer part : parts) {
      write(part.duplicate());
    }
    write(seal);
  }

  /** Sends bytes as they are. */
  void write(ByteBuffer buffer) throws IOException {
    write(buffer, this::endOfSilence);
  }

  /**
   * @param end of a wait for the server, as {@link System#nanoTime} has it
   */
  private void write(ByteBuffer buffer, LongSupplier end) throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.write(buffer) == 0) {
        await(SelectionKey.OP_WRITE, end.getAsLong());
      }
    }
  }

  private void read(ByteBuffer buffer) throws IOException {
    read(buffer, this::endOfSilence);
  }

  private void read(ByteBuffer buffer, LongSupplier end) throws IOException {
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer);
      if (count < 0) {
        throw new EOFException("the server closed the connection");
      }
      if (count == 0) {
        await(SelectionKey.OP_READ, end.getAsLong());
      }
    }
  }

  private void await(int operation, long end) throws IOException {
    try {
      key.interestOps(operation);
      long left = end - System.nanoTime();
      int ready = left > 0 ? selector.select(left / 1_000_000 + 1) : 0;
      if (ready == 0 && end - System.nanoTime() <= 0) {
        throw new SocketTimeoutException(SILENT);
      }
      selector.selectedKeys().clear();
    } catch (CancelledKeyException | ClosedSelectorException e) {
      throw new ClosedChannelException();
    }
    if (Thread.currentThread().isInterrupted()) {
      throw new ClosedByInterruptException();
    }
  }

  /** Ends the connection, and a wait of another thread. */
  @Override
  public void close() {
    try {
      channel.close();
      selector.close();
    } catch (IOException e) {
      // It is of no use any more, closed or not.
    }
  }
}
