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
  private static final int LONGEST = 1000;

  private final String problem;

  /** A problem at a place: the file, and a sentence about it. */
  public DataException(String location, String problem) {
    super(location + ": " + oneLine(problem));
    this.problem = oneLine(problem);
  }

  /** Likewise, with what caused it. */
  public DataException(String location, String problem, Throwable cause) {
    super(location + ": " + oneLine(problem), cause);
    this.problem = oneLine(problem);
  }

  /** Names out of damaged files hold whatever bytes there were. */
  private static String oneLine(String problem) {
    String text = problem.length() <= LONGEST ? problem : problem.substring(0, LONGEST) + "…";
    return text.replaceAll("\\p{Cntrl}+", "?");
  }

  /** The message without the location. */
  public String problem() {
    return problem;
  }

  /** A file that is absent, or may not be read. */
  public static DataException cannotOpen(Path file, IOException cause) {
    String reason =
        Files.isDirectory(file)
            ? "it is a folder; name a file in it"
            : Files.exists(file)
                ? "check that it may be read"
                : file.toString().matches("[a-z][a-z0-9]+:/.*")
                    ? "it is a web address; fetch the file and name its copy"
                    : "there is no such file";
    return new DataException(file.toString(), "cannot be opened: " + reason, cause);
  }
}
