package dev.lockstep.monitor;

import dev.lockstep.LockstepException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Locale;
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

  /** A folder does not hold what a finished run leaves. */
  public static RunFolderException unfinished(Path folder, IOException cause) {
    return new RunFolderException(
        folder
            + " does not hold a finished run: "
            + (cause instanceof NoSuchFileException || cause instanceof FileNotFoundException
                ? "there is no summary.json or metrics.jsonl in it"
                : cause.getMessage()),
        cause);
  }

  /** A file in the folder could not be written. */
  static RunFolderException writing(Path file, IOException cause) {
    return new RunFolderException(
        String.format(
            Locale.ROOT,
            "%s could not be written: %s. Free disk space or check the folder's permissions.",
            file,
            reason(cause)),
        cause);
  }

  /** The names of Java's exceptions say what their messages, which are paths, leave out. */
  private static @Nullable String reason(IOException cause) {
    if (cause instanceof NoSuchFileException) {
      return "a folder above it is missing and cannot be made";
    }
    if (cause instanceof AccessDeniedException) {
      return "access is denied";
    }
    if (cause instanceof NotDirectoryException e) {
      return e.getFile() + " is a file, not a folder";
    }
    return cause instanceof FileSystemException e && e.getReason() != null
        ? e.getReason()
        : cause.getMessage();
  }
}
