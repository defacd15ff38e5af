package dev.lockstep.train.engine;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads and normalises the next piece on a thread of its own while the present one is computed. Two
 * readers take turns: the memory of one is in use while the other's is filled. Where reading takes
 * less time than handing it over would, it stays on the caller's thread. The samples are the same
 * either way.
 *
 * <p>One thread besides its own.
 */
public final class PrefetchingReader implements SampleReader {
  /** Below this, a hand-over between threads costs about as much as it hides. */
  private static final long WORTH_PREFETCHING_NANOS = 200_000;

  private final Supplier<BatchReader> opener;
  private final long worthNanos;
  private final Deque<MicroBatch> announced = new ArrayDeque<>();
  private BatchReader @Nullable [] readers;
  private int current;
  private @Nullable ExecutorService thread;
  private @Nullable MicroBatch loading;
  private @Nullable Future<Long> load;

  /** The mean duration of recent loads. */
  private double loadNanos;

  /**
   * Reads nothing yet.
   *
   * @param opener makes a reader; asked twice, at the first read
   */
  public PrefetchingReader(Supplier<BatchReader> opener) {
    this(opener, WORTH_PREFETCHING_NANOS);
  }

  /** As the other, with the duration of a load from which on it is done ahead. */
  PrefetchingReader(Supplier<BatchReader> opener, long worthNanos) {
    this.opener = opener;
    this.worthNanos = worthNanos;
  }

  /** Names the pieces that will be read next, in order, behind those named before. */
  public void announce(List<MicroBatch> pieces) {
    pieces.stream().filter(piece -> piece.count() > 0).forEach(announced::add);
  }

  @Override
  public Samples read(MicroBatch piece) {
    BatchReader[] both = open();
    if (loading != null && loading.equals(piece)) {
      measured(await());
      current = 1 - current;
    } else {
      discard();
      measured(timedLoad(both[current], piece));
    }
    if (piece.equals(announced.peek())) {
      announced.remove();
      startNext(both[1 - current]);
    } else {
      announced.clear();
    }
    return both[current].samples();
  }

  @Override
  public void skip(MicroBatch piece) {
    announced.remove(piece);
  }

  @Override
  public long[] featureShape() {
    return open()[0].featureShape();
  }

  private void startNext(BatchReader idle) {
    MicroBatch next = announced.peek();
    if (next == null || loadNanos < worthNanos) {
      return;
    }
    if (thread == null) {
      thread =
          Executors.newSingleThreadExecutor(
              task -> {
                Thread reading = new Thread(task, "lockstep-reader");
                reading.setDaemon(true);
                return reading;
              });
    }
    loading = next;
    load = thread.submit(() -> timedLoad(idle, next));
  }

  private static long timedLoad(BatchReader reader, MicroBatch piece) {
    long start = System.nanoTime();
    reader.load(piece.batch().indices(), piece.batch().from() + piece.from(), piece.count());
    return System.nanoTime() - start;
  }

  private void measured(long nanos) {
    loadNanos = loadNanos == 0 ? nanos : 0.9 * loadNanos + 0.1 * nanos;
  }

  /** Waits for the load that is under way; what it threw is thrown here. */
  private long await() {
    Future<Long> pending = load;
    loading = null;
    load = null;
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return pending == null ? 0 : pending.get();
        } catch (InterruptedException e) {
          // The load writes into memory of ours, so it is waited for.
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** Ends a load of what will not be read. */
  private void discard() {
    if (load == null) {
      return;
    }
    try {
      await();
    } catch (RuntimeException notNeeded) {
      // It will be thrown again if the piece is read after all.
    }
  }

  private BatchReader[] open() {
    if (readers == null) {
      BatchReader first = opener.get();
      try {
        readers = new BatchReader[] {first, opener.get()};
      } catch (RuntimeException e) {
        first.close();
        throw e;
      }
    }
    return readers;
  }

  @Override
  public void close() {
    discard();
    if (thread != null) {
      thread.shutdownNow();
    }
    if (readers != null) {
      for (BatchReader reader : readers) {
        reader.close();
      }
    }
  }
}
