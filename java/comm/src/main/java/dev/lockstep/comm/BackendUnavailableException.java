package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/** An optional backend is not on this machine; the message says how to get it. */
public final class BackendUnavailableException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  /** For whoever needs what a group's backend has not. */
  public BackendUnavailableException(String message) {
    this(message, NO_RANK, null);
  }

  public BackendUnavailableException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
