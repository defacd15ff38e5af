package dev.lockstep.natives;

import dev.lockstep.LockstepException;

/** The folder for unpacked libraries that the environment names cannot be used; says why. */
public final class NativeCacheException extends LockstepException {
  private static final long serialVersionUID = 1;

  NativeCacheException(String message, Throwable cause) {
    super(message, cause);
  }
}
