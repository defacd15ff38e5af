package dev.lockstep.train.strategy.server;

import dev.lockstep.train.memory.FlatBuffers;
import java.util.BitSet;

/**
 * One rank, as a server sees it: it asks, gives gradients, and is answered, in turn. On the
 * server's thread alone.
 */
abstract class Caller implements AutoCloseable {
  private final int rank;
  private final FlatBuffers data;
  private Request request = new Request(Request.Kind.TICK, -1, 0, 0, 0, new BitSet());
  private long readVersion;

  /**
   * @param data for what it gives, and then for what it is given; closed with this
   */
  Caller(int rank, FlatBuffers data) {
    this.rank = rank;
    this.data = data;
  }

  int rank() {
    return rank;
  }

  /** The gradients of the request, until it is answered. */
  FlatBuffers data() {
    return data;
  }

  /** What it has asked last. */
  Request request() {
    return request;
  }

  void request(Request next) {
    request = next;
  }

  /** The slice's version when this rank was given its values last. */
  long readVersion() {
    return readVersion;
  }

  void readVersion(long version) {
    readVersion = version;
  }

  /** Begins to wait for signs of life, besides requests. */
  void listenForSigns() {}

  /** Begins to wait for a request. */
  abstract void listen();

  /** Begins to take in the gradients that follow the request. */
  abstract void receiveGradients();

  /**
   * Sends an answer, and what {@link #data} holds if values are due; then waits for the next
   * request.
   */
  abstract void answer(Answer answer, boolean values);

  /** Sends what is no answer, to a rank that waits for one. */
  abstract void tell(Answer notice);

  /** Waits until answers have left, but no longer than until a {@link System#nanoTime}. */
  void flush(long until) {}

  @Override
  public String toString() {
    return "rank " + rank + " for " + request.kind() + " at step " + request.clock();
  }

  @Override
  public void close() {
    data.close();
  }
}
