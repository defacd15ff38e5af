package dev.lockstep.comm;

import dev.lockstep.LockstepException;
import org.jspecify.annotations.Nullable;

/**
 * An operation of a communicator failed. The group is closed afterwards; close the communicator and
 * form a new one.
 */
public class CommunicationException extends LockstepException {
  private static final long serialVersionUID = 1L;

  /** The rank when none is at fault. */
  public static final int NO_RANK = -1;

  private final int rank;

  public CommunicationException(String message, int rank, @Nullable Throwable cause) {
    super(message, cause);
    this.rank = rank;
  }

  /** The rank at fault (that died, that is awaited, that disagrees), or {@link #NO_RANK}. */
  public int rank() {
    return rank;
  }
}
