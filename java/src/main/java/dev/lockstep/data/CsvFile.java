package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Comma-separated values with a header line. Opening reads the file once to check every line's
 * number of fields and to note where each block of rows starts; values are parsed block by block
 * when they are asked for. Empty fields, NA, NaN and null are missing values.
 */
final class CsvFile implements ArrayFile {
  private static final int BLOCK_ROWS = 1024;
  private static final Set<String> MISSING = Set.of("", "na", "nan", "null");

  private final String location;
  private final FileChannel channel;
  private final List<String> header = new ArrayList<>();
  private final List<Start> starts = new ArrayList<>();
  private List<Variable> variables = List.of();
  private long rows;

  /** The rows parsed last: the columns of a block are asked for one after another. */
  private final List<Row> block = new ArrayList<>();

  private long blockStart = -1;

  private record Start(long offset, long line) {}

  @SuppressWarnings("ArrayRecordComponent") // never leaves this class
  private record Row(long line, String[] fields) {}

  private CsvFile(String location, FileChannel channel) {
    this.location = location;
    this.channel = channel;
  }

  static CsvFile open(Path file) {
    try {
      FileChannel channel = FileChannel.open(file, StandardOpenOption.READ);
      try {
        CsvFile opened = new CsvFile(file.toString(), channel);
        opened.index();
        return opened;
      } catch (RuntimeException | IOException e) {
        channel.close();
        throw e;
      }
    } catch (IOException e) {
      throw DataException.cannotOpen(file, e);
    }
  }

  private CsvParser parserAt(Start start) throws IOException {
    InputStream bytes = Channels.newInputStream(channel.position(start.offset));
    return new CsvParser(
        new BufferedInputStream(bytes, 1 << 16), location, start.offset, start.line);
  }

  private void index() throws IOException {
    CsvParser parser = parserAt(new Start(0, 1));
    parser.skipByteOrderMark();
    if (!parser.readLine(header)) {
      throw new DataException(location, "is empty; a CSV file starts with a line of column names");
    }
    header.replaceAll(String::strip);
    Set<String> seen = new HashSet<>();
    for (String name : header) {
      if (name.isEmpty() || !seen.add(name)) {
        throw parser.error(
            1, name.isEmpty() ? "has a column without a name" : "has two columns called " + name);
      }
    }
    List<String> fields = new ArrayList<>();
    Start start = new Start(parser.offset(), parser.line());
    while (readRow(parser, fields)) {
      if (rows++ % BLOCK_ROWS == 0) {
        starts.add(start);
      }
      start = new Start(parser.offset(), parser.line());
    }
    List<Dimension> dimensions = List.of(new Dimension(SAMPLES, rows));
    variables = header.stream().map(n -> new Variable(n, "number", dimensions, Map.of())).toList();
  }

  /** The next row; blank lines are none, unless a single column may be missing. */
  private boolean readRow(CsvParser parser, List<String> fields) throws IOException {
    do {
      long line = parser.line();
      if (!parser.readLine(fields)) {
        return false;
      }
      boolean blank = fields.size() == 1 && fields.get(0).isBlank() && header.size() > 1;
      if (!blank && fields.size() != header.size()) {
        throw parser.error(
            line,
            "has "
                + fields.size()
                + " fields where the header names "
                + header.size()
                + " columns");
      }
    } while (fields.size() != header.size());
    return true;
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "CSV";
  }

  @Override
  public List<Variable> variables() {
    return variables;
  }

  @Override
  public int blockLength(Variable variable) {
    return BLOCK_ROWS;
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    int column = header.indexOf(variable.name());
    for (int i = 0; i < count; i++) {
      long row = from + i;
      if (row / BLOCK_ROWS != blockStart) {
        loadBlock(row / BLOCK_ROWS);
      }
      values[i] = number(block.get((int) (row % BLOCK_ROWS)), column);
    }
  }

  private void loadBlock(long index) {
    block.clear();
    blockStart = -1;
    try {
      CsvParser parser = parserAt(starts.get((int) index));
      List<String> fields = new ArrayList<>();
      long line = parser.line();
      while (block.size() < BLOCK_ROWS && readRow(parser, fields)) {
        block.add(new Row(line, fields.toArray(String[]::new)));
        line = parser.line();
      }
    } catch (IOException e) {
      throw new DataException(
          location, "cannot be read from line " + starts.get((int) index).line + " on", e);
    }
    blockStart = index;
  }

  private double number(Row row, int column) {
    String text = row.fields[column].strip();
    if (MISSING.contains(text.toLowerCase(Locale.ROOT))) {
      return Double.NaN;
    }
    try {
      char last = text.charAt(text.length() - 1);
      if (Character.isDigit(last) || last == '.' || text.endsWith("Infinity")) {
        return Double.parseDouble(text);
      }
    } catch (NumberFormatException e) {
      // Reported below, with the place.
    }
    throw new DataException(
        location,
        "line "
            + row.line
            + ", column "
            + header.get(column)
            + ": \""
            + text
            + "\" is not a number; leave missing fields empty");
  }

  @Override
  public void close() {
    try {
      channel.close();
    } catch (IOException e) {
      throw new DataException(location, "cannot be closed", e);
    }
  }
}
