package dev.lockstep.federated.network;

import java.io.IOException;

/**
 * Whoever answers at the server's address does not want this client, or does not behave as its
 * server does, and has not proved that it knows the token: it may be somebody else on the way, so
 * to try again is of use.
 */
public final class UnprovedRefusalException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Says why, in a clause. */
  public UnprovedRefusalException(String message) {
    super(message);
  }
}
