package dev.lockstep.train;

import dev.lockstep.LockstepException;

/** Training cannot begin or go on; the message says why and what to do. */
public final class TrainingException extends LockstepException {
  private static final long serialVersionUID = 1L;

  public TrainingException(String message) {
    super(message, null);
  }
}
