package dev.lockstep.gloo;

import dev.lockstep.comm.CollectiveMismatchException;
import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.DataType;
import dev.lockstep.comm.NativeMemory;
import dev.lockstep.comm.Operation;
import dev.lockstep.comm.Span;
import dev.lockstep.jni.Native;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.Locale;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.ProcessGroupGloo;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.jspecify.annotations.Nullable;

/**
 * The ranks of one Gloo group as each other's peers: their agreement on each collective, and what
 * has become of a peer. Receives of every peer's next {@link GlooHeader} are always posted, so that
 * a leaving rank's last words arrive whatever this rank is doing. One thread at a time, but for the
 * ticks of {@link GlooWait}.
 */
final class GlooPeers implements AutoCloseable {
  /** Users' tags end below. */
  private static final int HEADER_TAG = 1 << 20;

  static final long HEADER_BYTES = GlooHeader.LONGS * (long) Long.BYTES;
  private static final long FAREWELL_NANOS = 500_000_000;
  private static final long NOT_YET = Long.MIN_VALUE;

  private final ProcessGroupGloo gloo;
  private final int rank;
  private final int size;
  private final NativeMemory memory;
  private final org.bytedeco.pytorch.@Nullable Work[] expected;
  private final org.bytedeco.pytorch.@Nullable Work[] told;
  private final GlooWait waiting;

  GlooPeers(ProcessGroupGloo gloo, int rank, int size, GlooWait waiting) {
    this.gloo = gloo;
    this.rank = rank;
    this.size = size;
    this.waiting = waiting;
    this.memory = NativeMemory.allocate(HEADER_BYTES * (size + 1));
    this.expected = new org.bytedeco.pytorch.Work[size];
    this.told = new org.bytedeco.pytorch.Work[size];
    for (int peer = 0; peer < size; peer++) {
      expect(peer);
    }
  }

  private Span slot(int peer) {
    return memory.span(HEADER_BYTES * peer, GlooHeader.LONGS, DataType.I64);
  }

  private LongBuffer longs(int peer) {
    return memory.buffer().asLongBuffer().slice(GlooHeader.LONGS * peer, GlooHeader.LONGS);
  }

  private void expect(int peer) {
    if (peer != rank) {
      longs(peer).put(GlooHeader.LONGS - 1, NOT_YET);
      expected[peer] = post(slot(peer), peer, HEADER_TAG, false);
    }
  }

  /** Bytes come in order, so the last field says whether a header is there. */
  private boolean hasCome(int peer) {
    return longs(peer).get(GlooHeader.LONGS - 1) != NOT_YET;
  }

  /**
   * A send or a receive that Gloo carries out from now on; the caller waits for it and closes it.
   */
  org.bytedeco.pytorch.Work post(Span data, int peer, int tag, boolean send) {
    try (Tensor tensor = GlooTensors.bytes(data);
        TensorVector tensors = new TensorVector(tensor)) {
      if (send) {
        return gloo.send(tensors, peer, tag);
      }
      return peer == Communicator.ANY_RANK
          ? gloo.recvAnysource(tensors, tag)
          : gloo.recv(tensors, peer, tag);
    }
  }

  /**
   * Tells all peers, and returns what each has told.
   *
   * @throws CommunicationException when they disagree, or one is dead, silent or gone
   */
  GlooHeader[] agree(GlooHeader own, @Nullable LongBuffer counts, long deadline) {
    GlooHeader[] headers = new GlooHeader[size];
    headers[rank] = own;
    tell(own);
    for (int peer = 0; peer < size; peer++) {
      org.bytedeco.pytorch.Work work = expected[peer];
      if (work != null) {
        wait(work, peer, deadline, what(own));
        work.close();
        expected[peer] = null;
        headers[peer] = GlooHeader.read(longs(peer));
        if (headers[peer].isGoodbye()) {
          throw GlooFailure.of(headers[peer], peer, rank, what(own)).exception(null);
        }
        expect(peer);
      }
    }
    for (int peer = 0; peer < size; peer++) {
      org.bytedeco.pytorch.Work work = told[peer];
      if (work != null) {
        wait(work, peer, deadline, what(own));
        work.close();
        told[peer] = null;
      }
    }
    int other = GlooHeader.mismatch(headers, rank, counts);
    if (other >= 0) {
      String text =
          String.format(
              Locale.ROOT,
              "The ranks do not agree: rank %d asks for %s, rank %d for %s.",
              rank,
              own.text(),
              other,
              headers[other].text());
      throw new CollectiveMismatchException(text, other, null);
    }
    return headers;
  }

  private static String what(GlooHeader header) {
    return Operation.of(header.operation()).toString();
  }

  private void tell(GlooHeader header) {
    header.write(longs(size));
    for (int peer = 0; peer < size; peer++) {
      if (peer != rank) {
        try {
          told[peer] = post(slot(size), peer, HEADER_TAG, true);
        } catch (RuntimeException e) {
          throw diagnose(e, peer, what(header)).exception(e);
        }
      }
    }
  }

  /** Throws what the failure of {@code work} means, at the deadline at the latest. */
  void wait(org.bytedeco.pytorch.Work work, int peer, long deadline, String operation) {
    GlooFailure failure;
    RuntimeException cause = null;
    try {
      failure = waiting.await(work, peer, deadline, operation, () -> lastWords(operation, peer));
    } catch (RuntimeException e) {
      failure = diagnose(e, peer, operation);
      cause = e;
    }
    if (failure != null) {
      throw failure.exception(cause);
    }
  }

  /** What a failure of Gloo during {@code operation} means; {@code peer} is suspected, or -1. */
  GlooFailure diagnose(RuntimeException thrown, int peer, String operation) {
    GlooFailure told = lastWords(operation, peer);
    if (told != null) {
      return told;
    }
    String text = "The " + operation + " of rank " + rank + " failed";
    if (GlooFailure.isTimeout(thrown)) {
      return new GlooFailure(
          Native.TIMEOUT, peer, text + ": its deadline passed while waiting" + forRank(peer) + ".");
    }
    if (GlooFailure.isCut(thrown)) {
      return cut(peer, operation);
    }
    return new GlooFailure(
        Native.SYSTEM, peer, text + " in Gloo: " + String.valueOf(thrown.getMessage()));
  }

  private static String forRank(int peer) {
    return peer < 0 ? "" : " for rank " + peer;
  }

  private GlooFailure cut(int peer, String operation) {
    String who = peer < 0 ? "A rank" : "Rank " + peer;
    String text = who + " failed or left the group during the " + operation + " of rank " + rank;
    return new GlooFailure(Native.PEER_FAILED, peer, text + ".");
  }

  /**
   * A goodbye that has come, else a peer whose connection is cut, else null. Does not block. That a
   * peer has left in good order is nothing to a message of others.
   */
  private @Nullable GlooFailure lastWords(String operation, int awaited) {
    boolean message = operation.equals("send") || operation.equals("receive");
    GlooFailure cut = null;
    for (int peer = 0; peer < size; peer++) {
      org.bytedeco.pytorch.Work work = expected[peer];
      if (work == null) {
        continue;
      }
      if (hasCome(peer)) {
        GlooHeader header = GlooHeader.read(longs(peer));
        boolean leftInOrder = header.type() == Native.CLOSED;
        if (header.isGoodbye() && !(leftInOrder && message && peer != awaited)) {
          return GlooFailure.of(header, peer, rank, operation);
        }
      } else if (cut == null) {
        cut = cutOf(peer, work, operation);
      }
    }
    return cut;
  }

  private @Nullable GlooFailure cutOf(int peer, org.bytedeco.pytorch.Work work, String operation) {
    try {
      GlooWait.check(work);
      return null;
    } catch (RuntimeException e) {
      return GlooFailure.isCut(e) ? cut(peer, operation) : null;
    }
  }

  /** Tells the peers that can still be reached why this rank leaves. Never throws. */
  void farewell(GlooFailure failure) {
    long end = System.nanoTime() + FAREWELL_NANOS;
    failure.goodbye().write(longs(size));
    org.bytedeco.pytorch.Work[] sends = new org.bytedeco.pytorch.Work[size];
    for (int peer = 0; peer < size; peer++) {
      try {
        sends[peer] = peer == rank ? null : post(slot(size), peer, HEADER_TAG, true);
      } catch (RuntimeException e) {
        sends[peer] = null; // it is the one that failed
      }
    }
    Arrays.stream(sends).forEach(work -> waitQuietly(work, end));
  }

  static void waitQuietly(org.bytedeco.pytorch.@Nullable Work work, long end) {
    if (work != null) {
      long millis = Math.max(1, (end - System.nanoTime()) / 1_000_000);
      try (work;
          Milliseconds limit = new Milliseconds(millis)) {
        work._wait(limit);
      } catch (RuntimeException e) {
        // Nobody is left to be told.
        return;
      }
    }
  }

  /** The group itself must be closed after this. */
  @Override
  public void close() {
    close(expected);
    close(told);
    memory.close();
  }

  private static void close(org.bytedeco.pytorch.@Nullable Work[] works) {
    for (org.bytedeco.pytorch.Work work : works) {
      if (work != null) {
        work.close();
      }
    }
  }
}
