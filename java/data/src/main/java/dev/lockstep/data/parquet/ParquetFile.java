package dev.lockstep.data.parquet;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.csv.RowStore;
import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;

/**
 * A table of Apache Parquet, read by DuckDB. Opening reads the file once and keeps its numbers:
 * integers, decimals, floating-point numbers, booleans as 0 and 1, dates and timestamps as days
 * since 1970-01-01; nulls are missing. Other columns harm none. Not thread-safe.
 */
public final class ParquetFile implements ArrayFile {
  private static final String DRIVER = "org.duckdb.DuckDBDriver";
  private static final long MEMORY_SHARE = 8;

  private final String location;
  private final Map<String, Integer> readable = new LinkedHashMap<>();
  private final List<Variable> variables = new ArrayList<>();
  private final List<Unreadable> unreadable = new ArrayList<>();
  private RowStore store = new RowStore(0, 0);

  private ParquetFile(String location) {
    this.location = location;
  }

  /** A column of the file. */
  private record Column(String name, String type) {
    /** What gives its numbers, in SQL; empty if it has none. */
    String numbers() {
      String quoted = '"' + name.replace("\"", "\"\"") + '"';
      if (type.equals("TIMESTAMP WITH TIME ZONE")) {
        // A cast to TIMESTAMP would depend on the zone of the session.
        return "epoch_us(" + quoted + ") / 86400e6";
      }
      String kind = type.replaceFirst("[ (].*", "");
      return switch (kind) {
        case "BOOLEAN",
            "TINYINT",
            "SMALLINT",
            "INTEGER",
            "BIGINT",
            "HUGEINT",
            "UTINYINT",
            "USMALLINT",
            "UINTEGER",
            "UBIGINT",
            "UHUGEINT",
            "FLOAT",
            "DOUBLE",
            "DECIMAL" ->
            type.endsWith("]") ? "" : "CAST(" + quoted + " AS DOUBLE)";
        case "DATE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS" ->
            type.endsWith("]") ? "" : "epoch_us(CAST(" + quoted + " AS TIMESTAMP)) / 86400e6";
        default -> "";
      };
    }
  }

  /**
   * Opens a table and reads it.
   *
   * @throws DataException if DuckDB is not on the class path, or cannot read the file
   */
  public static ParquetFile open(Path file) {
    return open(file, DRIVER, Runtime.getRuntime().maxMemory() / MEMORY_SHARE);
  }

  static ParquetFile open(Path file, String driverName, long memoryBytes) {
    Driver driver = driver(file, driverName);
    String path = file.toString();
    if (path.matches("(?s).*[*?\\[].*")) {
      // DuckDB would take it for a pattern, and read other files.
      throw new DataException(path, "has a name with *, ? or [, which DuckDB takes for a pattern");
    }
    ParquetFile opened = new ParquetFile(path);
    Properties streaming = new Properties();
    streaming.setProperty("jdbc_stream_results", "true");
    boolean read = false;
    try (Connection connection = driver.connect("jdbc:duckdb:", streaming);
        Statement statement = connection.createStatement()) {
      statement.execute("SET preserve_insertion_order = true");
      statement.execute("SET autoinstall_known_extensions = false");
      // A folder such as year=1990 would become a column, in the place of the file's own.
      String table = "read_parquet('" + path.replace("'", "''") + "', hive_partitioning = false)";
      opened.readAll(statement, table, memoryBytes);
      read = true;
      return opened;
    } catch (SQLException e) {
      throw new DataException(path, "cannot be read as Parquet: " + e.getMessage(), e);
    } catch (IOException e) {
      throw new DataException(path, "its numbers cannot be kept in java.io.tmpdir", e);
    } finally {
      if (!read) {
        opened.close();
      }
    }
  }

  private static Driver driver(Path file, String name) {
    try {
      return (Driver) Class.forName(name).getDeclaredConstructor().newInstance();
    } catch (ReflectiveOperationException e) {
      throw new DataException(
          file.toString(),
          "is Parquet, which is read through DuckDB: put its JDBC driver (Maven:"
              + " org.duckdb:duckdb_jdbc) on the class path, as in"
              + " LOCKSTEP_CLASSPATH=duckdb_jdbc.jar, or write the table as CSV"
              + " (DataFrame.to_csv)",
          e);
    }
  }

  private void readAll(Statement statement, String table, long memoryBytes)
      throws SQLException, IOException {
    List<Column> columns = new ArrayList<>();
    try (ResultSet described = statement.executeQuery("DESCRIBE SELECT * FROM " + table)) {
      while (described.next()) {
        columns.add(new Column(described.getString(1), described.getString(2)));
      }
    }
    List<Column> numbers = columns.stream().filter(c -> !c.numbers().isEmpty()).toList();
    store = new RowStore(numbers.size(), memoryBytes);
    if (!numbers.isEmpty()) {
      String list = String.join(", ", numbers.stream().map(Column::numbers).toList());
      try (ResultSet rows = statement.executeQuery("SELECT " + list + " FROM " + table)) {
        add(rows);
      }
    }
    store.seal();
    List<Dimension> dimensions = List.of(new Dimension(SAMPLES, store.rows()));
    for (Column column : columns) {
      if (column.numbers().isEmpty()) {
        unreadable.add(
            new Unreadable(
                column.name(),
                column.type(),
                dimensions,
                "holds " + column.type() + "; only numbers, booleans and times are read"));
      } else {
        readable.put(column.name(), readable.size());
        variables.add(new Variable(column.name(), column.type(), dimensions, Map.of()));
      }
    }
  }

  private void add(ResultSet rows) throws SQLException, IOException {
    ResultSetMetaData metadata = rows.getMetaData();
    double[] row = new double[metadata.getColumnCount()];
    long line = 0;
    while (rows.next()) {
      for (int c = 0; c < row.length; c++) {
        double value = rows.getDouble(c + 1);
        row[c] = rows.wasNull() ? Double.NaN : value;
      }
      store.add(row, line++);
    }
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "Parquet";
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
