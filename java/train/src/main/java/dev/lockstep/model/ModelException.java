package dev.lockstep.model;

import dev.lockstep.LockstepException;
import org.jspecify.annotations.Nullable;

/** A model cannot be built, read, written or applied; the message says which one and why. */
public final class ModelException extends LockstepException {
  private static final long serialVersionUID = 1L;

  public ModelException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  public ModelException(String message) {
    super(message);
  }

  /** The line of an error of libtorch that says what is wrong, without its traces. */
  public static String reason(RuntimeException torchError) {
    String message = String.valueOf(torchError.getMessage()).strip();
    String[] lines = message.split("\n");
    for (int i = lines.length - 1; i >= 0; i--) {
      int start = lines[i].indexOf("Error: ");
      if (start >= 0) {
        return lines[i].substring(start + "Error: ".length());
      }
    }
    return lines[0];
  }
}
