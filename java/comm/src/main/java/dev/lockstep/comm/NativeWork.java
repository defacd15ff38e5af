package dev.lockstep.comm;

import dev.lockstep.jni.Native;
import java.time.Duration;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.jspecify.annotations.Nullable;

/**
 * A native work handle, which is taken exactly once, by its user or, if nobody waits for it, by
 * {@link StartedWorks}; until then it holds the memory of its request.
 */
final class NativeWork implements Work {
  /**
   * @param sender of a receive
   * @param count elements that came
   */
  record Outcome(int sender, long count) {}

  /** How soon a wait hears of an interruption. */
  private static final double SLICE_SECONDS = 0.1;

  private final NativeCommunicator communicator;
  private final NativeWorkKind kind;
  private final String what;
  private final int peer;
  private final long handle;
  private final Runnable release;

  // Guarded by this.
  private int users; // inside native code with the handle
  private boolean taken;
  private @Nullable Outcome outcome;
  private @Nullable RuntimeException failure;
  private @Nullable CompletableFuture<Integer> future;

  /**
   * @param what for messages: "receive with tag 3"
   * @param peer the rank that is awaited, or {@link CommunicationException#NO_RANK}
   * @param release what gives back the request's memory
   */
  NativeWork(
      NativeCommunicator communicator,
      NativeWorkKind kind,
      String what,
      int peer,
      long handle,
      Runnable release) {
    this.communicator = communicator;
    this.kind = kind;
    this.what = what;
    this.peer = peer;
    this.handle = handle;
    this.release = release;
  }

  long handle() {
    return handle;
  }

  /**
   * @return false when it has been taken, so that the handle is of no more use
   */
  private synchronized boolean enter() {
    if (!taken) {
      users++;
    }
    return !taken;
  }

  /**
   * @param ended whether native code says that the operation has
   */
  private void leave(boolean ended) {
    CompletableFuture<Integer> told = null;
    synchronized (this) {
      users--;
      if (ended && !taken) {
        taken = true;
      }
      if (taken && users == 0 && outcome == null && failure == null) {
        take();
        told = future;
      }
      notifyAll();
    }
    if (told != null) {
      tell(told);
    }
  }

  private void take() {
    try {
      outcome = kind.take(handle);
    } catch (RuntimeException e) {
      failure =
          kind == NativeWorkKind.COLLECTIVE ? communicator.failed(e) : NativeErrors.translate(e);
    } finally {
      release.run();
    }
  }

  private void tell(CompletableFuture<Integer> told) {
    if (failure != null) {
      told.completeExceptionally(failure);
    } else {
      told.complete(outcome == null ? 0 : outcome.sender());
    }
  }

  /** What it ended with, once another thread that was inside native code has come out. */
  private synchronized Outcome result() {
    boolean interrupted = false;
    while (outcome == null && failure == null) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (failure != null) {
      throw failure;
    }
    return Objects.requireNonNull(outcome);
  }

  /**
   * @return false when {@code seconds} have passed
   * @throws CommunicationInterruptedException when the thread is interrupted before it has ended
   */
  private boolean waitFor(double seconds) {
    long began = System.nanoTime();
    double left = seconds;
    while (true) {
      if (awaitOnce(Math.min(left, SLICE_SECONDS))) {
        return true;
      }
      left = seconds - (System.nanoTime() - began) * 1e-9;
      if (left <= 0) {
        return false;
      }
      CommunicationInterruptedException.throwIfInterrupted(
          "while rank "
              + communicator.rank()
              + " waited for the end of a "
              + what
              + ", which goes on; the group is whole.");
    }
  }

  private boolean awaitOnce(double seconds) {
    if (!enter()) {
      return true;
    }
    boolean ended = false;
    try {
      ended = kind.await(handle, seconds);
    } finally {
      leave(ended);
    }
    return ended;
  }

  @Override
  public boolean isDone() {
    return settleIfDone();
  }

  /**
   * As {@link #settleIfDone()}, but leaves one whose end somebody wants to hear of to the thread
   * that tells.
   */
  boolean sweepIfDone() {
    synchronized (this) {
      if (future != null) {
        return taken && users == 0;
      }
    }
    return settleIfDone();
  }

  /** Gives back what it holds if it has ended. Does not block. @return whether it has ended */
  boolean settleIfDone() {
    if (enter()) {
      boolean ended = false;
      try {
        ended = kind.isDone(handle);
      } finally {
        leave(ended);
      }
      return ended;
    }
    return true;
  }

  @Override
  public int await() {
    boolean isCollective = kind == NativeWorkKind.COLLECTIVE;
    double limit = isCollective ? Double.POSITIVE_INFINITY : communicator.timeout();
    if (!waitFor(limit)) {
      throw new CollectiveTimeoutException(
          "Rank "
              + communicator.rank()
              + " waited "
              + limit
              + " s for "
              + (peer < 0 ? "any rank" : "rank " + peer)
              + " in a "
              + what
              + ". The message is still under way, and the group whole: wait again, or cancel it.",
          peer,
          null);
    }
    communicator.works().remove(this);
    return result().sender();
  }

  @Override
  public boolean await(Duration limit) {
    Objects.requireNonNull(limit, "limit");
    if (!waitFor(seconds(limit))) {
      return false;
    }
    communicator.works().remove(this);
    result();
    return true;
  }

  @Override
  public long count() {
    return settleIfDone() ? result().count() : 0;
  }

  @Override
  public CompletionStage<Integer> completion() {
    CompletableFuture<Integer> made;
    synchronized (this) {
      if (future != null) {
        return future.minimalCompletionStage();
      }
      made = new CompletableFuture<>();
      future = made;
      if (outcome != null || failure != null) {
        tell(made);
        return made.minimalCompletionStage();
      }
    }
    if (enter()) {
      try {
        communicator.completions().await(this, kind);
      } finally {
        leave(false);
      }
    }
    return made.minimalCompletionStage();
  }

  @Override
  public boolean cancel() {
    if (!enter()) {
      return false;
    }
    boolean cancelled = false;
    try {
      cancelled = kind.cancel(handle);
    } catch (RuntimeException e) {
      throw NativeErrors.translate(e);
    } finally {
      leave(cancelled);
    }
    return cancelled;
  }

  /** The limit of a wait as native code takes it. */
  static double seconds(Duration limit) {
    return Math.max(0, limit.toSeconds() + limit.getNano() * 1e-9);
  }

  static NativeWork message(
      NativeCommunicator communicator, Request request, int peer, int tag, boolean exact) {
    boolean isSend = request.operation() == Native.SEND;
    Span data = isSend ? request.input() : request.output();
    Runnable release = request.hold();
    long handle;
    try {
      handle =
          Native.post_message(
              communicator.handle(),
              request.operation(),
              data.type().code,
              peer,
              tag,
              data.address(),
              data.count(),
              exact);
    } catch (RuntimeException e) {
      release.run();
      throw NativeErrors.translate(e);
    }
    String what = (isSend ? "send" : "receive") + " of " + data + " with tag " + tag;
    NativeWork work =
        new NativeWork(communicator, NativeWorkKind.MESSAGE, what, peer, handle, release);
    communicator.works().add(work);
    return work;
  }
}
