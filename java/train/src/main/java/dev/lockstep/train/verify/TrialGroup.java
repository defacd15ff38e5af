package dev.lockstep.train.verify;

import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorConfig;
import dev.lockstep.comm.RendezvousPort;
import dev.lockstep.comm.TcpOptions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Ranks that are threads of this process and are grouped over loopback, as ranks of one host are
 * that are processes.
 *
 * @param backend between the ranks: auto, tcp or shared_memory
 * @param ranks how many
 * @param timeoutSeconds deadline of each operation
 * @param limit after which ranks that have not ended count as hanging
 */
public record TrialGroup(
    CommunicatorConfig.Choice backend, int ranks, double timeoutSeconds, Duration limit) {
  private static final Logger log = LoggerFactory.getLogger(TrialGroup.class);
  private static final double FORMING_SECONDS = 30;
  private static final String TOKEN = UUID.randomUUID().toString();

  /**
   * How a rank ended.
   *
   * @param result of a run that did
   * @param failure of one that did not
   * @param operations that it began
   */
  public record Ending<T>(@Nullable T result, @Nullable Throwable failure, long operations) {
    /** Whether it has not. */
    public boolean hangs() {
      return result == null && failure == null;
    }
  }

  /** What the ranks of a run meet. */
  public interface Conditions {
    /** A run that nothing disturbs. */
    Conditions QUIET = rank -> Disturbance.NONE;

    /** What happens to a rank. */
    Disturbance of(int rank);

    /** The step after which a rank is asked to stop. */
    default long stopsAfter(int rank) {
      return Long.MAX_VALUE;
    }

    /** A rank's thread is about to end. */
    default void ended(int rank) {}
  }

  /** What a rank does. */
  public interface Body<T> {
    /** Does it; the group is closed by whoever calls. */
    T run(Communicator group);
  }

  /**
   * Runs.
   *
   * @return by rank
   */
  public <T> List<Ending<T>> run(Conditions conditions, Body<T> body) {
    AtomicReferenceArray<Ending<T>> endings = new AtomicReferenceArray<>(ranks);
    CountDownLatch running = new CountDownLatch(ranks);
    try (RendezvousPort port = Communicator.listen("127.0.0.1", 0)) {
      for (int r = 0; r < ranks; r++) {
        int rank = r;
        endings.set(rank, new Ending<>(null, null, 0));
        Thread thread =
            new Thread(
                () -> {
                  endings.set(rank, runRank(port, rank, conditions, body));
                  conditions.ended(rank);
                  running.countDown();
                },
                "verify-rank-" + rank);
        thread.setDaemon(true);
        thread.start();
      }
      if (!running.await(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        log.warn("Not all ranks of a run have ended within {} s.", limit.toSeconds());
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    List<Ending<T>> all = new ArrayList<>();
    for (int rank = 0; rank < ranks; rank++) {
      all.add(endings.get(rank));
    }
    return all;
  }

  private <T> Ending<T> runRank(
      RendezvousPort port, int rank, Conditions conditions, Body<T> body) {
    try (Communicator own = join(port, rank)) {
      DisturbedCommunicator disturbed = new DisturbedCommunicator(own, conditions.of(rank));
      try {
        return new Ending<>(body.run(disturbed.view()), null, disturbed.operations());
      } catch (RuntimeException | Error e) {
        return new Ending<>(null, e, disturbed.operations());
      }
    } catch (RuntimeException e) {
      return new Ending<>(null, e, 0);
    }
  }

  private Communicator join(RendezvousPort port, int rank) {
    CommunicatorConfig config = new CommunicatorConfig(backend, timeoutSeconds);
    Communicator own =
        rank == 0
            ? port.join(ranks, TOKEN, FORMING_SECONDS, config)
            : Communicator.join(
                new TcpOptions(rank, ranks, port.address(), port.port(), TOKEN, FORMING_SECONDS),
                config);
    own.setTimeout(timeoutSeconds);
    return own;
  }
}
