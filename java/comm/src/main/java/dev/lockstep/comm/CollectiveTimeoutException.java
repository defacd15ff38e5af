package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/** The deadline passed before all peers had answered; {@link #rank()} names one that is awaited. */
public final class CollectiveTimeoutException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public CollectiveTimeoutException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
