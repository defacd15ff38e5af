package dev.lockstep.comm;

import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.IntSupplier;

/** An operation that a Java thread carries out. */
public final class StartedWork implements Work {
  private final CompletableFuture<Integer> result;

  private StartedWork(CompletableFuture<Integer> result) {
    this.result = result;
  }

  /**
   * Queues an operation.
   *
   * @param progress runs it
   * @param operation returns the rank that sent, for a receive, otherwise 0
   * @throws CommunicatorClosedException when {@code progress} takes no more
   */
  public static StartedWork on(Executor progress, IntSupplier operation) {
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
  public boolean await(Duration limit) {
    Objects.requireNonNull(limit, "limit");
    try {
      result.get(TimeUnit.NANOSECONDS.convert(limit), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e);
    }
    return true;
  }

  @Override
  public CompletionStage<Integer> completion() {
    return result.minimalCompletionStage();
  }

  @Override
  public boolean cancel() {
    return false;
  }

  @Override
  public long count() {
    return 0;
  }

  @Override
  public int await() {
    try {
      return result.get();
    } catch (InterruptedException e) {
      throw interrupted(e);
    } catch (ExecutionException e) {
      throw failure(e);
    }
  }

  private static CommunicationInterruptedException interrupted(InterruptedException e) {
    Thread.currentThread().interrupt();
    return new CommunicationInterruptedException(
        "The thread was interrupted while it waited for the end of a started operation, which goes on.",
        e);
  }

  private static RuntimeException failure(ExecutionException e) {
    return e.getCause() instanceof RuntimeException cause ? cause : new CompletionException(e);
  }
}
