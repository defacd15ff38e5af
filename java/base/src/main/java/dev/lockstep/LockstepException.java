package dev.lockstep;

import org.jspecify.annotations.Nullable;

/**
 * The root of all unchecked exceptions that Lockstep throws on purpose. The message is a sentence
 * for the user.
 */
public class LockstepException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public LockstepException(String message) {
    super(message);
  }

  public LockstepException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
