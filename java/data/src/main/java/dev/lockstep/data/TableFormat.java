package dev.lockstep.data;

import java.io.IOException;
import java.io.OutputStream;
import java.util.List;

/** Writes a table of numbers to a stream, row by row; one implementation for each file format. */
public interface TableFormat {
  /** Writes what comes before the first row. */
  void writeHeader(OutputStream out, List<String> names, long rows) throws IOException;

  /** Writes {@code columns} values from {@code values[at]} on; NaN as missing. */
  void writeRow(OutputStream out, double[] values, int at, int columns) throws IOException;
}
