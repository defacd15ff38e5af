package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/** A rank of the group died or cut its connection; {@link #rank()} names it. */
public final class PeerFailedException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public PeerFailedException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
