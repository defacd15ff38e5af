package dev.lockstep.data.csv;

import dev.lockstep.data.TemporaryFile;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a table as numbers, in blocks with one column after the other: in memory up to a
 * limit, and from there on in a temporary file. Not thread-safe.
 */
public final class RowStore implements Closeable {
  /** Rows of a block. */
  public static final int BLOCK_ROWS = 1024;

  private final int columns;
  private final long limitBytes;
  private final List<double[]> resident = new ArrayList<>();
  private final List<Long> firstLines = new ArrayList<>();
  private final Map<Integer, long[]> unevenLines = new HashMap<>();
  private double[] block;
  private final long[] lines = new long[BLOCK_ROWS];
  private long rows;
  private @Nullable FileChannel spilled;
  private double[] loaded = {};
  private int loadedIndex = -1;

  /**
   * Starts without rows.
   *
   * @param limitBytes of memory
   */
  public RowStore(int columns, long limitBytes) {
    this.columns = columns;
    this.limitBytes = limitBytes;
    block = new double[columns * BLOCK_ROWS];
  }

  /** Rows so far. */
  public long rows() {
    return rows;
  }

  /** Appends a row that begins on a line. */
  public void add(double[] row, long line) throws IOException {
    int at = (int) (rows % BLOCK_ROWS);
    for (int c = 0; c < columns; c++) {
      block[c * BLOCK_ROWS + at] = row[c];
    }
    lines[at] = line;
    rows++;
    if (at == BLOCK_ROWS - 1) {
      endBlock(BLOCK_ROWS);
    }
  }

  /** Ends the last block. */
  public void seal() throws IOException {
    int left = (int) (rows % BLOCK_ROWS);
    if (left > 0) {
      endBlock(left);
    }
    block = new double[0];
  }

  private void endBlock(int count) throws IOException {
    firstLines.add(lines[0]);
    if (lines[count - 1] - lines[0] != count - 1) {
      unevenLines.put(firstLines.size() - 1, Arrays.copyOf(lines, count));
    }
    if (spilled == null && (resident.size() + 1L) * block.length * Double.BYTES <= limitBytes) {
      resident.add(block);
      block = new double[block.length];
    } else {
      spill();
    }
  }

  private void spill() throws IOException {
    if (spilled == null) {
      spilled = TemporaryFile.open();
    }
    ByteBuffer bytes = ByteBuffer.allocate(block.length * Double.BYTES);
    bytes.asDoubleBuffer().put(block);
    TemporaryFile.append(spilled, bytes);
  }

  /** Reads values of a column from a row on. */
  public void read(int column, long from, int count, double[] values) throws IOException {
    for (int done = 0; done < count; ) {
      long row = from + done;
      int at = (int) (row % BLOCK_ROWS);
      int part = Math.min(count - done, BLOCK_ROWS - at);
      double[] source = load((int) (row / BLOCK_ROWS));
      System.arraycopy(source, column * BLOCK_ROWS + at, values, done, part);
      done += part;
    }
  }

  private double[] load(int index) throws IOException {
    if (index < resident.size()) {
      return resident.get(index);
    }
    if (index != loadedIndex && spilled != null) {
      ByteBuffer bytes = ByteBuffer.allocate(columns * BLOCK_ROWS * Double.BYTES);
      long start = (index - resident.size()) * (long) bytes.capacity();
      TemporaryFile.read(spilled, bytes, start);
      loaded = new double[columns * BLOCK_ROWS];
      bytes.flip().asDoubleBuffer().get(loaded);
      loadedIndex = index;
    }
    return loaded;
  }

  /** The line on which a row begins. */
  public long line(long row) {
    int index = (int) (row / BLOCK_ROWS);
    int at = (int) (row % BLOCK_ROWS);
    long[] uneven = unevenLines.get(index);
    return uneven == null ? firstLines.get(index) + at : uneven[at];
  }

  @Override
  public void close() throws IOException {
    if (spilled != null) {
      spilled.close();
    }
  }
}
