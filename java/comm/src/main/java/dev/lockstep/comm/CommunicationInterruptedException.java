package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/**
 * The thread was interrupted while it waited in an operation; its interrupt flag is still set. See
 * {@link Communicator} for what becomes of the group.
 */
public final class CommunicationInterruptedException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public CommunicationInterruptedException(String message, @Nullable Throwable cause) {
    super(message, NO_RANK, cause);
  }

  /**
   * @param what the thread was waiting for, and what becomes of it
   * @throws CommunicationInterruptedException when the thread's interrupt flag is set
   */
  static void throwIfInterrupted(String what) {
    if (Thread.currentThread().isInterrupted()) {
      throw new CommunicationInterruptedException("The thread was interrupted " + what, null);
    }
  }
}
