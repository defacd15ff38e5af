package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/** The group could not be formed: an address in use, a wrong token, another protocol version. */
public final class RendezvousException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  public RendezvousException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }

  /** One that no rank is to blame for. */
  static RendezvousException of(String message) {
    return new RendezvousException(message, NO_RANK, null);
  }
}
