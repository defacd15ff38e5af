package dev.lockstep.data;

import dev.lockstep.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

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

  static DataException cannotOpen(Path file, IOException cause) {
    String reason = Files.exists(file) ? "check that it may be read" : "there is no such file";
    return new DataException(file.toString(), "cannot be opened: " + reason, cause);
  }
}
