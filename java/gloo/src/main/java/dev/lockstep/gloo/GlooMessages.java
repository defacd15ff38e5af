package dev.lockstep.gloo;

import dev.lockstep.comm.CollectiveMismatchException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Span;
import dev.lockstep.jni.Native;
import java.util.ArrayDeque;
import java.util.Locale;

/**
 * Messages from one rank of a Gloo group to another: a {@link GlooHeader} that describes what
 * comes, then the elements. Small ones are copied, so that their sender does not wait. One thread
 * at a time.
 */
final class GlooMessages implements AutoCloseable {
  /** A send up to this size returns before the peer receives, as sends of the other backends do. */
  private static final long EAGER_BYTES = 64 << 10;

  private static final int EAGER_MESSAGES = 64;

  private final GlooPeers peers;
  private final int rank;
  private final ArrayDeque<Eager> eager = new ArrayDeque<>();

  /** A message that its sender did not wait for. */
  private record Eager(NativeMemory copy, org.bytedeco.pytorch.Work work, int to) {}

  GlooMessages(GlooPeers peers, int rank) {
    this.peers = peers;
    this.rank = rank;
  }

  void send(Span data, int to, int tag, long deadline) {
    while (eager.size() >= EAGER_MESSAGES) {
      release(eager.removeFirst(), deadline);
    }
    Eager header = copyOf(Span.empty(), data, to, tag);
    eager.addLast(header);
    long bytes = data.count() * data.type().bytes();
    if (bytes == 0) {
      return;
    }
    if (bytes <= EAGER_BYTES) {
      eager.addLast(copyOf(data, data, to, tag));
      return;
    }
    try (org.bytedeco.pytorch.Work work = peers.post(data, to, tag, true)) {
      peers.wait(work, to, deadline, "send");
    }
  }

  /** Sends the elements of {@code data}, or without any the description of {@code described}. */
  private Eager copyOf(Span data, Span described, int to, int tag) {
    boolean payload = data.count() > 0;
    long bytes = payload ? data.count() * data.type().bytes() : GlooPeers.HEADER_BYTES;
    NativeMemory copy = NativeMemory.allocate(bytes);
    Span target = copy.span(0, bytes, DataType.U8);
    if (payload) {
      GlooTensors.copy(data, copy.span(0, data.count(), data.type()));
    } else {
      new GlooHeader(Native.SEND, 0, described.type().code(), 0, rank, described.count(), 0, 0)
          .write(copy.buffer().asLongBuffer());
    }
    try {
      return new Eager(copy, peers.post(target, to, tag, true), to);
    } catch (RuntimeException e) {
      copy.close();
      throw peers.diagnose(e, to, "send").exception(e);
    }
  }

  private void release(Eager message, long deadline) {
    try (NativeMemory copy = message.copy();
        org.bytedeco.pytorch.Work work = message.work()) {
      peers.wait(work, message.to(), deadline, "send");
    }
  }

  /** Returns the rank that sent. */
  int receive(Span data, int from, int tag, long deadline) {
    int sender = from;
    GlooHeader header;
    try (NativeMemory room = NativeMemory.allocate(GlooPeers.HEADER_BYTES);
        org.bytedeco.pytorch.Work work =
            peers.post(room.span(0, GlooHeader.LONGS, DataType.I64), from, tag, false)) {
      peers.wait(work, from, deadline, "receive");
      sender = from == Communicator.ANY_RANK ? work.sourceRank() : from;
      header = GlooHeader.read(room.buffer().asLongBuffer());
    }
    if (header.count() != data.count() || header.type() != data.type().code()) {
      String text =
          String.format(
              Locale.ROOT,
              "Rank %d sends %s, but rank %d receives %s.",
              sender,
              header.count() + " " + typeName(header.type()),
              rank,
              data.count() + " " + typeName(data.type().code()));
      throw new CollectiveMismatchException(text, sender, null);
    }
    if (data.count() > 0) {
      try (org.bytedeco.pytorch.Work work = peers.post(data, sender, tag, false)) {
        peers.wait(work, sender, deadline, "receive");
      }
    }
    return sender;
  }

  private static String typeName(long code) {
    return DataType.values()[(int) code].name().toLowerCase(Locale.ROOT);
  }

  /** Waits until messages that were sent without waiting have been received, or the deadline. */
  void flush(long deadline) {
    while (!eager.isEmpty()) {
      Eager message = eager.removeFirst();
      GlooPeers.waitQuietly(message.work(), deadline);
      message.copy().close();
    }
  }

  /** The group itself must be closed after this. */
  @Override
  public void close() {
    for (Eager message : eager) {
      message.work().close();
      message.copy().close();
    }
    eager.clear();
  }
}
