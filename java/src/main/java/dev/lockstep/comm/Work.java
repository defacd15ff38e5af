package dev.lockstep.comm;

/** An operation that was started and runs on the communicator's progress thread. Thread-safe. */
public interface Work {
  /** Whether it has ended, well or not. Does not block. */
  boolean isDone();

  /**
   * Waits until it has ended; every call after the first returns, or throws, the same at once.
   *
   * @return for a receive the rank that sent, otherwise 0
   * @throws CommunicationException when the operation failed
   */
  int await();
}
