package dev.lockstep.comm;

import org.jspecify.annotations.Nullable;

/** The group could not be formed: an address in use, a wrong token, another protocol version. */
public final class RendezvousException extends CommunicationException {
  private static final long serialVersionUID = 1L;

  RendezvousException(String message, int rank, @Nullable Throwable cause) {
    super(message, rank, cause);
  }
}
