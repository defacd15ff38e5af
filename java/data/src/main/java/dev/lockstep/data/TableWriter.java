package dev.lockstep.data;

import dev.lockstep.data.csv.CsvFormat;
import dev.lockstep.data.netcdf.NetcdfFormat;
import dev.lockstep.data.npy.NpyFormat;
import dev.lockstep.files.FreeSpace;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * Writes a table of numbers row by row, as CSV, NPY or NetCDF classic by the file's name: {@code
 * .csv}, {@code .npy}, {@code .nc}. NPY is one float64 array of {@code rows × columns} without
 * column names; in NetCDF every column is a variable along the record dimension "sample".
 *
 * <p>The file appears under its name when it is complete: it is written under the name with {@code
 * .part} appended, which {@link #close} renames, or deletes if rows are lacking. Not thread-safe.
 */
public final class TableWriter implements AutoCloseable {
  private final Path file;
  private final Path part;
  private final long rows;
  private final int columns;
  private final TableFormat format;
  private final OutputStream out;
  private long written;
  private boolean closed;

  private TableWriter(Path file, List<String> names, long rows) throws IOException {
    this.file = file;
    this.rows = rows;
    this.columns = names.size();
    format = formatOf(file);
    part = file.resolveSibling(file.getFileName() + ".part");
    requireRoom(file, names.size(), rows);
    out = new BufferedOutputStream(Files.newOutputStream(part), 1 << 16);
    format.writeHeader(out, names, rows);
  }

  /**
   * Starts a table; replaces a file of that name when it is complete.
   *
   * @param file where to; its folder exists
   * @param names one name for each column, at least one
   * @param rows how many rows will be written
   * @return the writer; the caller closes it
   * @throws IllegalArgumentException if the name has none of the endings, or there is no column
   * @throws DataException if the file cannot be written
   */
  public static TableWriter create(Path file, List<String> names, long rows) {
    if (names.isEmpty() || rows < 0) {
      throw new IllegalArgumentException(
          file
              + ": a table of "
              + rows
              + " rows and "
              + names.size()
              + " columns cannot be written");
    }
    try {
      return new TableWriter(file, names, rows);
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  /** Refuses what cannot fit before hours of writing: a number takes two bytes of text at least. */
  private static void requireRoom(Path file, int columns, long rows) {
    double least = (double) rows * columns * (file.toString().endsWith(".csv") ? 2 : Double.BYTES);
    Path folder = file.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      return; // Opening the file will say so.
    }
    long free = FreeSpace.of(folder);
    if (least > free) {
      throw new DataException(
          file.toString(),
          String.format(
              Locale.ROOT,
              "would take %.3g bytes at least, but its disk has only %.3g free",
              least,
              (double) free));
    }
  }

  /**
   * Appends the first {@code count} rows of {@code values}.
   *
   * @param values row-major, {@code count × columns} at least; NaN is written as missing
   * @throws IndexOutOfBoundsException if {@code values} holds fewer
   * @throws IllegalStateException if there are more rows than announced
   * @throws DataException if the file cannot be written
   */
  public void write(double[] values, int count) {
    Objects.checkFromIndexSize(0, Math.multiplyExact(count, columns), values.length);
    if (written + count > rows) {
      throw new IllegalStateException(file + ": more rows than the announced " + rows);
    }
    try {
      for (int i = 0; i < count; i++) {
        format.writeRow(out, values, i * columns, columns);
      }
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
    written += count;
  }

  /**
   * Finishes the file; without all rows nothing remains. Closing twice is harmless.
   *
   * @throws DataException if the file cannot be written
   */
  @Override
  public void close() {
    if (closed) {
      return;
    }
    closed = true;
    try {
      out.close();
      if (written == rows) {
        Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      } else {
        Files.delete(part);
      }
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  /** The endings and what they mean. */
  private static TableFormat formatOf(Path file) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return new CsvFormat();
    }
    if (name.endsWith(".npy")) {
      return new NpyFormat();
    }
    if (name.endsWith(".nc")) {
      return new NetcdfFormat();
    }
    throw new IllegalArgumentException(
        file + ": end the name in .csv, .npy or .nc to say which format to write");
  }

  private static DataException cannotWrite(Path file, IOException cause) {
    return new DataException(
        file.toString(), "cannot be written; check the folder and the space left", cause);
  }
}
