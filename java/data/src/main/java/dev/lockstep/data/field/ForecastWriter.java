package dev.lockstep.data.field;

/** Takes the predictions of samples, in ascending order. The file appears when it is finished. */
public interface ForecastWriter extends AutoCloseable {
  /**
   * Writes a sample's predictions in the variables' own numbers.
   *
   * @param row as many as {@link Forecast#width} from {@code at} on; NaN is written as missing
   * @throws dev.lockstep.data.DataException if the file cannot be written
   */
  void write(long sample, double[] row, int at);

  /** Gives the file its name. */
  void finish();

  /** Deletes the file if it is not finished. Closing twice is harmless. */
  @Override
  void close();
}
