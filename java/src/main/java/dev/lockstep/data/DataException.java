package dev.lockstep.data;

import dev.lockstep.LockstepException;

/**
 * A data file that cannot be read as asked: its message names the file, the place in it (variable,
 * line or byte offset) and what to do.
 */
public final class DataException extends LockstepException {
  private static final long serialVersionUID = 1L;

  DataException(String location, String problem) {
    super(location + ": " + problem);
  }

  DataException(String location, String problem, Throwable cause) {
    super(location + ": " + problem, cause);
  }
}
