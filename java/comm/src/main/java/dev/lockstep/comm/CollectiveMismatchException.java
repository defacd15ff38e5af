package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/**
 * Ranks of one group asked for different operations, types, lengths or orders; the message shows
 * both sides.
 */
public final class CollectiveMismatchException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public CollectiveMismatchException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
