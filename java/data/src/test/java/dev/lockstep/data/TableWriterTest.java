package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.npy.NpyFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TableWriterTest {
  private static final double[] ROWS = {1.5, 0.1, -2, Double.NaN, 1e300, Math.PI};

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"t.csv", "t.nc"})
  void whatIsWrittenIsReadBack(String name) {
    Path path = folder.resolve(name);
    try (TableWriter writer = TableWriter.create(path, List.of("first, \"one\"", "q"), 3)) {
      writer.write(ROWS, 2);
      writer.write(new double[] {ROWS[4], ROWS[5]}, 1);
    }
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      assertArrayEquals(new double[] {1.5, -2, 1e300}, Resources.values(file, "first, \"one\"", 3));
      assertArrayEquals(new double[] {0.1, Double.NaN, Math.PI}, Resources.values(file, "q", 3));
    }
  }

  /** NC_FILL_DOUBLE as bytes; other readers take only what the attribute says for missing. */
  @Test
  void netcdfNamesTheValueThatStandsForMissing() throws IOException {
    Path path = folder.resolve("t.nc");
    try (TableWriter writer = TableWriter.create(path, List.of("q"), 2)) {
      writer.write(new double[] {1, Double.NaN}, 2);
    }
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(path));
    String text = new String(bytes.array(), StandardCharsets.ISO_8859_1);
    int attribute = text.indexOf("_FillValue");
    assertEquals(attribute, text.lastIndexOf("_FillValue"));
    double stated = bytes.getDouble(attribute + 12 + Integer.BYTES + Long.BYTES);
    assertEquals(9.969209968386869e36, stated);
    assertEquals(stated, bytes.getDouble(bytes.limit() - Double.BYTES));
  }

  @Test
  void npyIsOneArrayAlignedAsNumpyAlignsIt() throws IOException {
    Path path = folder.resolve("t.npy");
    try (TableWriter writer = TableWriter.create(path, List.of("p", "q"), 3)) {
      writer.write(ROWS, 3);
    }
    byte[] bytes = Files.readAllBytes(path);
    assertEquals(128 + 6 * 8, bytes.length);
    assertEquals('\n', bytes[127]);
    String header = new String(bytes, 10, 61, StandardCharsets.US_ASCII);
    assertEquals("{'descr': '<f8', 'fortran_order': False, 'shape': (3, 2), }  ", header);
    try (ArrayFile file = NpyFile.open(path)) {
      assertArrayEquals(ROWS, Resources.values(file, "data", 6));
    }
  }

  @Test
  void aTableWithoutAllRowsNeverAppears() throws IOException {
    Path path = folder.resolve("t.csv");
    try (TableWriter writer = TableWriter.create(path, List.of("p", "q"), 3)) {
      writer.write(ROWS, 2);
    }
    assertFalse(Files.exists(path));
    try (var files = Files.list(folder)) {
      assertEquals(0, files.count());
    }
  }

  @Test
  void refusesWhatItCannotWrite() {
    List<String> names = List.of("p");
    IllegalArgumentException e =
        assertThrows(
            IllegalArgumentException.class,
            () -> TableWriter.create(folder.resolve("t.xls"), names, 1));
    assertTrue(e.getMessage().contains(".csv, .npy or .nc"), e.getMessage());
    assertThrows(
        DataException.class, () -> TableWriter.create(folder.resolve("no/t.csv"), names, 1));
    try (TableWriter writer = TableWriter.create(folder.resolve("t.csv"), names, 1)) {
      assertThrows(IllegalStateException.class, () -> writer.write(ROWS, 2));
      assertThrows(IndexOutOfBoundsException.class, () -> writer.write(new double[0], 1));
    }
  }
}
