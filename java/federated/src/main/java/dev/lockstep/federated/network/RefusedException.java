package dev.lockstep.federated.network;

import java.io.IOException;

/** The other end does not want this one, and has proved who it is: to try again is of no use. */
public final class RefusedException extends IOException {
  private static final long serialVersionUID = 1L;

  /** Says why, in a clause. */
  public RefusedException(String message) {
    super(message);
  }
}
