package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/**
 * The communicator was closed, by its owner or after an earlier error, which the message quotes.
 */
public final class CommunicatorClosedException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public CommunicatorClosedException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
