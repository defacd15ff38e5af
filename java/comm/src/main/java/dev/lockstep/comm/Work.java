package dev.lockstep.comm;

import java.time.Duration;
import java.util.concurrent.CompletionStage;

/** An operation that was started: a collective, or a message of a {@link Channel}. Thread-safe. */
public interface Work {
  /** Whether it has ended, well or not. Does not block. */
  boolean isDone();

  /**
   * Waits until it has ended, at most for the communicator's deadline; every call after it has
   * ended returns, or throws, the same at once.
   *
   * @return for a receive the rank that sent, otherwise 0
   * @throws CollectiveTimeoutException when the deadline passes. A message goes on then, and its
   *     group is whole; a collective has ended its group
   * @throws CommunicationInterruptedException when the thread is interrupted; the operation goes on
   * @throws CommunicationException when the operation failed
   */
  int await();

  /**
   * Waits until it has ended, at most for {@code limit}.
   *
   * @return false when it has not, and goes on
   * @throws CommunicationInterruptedException when the thread is interrupted; the operation goes on
   * @throws CommunicationException when the operation failed
   */
  boolean await(Duration limit);

  /**
   * Completes with what {@link #await()} returns or throws. Whoever depends on it runs on a thread
   * of the communicator, which must not be blocked for long; the {@code …Async} forms use others.
   */
  CompletionStage<Integer> completion();

  /**
   * Takes back a message of which nothing has travelled or come; it then ends with {@link
   * CommunicatorClosedException}. Collectives cannot be taken back: other ranks rely on them.
   *
   * @return false when it goes on, or has ended
   */
  boolean cancel();

  /** Of a receive that has ended well: the elements that came; otherwise 0. */
  long count();
}
