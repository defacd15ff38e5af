package dev.lockstep.monitor;

import dev.lockstep.LockstepException;
import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A run folder cannot be used or written. The message names the path, the cause and what to do. */
public final class RunFolderException extends LockstepException {
  private static final long serialVersionUID = 1;

  RunFolderException(String message) {
    super(message);
  }

  RunFolderException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }

  /** A file in the folder could not be written. */
  static RunFolderException writing(Path file, IOException cause) {
    String reason =
        cause instanceof FileSystemException e && e.getReason() != null
            ? e.getReason()
            : cause.getClass().getSimpleName() + ": " + cause.getMessage();
    return new RunFolderException(
        "%s could not be written: %s. Free disk space or check the folder's permissions."
            .formatted(file, reason),
        cause);
  }
}
