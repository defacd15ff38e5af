package dev.lockstep.checkpoint;

import dev.lockstep.LockstepException;
import org.jspecify.annotations.Nullable;

/**
 * A checkpoint could not be written or read. The message names the path, the cause and what to do;
 * nothing partial is left under a final name, and earlier checkpoints are as they were.
 */
public final class CheckpointException extends LockstepException {
  private static final long serialVersionUID = 1;

  public CheckpointException(String message) {
    super(message);
  }

  public CheckpointException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
