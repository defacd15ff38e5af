package dev.lockstep.comm;

import dev.lockstep.LockstepException;
import org.jspecify.annotations.Nullable;

/**
 * A tuning file or an algorithm that a configuration names cannot be used by this group; the
 * message says which and why.
 */
public final class TuningException extends LockstepException {
  private static final long serialVersionUID = 1L;

  TuningException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
