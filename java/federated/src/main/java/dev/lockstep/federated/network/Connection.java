package dev.lockstep.federated.network;

import java.io.EOFException;
import java.io.IOException;
import java.net.ProtocolException;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.SocketChannel;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/** The server's end of a connection; never waits. Not thread-safe. */
final class Connection {
  /** The client at the other end, before it has said which. */
  static final int UNKNOWN = -1;

  final byte[] challenge = Handshake.nonce();

  /** When a client that has not said hello is given up, as {@link System#nanoTime} has it. */
  final long deadline;

  int client = UNKNOWN;

  /** The JDK copies all that is left of a heap buffer at each write, however little goes out. */
  private static final int PIECE = 1 << 18;

  private final SocketChannel channel;
  private final SelectionKey key;
  private final String peer;
  private final ByteBuffer header = ByteBuffer.allocate(Frame.HEADER);
  private @Nullable ByteBuffer body;
  private final ByteBuffer seal = ByteBuffer.allocate(Seal.BYTES);
  private @Nullable Seal incoming;
  private @Nullable Seal outgoing;
  private final Deque<ByteBuffer> out = new ArrayDeque<>();
  private boolean closesWhenWritten;
  long bytes;

  /** Of a client that sends, or takes what it is sent. */
  long signs;

  Connection(SocketChannel channel, SelectionKey key, long deadline) throws IOException {
    this.channel = channel;
    this.key = key;
    this.deadline = deadline;
    peer = String.valueOf(channel.getRemoteAddress());
  }

  /**
   * The client has proved its token: from now on each message has a seal, in both directions.
   *
   * @param nonce the client's random number
   */
  void seal(byte[] token, byte[] nonce) {
    incoming = Seal.ofClient(token, challenge, nonce);
    outgoing = Seal.ofServer(token, challenge, nonce);
  }

  /**
   * Reads what is there; the next whole message, or null before it is.
   *
   * @throws IOException if the connection ends, or it is none that the client has sent
   */
  @Nullable Frame read(int mostBytes) throws IOException {
    if (body == null) {
      fill(header);
      if (header.hasRemaining()) {
        return null;
      }
      body = Frame.body(header, mostBytes);
    }
    fill(body);
    if (body.hasRemaining()) {
      return null;
    }
    if (incoming != null) {
      fill(seal);
      if (seal.hasRemaining()) {
        return null;
      }
      incoming.check(header.rewind(), body.rewind(), seal);
    }
    Frame frame = new Frame(header.get(Integer.BYTES) & 0xff, body.rewind());
    header.clear();
    seal.clear();
    body = null;
    return frame;
  }

  private void fill(ByteBuffer buffer) throws IOException {
    while (buffer.hasRemaining()) {
      int count = channel.read(buffer);
      if (count < 0) {
        throw isMidMessage()
            ? new ProtocolException("the stream ended in the middle of a message")
            : new EOFException("it left");
      }
      if (count == 0) {
        return;
      }
      bytes += count;
      signs++;
    }
  }

  /** Whether a message has begun to arrive and has not ended. */
  boolean isMidMessage() {
    return header.position() > 0;
  }

  /** Parts of messages that have not gone out yet. */
  int waiting() {
    return out.size();
  }

  /** Whether something that was sent has not gone out yet. */
  boolean isBehind() {
    return !out.isEmpty();
  }

  /** Sends the challenge, which is no message. */
  void sendChallenge() throws IOException {
    out.add(
        ByteBuffer.allocate(Handshake.CHALLENGE).putLong(Handshake.MAGIC).put(challenge).flip());
    write();
  }

  /**
   * Sends as much of a message as goes now, the rest later.
   *
   * @param parts of its body, at their first bytes; shared, so they must stay as they are
   */
  void send(int kind, ByteBuffer... parts) throws IOException {
    ByteBuffer first = Frame.header(kind, parts);
    out.add(first.duplicate());
    for (ByteBuffer part : parts) {
      out.add(part.duplicate());
    }
    if (outgoing != null) {
      out.add(outgoing.next(first, parts));
    }
    write();
  }

  /** As the other, then closes. */
  void sendLast(int kind, ByteBuffer... parts) throws IOException {
    closesWhenWritten = true;
    send(kind, parts);
  }

  void write() throws IOException {
    for (ByteBuffer next = out.peek(); next != null; next = out.peek()) {
      while (next.hasRemaining()) {
        ByteBuffer piece = next.slice(next.position(), Math.min(PIECE, next.remaining()));
        int count = channel.write(piece);
        bytes += count;
        next.position(next.position() + count);
        if (piece.hasRemaining()) {
          key.interestOps(SelectionKey.OP_READ | SelectionKey.OP_WRITE);
          return;
        }
      }
      out.remove();
    }
    key.interestOps(SelectionKey.OP_READ);
    if (closesWhenWritten) {
      channel.shutdownOutput();
      close();
    }
  }

  void close() {
    key.cancel();
    try {
      channel.close();
    } catch (IOException e) {
      // It is of no use any more, closed or not.
    }
  }

  /** The other end's address, or client and address. */
  @Override
  public String toString() {
    return client == UNKNOWN ? "Connection of " + peer : "Client " + client + " at " + peer;
  }
}
