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

  /** What an exception says; its kind where it says nothing. */
  public static String messageOf(Throwable cause) {
    String message = cause.getMessage();
    return message == null ? cause.getClass().getSimpleName() : message;
  }
}
