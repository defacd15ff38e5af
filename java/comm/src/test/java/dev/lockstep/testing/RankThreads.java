package dev.lockstep.testing;

import static java.util.concurrent.TimeUnit.SECONDS;

import dev.lockstep.comm.Communicator;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;

/** Runs a function as N ranks that are threads of this process, with a hard deadline. */
public final class RankThreads {
  private static final double OPERATION_TIMEOUT_SECONDS = 60;
  private static final long DEADLINE_SECONDS = 240;

  private RankThreads() {}

  /** What one rank does. */
  public interface RankBody<T> {
    T run(Communicator communicator) throws Exception;
  }

  /** Joins one rank to a group that all ranks of one run name alike. */
  public interface RankOpener {
    Communicator open(String group, int rank, int size);
  }

  /**
   * Runs {@code body} on every rank. @return the results by rank; the first rank's failure is
   * thrown as it is
   */
  public static <T> List<T> run(int size, RankBody<T> body) throws Exception {
    return run(
        size,
        (group, rank, ranks) ->
            Communicator.inProcess(group, rank, ranks, OPERATION_TIMEOUT_SECONDS),
        body);
  }

  /** As above, over another backend. */
  public static <T> List<T> run(int size, RankOpener opener, RankBody<T> body) throws Exception {
    String group = "test-" + UUID.randomUUID();
    ExecutorService threads =
        Executors.newFixedThreadPool(
            size,
            task -> {
              Thread thread = new Thread(task, "rank");
              thread.setDaemon(true);
              return thread;
            });
    try {
      List<Future<T>> futures = new ArrayList<>();
      for (int rank = 0; rank < size; rank++) {
        int own = rank;
        futures.add(threads.submit(() -> runRank(opener.open(group, own, size), body)));
      }
      List<T> results = new ArrayList<>();
      for (Future<T> future : futures) {
        results.add(future.get(DEADLINE_SECONDS, SECONDS));
      }
      return results;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Exception cause) {
        throw cause;
      }
      throw e;
    } catch (TimeoutException e) {
      throw new AssertionError("A rank still runs after " + DEADLINE_SECONDS + " s", e);
    } finally {
      threads.shutdownNow();
    }
  }

  private static <T> T runRank(Communicator rank, RankBody<T> body) throws Exception {
    try (Communicator communicator = rank) {
      return body.run(communicator);
    }
  }
}
