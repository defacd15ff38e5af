package dev.lockstep.data;

/**
 * A part of a file that cannot be read. The message says why and continues a sentence whose subject
 * is that part ("is compressed with zstd, …"); who opened the file adds its name and the part's.
 */
public final class UnreadableException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public UnreadableException(String problem) {
    super(problem);
  }

  public UnreadableException(String problem, Throwable cause) {
    super(problem, cause);
  }

  /** What is wrong, in words: Java's own exceptions mean that the bytes make no sense. */
  public static String reason(RuntimeException e) {
    return e instanceof UnreadableException || e instanceof DataException
        ? String.valueOf(e.getMessage())
        : "is damaged (" + e.getClass().getSimpleName() + ": " + e.getMessage() + ")";
  }
}
