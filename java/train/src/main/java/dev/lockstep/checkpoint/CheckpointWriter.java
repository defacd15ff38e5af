package dev.lockstep.checkpoint;

import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Writes one rank's share of checkpoints on a thread of its own, one at a time. Rank 0's also waits
 * until the files of all ranks are whole, which it sees in the folder, and completes the
 * checkpoint; it needs no message, so that nothing is bound by a communicator's deadline.
 *
 * <p>One thread besides its own.
 */
public final class CheckpointWriter implements AutoCloseable {
  private static final long LOOK_MILLIS = 5;

  private final CheckpointStore store;
  private final int rank;
  private final int ranks;
  private final UnaryOperator<WritableByteChannel> around;
  private final ExecutorService thread;
  private volatile boolean closed;
  private @Nullable Future<?> writing;

  /**
   * Starts nothing yet.
   *
   * @param ranks how many write into the same folder
   * @param around gives what tensors pass through on their way to the file; the identity, but for
   *     tests
   */
  public CheckpointWriter(
      CheckpointStore store, int rank, int ranks, UnaryOperator<WritableByteChannel> around) {
    this.store = store;
    this.rank = rank;
    this.ranks = ranks;
    this.around = around;
    thread =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread writer = new Thread(task, "lockstep-checkpoint");
              writer.setDaemon(true);
              return writer;
            });
  }

  /**
   * Makes the folder and clears what an earlier process left there; on rank 0, before any rank
   * writes.
   *
   * @throws CheckpointException if the folder cannot be written
   */
  public void prepare() {
    try {
      store.prepare();
    } catch (IOException e) {
      throw store.failed(0, e);
    }
  }

  /**
   * Begins to write; returns at once. The one before has ended ({@link #await}).
   *
   * @param shares this rank's; their memory is left alone until the write has ended
   * @param state the state of the run; used on rank 0
   * @throws IllegalStateException if a write is under way
   */
  public void write(long step, List<TensorShare> shares, ObjectNode state) {
    if (writing != null && !writing.isDone()) {
      throw new IllegalStateException("A checkpoint is being written; await it first.");
    }
    writing = thread.submit(() -> writeNow(step, shares, state));
  }

  private void writeNow(long step, List<TensorShare> shares, ObjectNode state) {
    try {
      Path folder = store.temporary(step);
      CheckpointFolder.writeShare(folder, rank, shares, around);
      if (rank == 0 && awaitOthers(folder)) {
        CheckpointFolder.seal(folder, step, ranks, state);
        store.commit(step);
      }
    } catch (IOException e) {
      throw store.failed(step, e);
    }
  }

  /** Whether all files came, before this writer was closed. */
  private boolean awaitOthers(Path folder) {
    for (int other = 1; other < ranks; other++) {
      while (!CheckpointFolder.hasShare(folder, other)) {
        if (closed) {
          return false;
        }
        try {
          Thread.sleep(LOOK_MILLIS);
        } catch (InterruptedException e) {
          return false;
        }
      }
    }
    return true;
  }

  /**
   * Waits for the write that is under way, if there is one.
   *
   * @param milliseconds how long at most
   * @return whether none is under way any more
   * @throws CheckpointException if it could not be written; said once
   */
  public boolean await(long milliseconds) {
    if (writing == null) {
      return true;
    }
    try {
      writing.get(milliseconds, TimeUnit.MILLISECONDS);
      writing = null;
      return true;
    } catch (TimeoutException e) {
      return false;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return false;
    } catch (ExecutionException e) {
      writing = null;
      throw e.getCause() instanceof CheckpointException failure
          ? failure
          : new CheckpointException(
              "A checkpoint could not be written: " + e.getCause() + ".", e.getCause());
    }
  }

  /** Gives up waiting for other ranks, and waits for this rank's own file. */
  @Override
  public void close() {
    closed = true;
    thread.shutdown();
    boolean interrupted = false;
    while (!thread.isTerminated()) {
      try {
        thread.awaitTermination(1, TimeUnit.SECONDS);
      } catch (InterruptedException e) {
        // It reads memory that the caller frees next.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
