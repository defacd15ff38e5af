package dev.lockstep.gloo;

import dev.lockstep.comm.CommunicationException;
import dev.lockstep.comm.Communicator;
import dev.lockstep.comm.CommunicatorClosedException;
import dev.lockstep.jni.Native;
import java.util.function.Supplier;
import org.bytedeco.javacpp.chrono.Milliseconds;
import org.bytedeco.pytorch.Work;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Waiting for Gloo's messages. Gloo answers a deadline of its own by cutting all connections, after
 * which nobody can be told why; so a ticking thread interrupts the wait instead, and the waiting
 * thread looks at its deadline, at its peers' last words and at whether it is being closed.
 */
final class GlooWait implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Communicator.class);
  private static final long TICK_MILLIS = 25;

  /** Gloo's own limit, which a wait never reaches. */
  private static final long NEVER_MILLIS = 1_000_000_000;

  private final int rank;
  private final Thread ticker;
  private volatile boolean closing;
  private volatile double stallSeconds = 10;
  private @Nullable Work current;

  GlooWait(int rank) {
    this.rank = rank;
    this.ticker = new Thread(this::tickUntilClosed, "lockstep-gloo-tick");
    ticker.setDaemon(true);
    ticker.start();
  }

  private void tickUntilClosed() {
    try {
      while (!Thread.currentThread().isInterrupted()) {
        Thread.sleep(TICK_MILLIS);
        tick();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private synchronized void tick() {
    if (current != null) {
      current.abort();
    }
  }

  private synchronized void waitFor(@Nullable Work work) {
    current = work;
  }

  /** Lets waits end with {@link CommunicatorClosedException} from now on. */
  void beginClosing() {
    closing = true;
  }

  boolean isClosing() {
    return closing;
  }

  void setStallSeconds(double seconds) {
    stallSeconds = seconds;
  }

  /**
   * Waits for a message.
   *
   * @param peer for which rank, or -1
   * @param lastWords what the peers have said about the group's end
   * @return why it will not come, or null when it has
   * @throws RuntimeException with Gloo's text
   */
  @Nullable GlooFailure await(
      Work work,
      int peer,
      long deadline,
      String operation,
      Supplier<@Nullable GlooFailure> lastWords) {
    long began = System.nanoTime();
    boolean told = false;
    while (!interruptibly(work)) {
      String what = "the " + operation + " of rank " + rank;
      String whom = peer < 0 ? "any rank" : "rank " + peer;
      if (closing) {
        String text = "The communicator was closed during " + what + ".";
        return new GlooFailure(Native.CLOSED, CommunicationException.NO_RANK, text);
      }
      if (Thread.currentThread().isInterrupted()) {
        String text = "The thread was interrupted during " + what + ".";
        return new GlooFailure(Native.INTERRUPTED, CommunicationException.NO_RANK, text);
      }
      GlooFailure failure = lastWords.get();
      if (failure != null) {
        return failure;
      }
      long now = System.nanoTime();
      if (now - deadline >= 0) {
        String text = "The deadline of " + what + " passed while it waited for " + whom + ".";
        return new GlooFailure(Native.TIMEOUT, peer, text);
      }
      if (!told && (now - began) * 1e-9 > stallSeconds) {
        LOG.warn("For {} s {} has waited for {}.", stallSeconds, what, whom);
        told = true;
      }
    }
    return null;
  }

  /** Returns whether the message has come, as opposed to a tick. */
  private boolean interruptibly(Work work) {
    waitFor(work);
    try (Milliseconds limit = new Milliseconds(NEVER_MILLIS)) {
      return work._wait(limit);
    } finally {
      waitFor(null);
    }
  }

  /**
   * Throws what Gloo has to say about a receive that has not come, without waiting. It leaves the
   * receive as it is: an interrupted wait consumes nothing.
   */
  static void check(Work work) {
    work.abort();
    try (Milliseconds limit = new Milliseconds(NEVER_MILLIS)) {
      work._wait(limit);
    }
  }

  @Override
  public void close() {
    ticker.interrupt();
  }
}
