package dev.lockstep.localize.network;

import dev.lockstep.LockstepException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A sensor network that cannot be located, or a file of one that cannot be read: the message names
 * the file and line where there are any, what is wrong there, and what to do.
 */
public final class NetworkException extends LockstepException {
  private static final long serialVersionUID = 1L;

  public NetworkException(String problem) {
    this(problem, null);
  }

  public NetworkException(String problem, @Nullable Throwable cause) {
    super(problem, cause);
  }

  /** The same problem, at a place, which the message then begins with. */
  public NetworkException at(String place) {
    return new NetworkException(place + ": " + getMessage(), this);
  }

  public static NetworkException cannotRead(Path file, IOException cause) {
    String reason = Files.exists(file) ? "check that it may be read" : "there is no such file";
    return new NetworkException(file + ": cannot be read: " + reason, cause);
  }
}
