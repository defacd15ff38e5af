package dev.lockstep.comm;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.IntSupplier;

/** An operation that a Java thread carries out. */
final class StartedWork implements Work {
  private final CompletableFuture<Integer> result;

  private StartedWork(CompletableFuture<Integer> result) {
    this.result = result;
  }

  static StartedWork on(Executor progress, IntSupplier operation) {
    try {
      return new StartedWork(CompletableFuture.supplyAsync(operation::getAsInt, progress));
    } catch (RejectedExecutionException e) {
      throw new CommunicatorClosedException(
          "The communicator is closed", CommunicationException.NO_RANK, e);
    }
  }

  @Override
  public boolean isDone() {
    return result.isDone();
  }

  @Override
  public int await() {
    try {
      return result.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw e;
    }
  }
}
