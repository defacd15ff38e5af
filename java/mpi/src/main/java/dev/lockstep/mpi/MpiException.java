package dev.lockstep.mpi;

import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.IntPointer;

/** An MPI function has returned an error. */
public final class MpiException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int code;
  private final int errorClass;

  private MpiException(String text, int code, int errorClass) {
    super(text);
    this.code = code;
    this.errorClass = errorClass;
  }

  /**
   * Throws unless {@code code}, the value that an MPI function has returned, is {@code
   * MPI_SUCCESS}.
   *
   * @throws MpiException with MPI's text for the code
   */
  public static void check(int code) {
    if (code != 0) { // MPI-3.1, section 8.4: MPI_SUCCESS is 0
      throw of(code);
    }
  }

  private static MpiException of(int code) {
    try (IntPointer number = new IntPointer(1);
        BytePointer text = new BytePointer((long) MPI.MPI_MAX_ERROR_STRING())) {
      number.put(0);
      MPI.MPI_Error_string(code, text, number);
      String message = text.limit(number.get()).getString();
      MPI.MPI_Error_class(code, number);
      return new MpiException(message, code, number.get());
    }
  }

  /** What the function returned. */
  public int code() {
    return code;
  }

  /** The code's error class: one of {@code MPI_ERR_COMM()}, … */
  public int errorClass() {
    return errorClass;
  }
}
