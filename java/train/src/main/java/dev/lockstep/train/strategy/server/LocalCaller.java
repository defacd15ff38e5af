package dev.lockstep.train.strategy.server;

import dev.lockstep.comm.CommunicationInterruptedException;
import dev.lockstep.train.memory.FlatBuffers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

/** The rank whose process the server is in: no message, one copy either way. */
final class LocalCaller extends Caller {
  private final SliceServer server;
  private final ServedSlice slice;
  private volatile CompletableFuture<Answer> answer = new CompletableFuture<>();

  LocalCaller(int rank, SliceServer server, ServedSlice slice) {
    super(rank, slice.buffers());
    this.server = server;
    this.slice = slice;
  }

  /** Asks; on the rank's own thread. */
  CompletableFuture<Answer> ask(Request next, FlatBuffers gradients) {
    CompletableFuture<Answer> pending = new CompletableFuture<>();
    if (next.carriesGradients()) {
      slice.copyPart(gradients, data());
    }
    answer = pending;
    server.tell(() -> server.requested(this, next));
    server.failure().ifPresent(pending::completeExceptionally);
    return pending;
  }

  /**
   * Waits for the answer, and puts the values in their place; on the rank's own thread. The server
   * notices who is silent, and fails then.
   */
  Answer await(CompletableFuture<Answer> pending, Request asked, FlatBuffers parameters) {
    try {
      Answer given = pending.get();
      if (asked.kind() != Request.Kind.TICK) {
        slice.putPart(data(), parameters);
      }
      return given;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommunicationInterruptedException(
          "The thread was interrupted while it waited for this rank's parameter server.", e);
    }
  }

  /** The server has ended, and will not answer. */
  void fail(RuntimeException why) {
    answer.completeExceptionally(why);
  }

  @Override
  void listen() {}

  /** It is in the server's process. */
  @Override
  void tell(Answer notice) {}

  @Override
  void receiveGradients() {
    server.received(this);
  }

  @Override
  void answer(Answer given, boolean values) {
    answer.complete(given);
  }
}
