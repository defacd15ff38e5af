package dev.lockstep.data.parquet;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataException;
import dev.lockstep.data.PythonReference;
import dev.lockstep.data.Variable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Tables that pandas and pyarrow wrote. */
@Timeout(120)
class ParquetFileTest {
  private static final int ROWS = 5000;

  @TempDir Path folder;

  @Test
  void numbersTimesAndNullsAreWhatPandasWrote() throws Exception {
    assumeTrue(hasDuckDb(), "no DuckDB on the class path: org.duckdb:duckdb_jdbc");
    Optional<PythonReference> python = PythonReference.with("pandas, pyarrow");
    assumeTrue(python.isPresent(), "no Python with pandas and pyarrow: see hpc/test.sh");
    // The column i of the file, not a 3 for all rows.
    Path file = Files.createDirectory(folder.resolve("i=3")).resolve("it's.parquet");
    python.get().run(folder, "write_parquet.py", 120, file.toString());
    // Some of the rows stay in memory, the others go to a temporary file.
    try (ParquetFile table = ParquetFile.open(file, "org.duckdb.DuckDBDriver", 100_000)) {
      assertEquals(
          List.of("i", "x", "f", "flag", "when", "zoned", "maybe"),
          table.variables().stream().map(Variable::name).toList());
      assertEquals("text", table.unreadable().get(0).name());
      double[] found = new double[ROWS];
      for (Variable variable : table.variables()) {
        assertEquals(ROWS, variable.size());
        table.read(variable, 0, ROWS, found);
        for (int i = 0; i < ROWS; i++) {
          assertEquals(expected(variable.name(), i), found[i], 1e-12, variable.name() + " " + i);
        }
      }
    }
  }

  private static double expected(String column, int i) {
    return switch (column) {
      case "i" -> i - 7;
      case "x" -> i % 10 == 3 ? Double.NaN : Math.sin(i);
      case "f" -> i / 8.0;
      case "flag" -> i % 3 == 0 ? 1 : 0;
      case "when" -> 11_356.25 + i / 24.0; // 2001-02-03 is day 11356 since 1970-01-01
      case "zoned" -> 11_355.875 + i / 24.0; // Tokyo is nine hours ahead of UTC
      case "maybe" -> i % 7 == 0 ? Double.NaN : i;
      default -> throw new IllegalArgumentException(column);
    };
  }

  private static boolean hasDuckDb() {
    try {
      Class.forName("org.duckdb.DuckDBDriver");
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  @Test
  void withoutDuckDbALineNamesTheDriver() throws Exception {
    Path file = Files.writeString(folder.resolve("t.parquet"), "PAR1....PAR1");
    DataException e =
        assertThrows(DataException.class, () -> ParquetFile.open(file, "no.such.Driver", 1 << 20));
    assertTrue(e.getMessage().contains("org.duckdb:duckdb_jdbc"), e::getMessage);
    assertTrue(e.getMessage().contains("LOCKSTEP_CLASSPATH"), e::getMessage);
  }

  @Test
  void aDamagedFileIsRefusedWithItsName() throws Exception {
    assumeTrue(hasDuckDb(), "no DuckDB on the class path: org.duckdb:duckdb_jdbc");
    Path file = Files.writeString(folder.resolve("t.parquet"), "PAR1....PAR1");
    DataException e = assertThrows(DataException.class, () -> ParquetFile.open(file));
    assertTrue(e.getMessage().contains("t.parquet"), e::getMessage);
  }
}
