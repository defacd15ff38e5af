package dev.lockstep.data.csv;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.EOFException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.zip.ZipException;
import org.jspecify.annotations.Nullable;

/**
 * A table as text with a line of column names, and possibly a line of units below it. Opening reads
 * the file once and keeps its numbers. Separator, decimal comma, encoding and gzip are found by
 * looking ({@link CsvDialect}). A column of text harms no other. Not thread-safe.
 */
public final class CsvFile implements ArrayFile {
  private static final long MEMORY_SHARE = 8;

  private final String location;
  private final CsvDialect dialect;
  private final List<CsvColumn> columns = new ArrayList<>();
  private final Map<String, Integer> readable = new LinkedHashMap<>();
  private final List<Variable> variables = new ArrayList<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private RowStore store = new RowStore(0, 0);

  private CsvFile(String location, CsvDialect dialect) {
    this.location = location;
    this.dialect = dialect;
  }

  /**
   * Opens a table and reads it.
   *
   * @throws DataException if it cannot be read, or its rows do not have the columns of its header
   */
  public static CsvFile open(Path file) {
    return open(file, Runtime.getRuntime().maxMemory() / MEMORY_SHARE);
  }

  /** Likewise, keeping at most {@code memoryBytes} of numbers in memory. */
  static CsvFile open(Path file, long memoryBytes) {
    if (!Files.isReadable(file)) {
      throw DataException.cannotOpen(file, new IOException("cannot be read"));
    }
    CsvFile opened = null;
    try {
      CsvDialect dialect = CsvDialect.detect(file);
      opened = new CsvFile(file.toString(), dialect);
      try (CsvRows rows = new CsvRows(dialect.open(file), dialect.separator(), file.toString())) {
        opened.readAll(rows, memoryBytes);
      }
      return opened;
    } catch (ZipException | EOFException e) {
      throw new DataException(
          file.toString(), "is damaged: its gzip compression breaks off; fetch it again", e);
    } catch (IOException e) {
      throw new DataException(file.toString(), "cannot be read: " + e.getMessage(), e);
    } finally {
      if (opened != null && opened.variables.isEmpty() && opened.unreadable.isEmpty()) {
        opened.close();
      }
    }
  }

  private void readAll(CsvRows rows, long memoryBytes) throws IOException {
    List<String> first = readHeader(rows);
    store = new RowStore(columns.size(), memoryBytes);
    double[] numbers = new double[columns.size()];
    long firstLine = rows.line();
    List<String> row = nextRow(rows, first == null ? rows.next() : first);
    if (row != null) {
      refuseSpaces(rows, row);
      firstLine = rows.line();
      List<String> second = nextRow(rows, rows.next());
      if (second != null && areUnits(row, second)) {
        for (int c = 0; c < columns.size(); c++) {
          columns.get(c).setUnits(row.get(c).strip());
        }
      } else {
        add(row, firstLine, numbers);
      }
      row = second;
    }
    while (row != null) {
      add(row, rows.line(), numbers);
      row = nextRow(rows, rows.next());
    }
    store.seal();
    List<Dimension> dimensions = List.of(new Dimension(SAMPLES, store.rows()));
    for (int c = 0; c < columns.size(); c++) {
      addVariable(c, dimensions);
    }
  }

  private void add(List<String> row, long line, double[] numbers) throws IOException {
    for (int c = 0; c < numbers.length; c++) {
      numbers[c] = columns.get(c).parse(row.get(c), line);
    }
    store.add(numbers, line);
  }

  private void addVariable(int c, List<Dimension> dimensions) {
    CsvColumn column = columns.get(c);
    String problem = column.problem();
    if (problem != null) {
      unreadable.add(new Unreadable(column.name(), "text", dimensions, problem));
    } else if (!column.name().isEmpty()) {
      Map<String, Object> attributes =
          column.units().isEmpty() ? Map.of() : Map.of("units", column.units());
      readable.put(column.name(), c);
      variables.add(new Variable(column.name(), column.type(), dimensions, attributes));
    }
  }

  /**
   * Reads the line of names, after comments.
   *
   * @return the first row if the names stood in the last comment, as NumPy's savetxt writes them
   */
  private @Nullable List<String> readHeader(CsvRows rows) throws IOException {
    List<String> names = rows.next();
    List<String> comment = null;
    while (names != null
        && (names.get(0).startsWith("#") || isBlank(names) || CsvDialect.namesSeparator(names))) {
      comment = names.get(0).startsWith("#") ? names : comment;
      names = rows.next();
    }
    if (names == null && comment == null) {
      throw new DataException(location, "is empty; a CSV file starts with a line of column names");
    }
    if (names == null || (comment != null && comment.size() == names.size() && allNumbers(names))) {
      List<String> header = new ArrayList<>(comment);
      header.set(0, header.get(0).replaceFirst("^#+\\s*", ""));
      addColumns(header);
      return names;
    }
    if (allNumbers(names) && !areCounted(names)) {
      throw rows.error(
          rows.line(), "holds numbers where the names of the columns should stand; add a header");
    }
    addColumns(names);
    return null;
  }

  /** Whether names go up in whole numbers, as pandas numbers columns, and as years do. */
  private static boolean areCounted(List<String> names) {
    long last = -1;
    for (String name : names) {
      String digits = name.strip();
      if (!digits.matches("\\d{1,18}") || Long.parseLong(digits) <= last) {
        return false;
      }
      last = Long.parseLong(digits);
    }
    return true;
  }

  private static boolean isBlank(List<String> row) {
    return row.size() == 1 && row.get(0).isBlank();
  }

  private boolean allNumbers(List<String> row) {
    return row.stream().allMatch(field -> CsvNumber.isNumber(field, dialect.decimalComma()));
  }

  private void addColumns(List<String> header) {
    List<String> names = header.stream().map(String::strip).toList();
    for (int c = 0; c < names.size(); c++) {
      String name = names.get(c);
      CsvColumn column =
          new CsvColumn(name.isEmpty() ? "column " + (c + 1) : name, dialect.decimalComma());
      if (name.isEmpty()) {
        column.setProblem("has no name in the header");
      } else if (names.indexOf(name) != names.lastIndexOf(name)) {
        column.setProblem("shares its name with another column");
      }
      columns.add(column);
    }
  }

  /** The next row as wide as the header; blank lines are none, unless there is one column only. */
  private @Nullable List<String> nextRow(CsvRows rows, @Nullable List<String> row)
      throws IOException {
    int width = columns.size();
    List<String> next = row;
    while (next != null && isBlank(next) && width > 1) {
      next = rows.next();
    }
    if (next == null || next.size() == width) {
      return next;
    }
    boolean trailing = next.size() == width + 1 && next.get(width).isEmpty();
    if (trailing) {
      return next.subList(0, width);
    }
    boolean unnamedLast = next.size() == width - 1 && columns.get(width - 1).problem() != null;
    if (unnamedLast) {
      List<String> padded = new ArrayList<>(next);
      padded.add("");
      return padded;
    }
    throw rows.error(
        rows.line(), "has " + next.size() + " fields where the header names " + width + " columns");
  }

  /** Columns with spaces between them would pass for one column of text. */
  private void refuseSpaces(CsvRows rows, List<String> row) {
    String[] fields = row.get(0).strip().split("\\s+");
    if (row.size() == 1 && fields.length > 1 && allNumbers(List.of(fields))) {
      throw rows.error(
          rows.line(),
          "has "
              + fields.length
              + " numbers with spaces between them; separate columns by commas or tabs"
              + " (numpy.savetxt: delimiter=',')");
    }
  }

  /** Units stand below the names: words above numbers, at least in half of these columns. */
  private boolean areUnits(List<String> row, List<String> next) {
    int numbers = 0;
    int words = 0;
    for (int c = 0; c < columns.size(); c++) {
      boolean number = CsvNumber.isNumber(row.get(c), dialect.decimalComma());
      if (number) {
        return false;
      }
      if (CsvNumber.isNumber(next.get(c), dialect.decimalComma())) {
        numbers++;
        words += CsvNumber.isMissing(row.get(c)) ? 0 : 1;
      }
    }
    return words > 0 && 2 * words >= numbers;
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "CSV" + dialect.describe();
  }

  @Override
  public List<Variable> variables() {
    return variables;
  }

  @Override
  public List<Unreadable> unreadable() {
    return unreadable;
  }

  @Override
  public int blockLength(Variable variable) {
    return RowStore.BLOCK_ROWS;
  }

  @Override
  public String place(Variable variable, long position) {
    return "line " + store.line(position);
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    Integer column = readable.get(variable.name());
    if (column == null) {
      throw new DataException(location, "has no column " + variable.name());
    }
    try {
      store.read(column, from, count, values);
    } catch (IOException e) {
      throw new DataException(location, "its numbers cannot be read back from java.io.tmpdir", e);
    }
  }

  @Override
  public void close() {
    try {
      store.close();
    } catch (IOException e) {
      throw new DataException(location, "cannot be closed", e);
    }
  }
}
