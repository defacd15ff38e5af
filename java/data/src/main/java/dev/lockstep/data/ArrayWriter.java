package dev.lockstep.data;

/**
 * A file of named arrays that is being written; what is never written is missing. The file appears
 * under its name when {@link #finish} is called. Not thread-safe.
 */
public interface ArrayWriter extends AutoCloseable {
  /**
   * Writes values of a variable.
   *
   * @param from the position of the first, in C order
   * @param values those from {@code at} on; NaN is written as missing
   * @throws IndexOutOfBoundsException if the variable, or {@code values}, is shorter
   * @throws DataException if the file cannot be written
   */
  void write(String variable, long from, double[] values, int at, int count);

  /**
   * Gives the file its name.
   *
   * @throws DataException if that fails
   */
  void finish();

  /** Deletes the file if it is not finished. Closing twice is harmless. */
  @Override
  void close();
}
