package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CsvFileTest {
  private static final double GONE = Double.NaN;

  @TempDir Path folder;

  private Path write(String text) throws IOException {
    return Files.writeString(folder.resolve("t.csv"), text);
  }

  private void assertColumn(String text, String name, double... expected) throws IOException {
    try (ArrayFile file = DataFiles.openArrays(write(text), Format.AUTO)) {
      assertArrayEquals(expected, Resources.values(file, name, 2));
    }
  }

  private void assertFails(String text, String column, String message) throws IOException {
    Path path = write(text);
    DataException e = assertThrows(DataException.class, () -> assertColumn(text, column));
    assertEquals(path + ": " + message, e.getMessage());
  }

  @Test
  void readsNumbersWhateverTheLineEnds() throws IOException {
    for (String end : new String[] {"\n", "\r\n", "\r"}) {
      String text = String.join(end, "a,b", "1,2", " 3 ,-4e-1", "");
      assertColumn(text, "a", 1, 3);
      assertColumn(text, "b", 2, -0.4);
    }
    assertColumn("a\n1\n2", "a", 1, 2);
    assertColumn("\uFEFFa,b\n1,2\n", "a", 1);
  }

  @Test
  void readsQuotedFields() throws IOException {
    String text = "\"a,\"\"x\"\"\",\"b\nc\",d\n\"1\",\"text, more\nlines\",\"2\"\n3,,4\n";
    assertColumn(text, "a,\"x\"", 1, 3);
    assertColumn(text, "d", 2, 4);
  }

  @Test
  void emptyFieldsAreMissing() throws IOException {
    assertColumn("a,b\n,1\nNA,2\nnan,3\nNULL,4\n\n5,5\n", "a", GONE, GONE, GONE, GONE, 5);
    assertColumn("a\n1\n\n3\n", "a", 1, GONE, 3);
  }

  private void assertUnreadable(String text, String column, String reason) throws IOException {
    try (ArrayFile file = DataFiles.openArrays(write(text), Format.AUTO)) {
      assertEquals(
          List.of(column + " " + reason),
          file.unreadable().stream().map(u -> u.name() + " " + u.reason()).toList());
    }
  }

  @Test
  void namesTheLineOfWhatSpoilsAFile() throws IOException {
    assertFails("a,b\n1,2\n3\n", "a", "line 3 has 1 fields where the header names 2 columns");
    assertFails("a,b\n1,\"2\n3,4\n", "a", "line 2 opens a quote that is never closed");
    assertFails(
        "a,b\n\"1\"2,3\n", "a", "line 2 has text after a closing quote; quote the whole field");
    assertFails("", "a", "is empty; a CSV file starts with a line of column names");
    assertFails(
        "1.5,2\n3,4\n",
        "a",
        "line 1 holds numbers where the names of the columns should stand; add a header");
    assertFails(
        "4,2\n3,4\n",
        "a",
        "line 1 holds numbers where the names of the columns should stand; add a header");
    assertFails(
        "a b\n1 2\n",
        "a",
        "line 2 has 2 numbers with spaces between them; separate columns by commas or tabs"
            + " (numpy.savetxt: delimiter=',')");
  }

  @Test
  void aColumnThatIsNoNumbersHarmsNoOther() throws IOException {
    String text = "a,b\n1,2\n\"3\",5\n6,seven\n";
    assertColumn(text, "a", 1, 3, 6);
    assertUnreadable(
        text, "b", "line 4, column b: \"seven\" is not a number; leave missing fields empty");
    assertUnreadable(
        "a,b\nx,1\n1d,2\n",
        "a",
        "line 2, column a: \"x\" is not a number; leave missing fields empty");
    assertUnreadable(
        "a\n1d\n", "a", "line 2, column a: \"1d\" is not a number; leave missing fields empty");
    assertUnreadable(
        "a,b\n1,2\n1e400,3\n", "a", "line 3, column a: 1e400 is beyond what float64 holds");
    assertUnreadable("b,\n1,2\n", "column 2", "has no name in the header");
    assertColumn("b,a,a\n1,2,3\n", "b", 1);
  }

  @Test
  void readsTablesAsPandasWritesThem() throws IOException {
    assertColumn(",a,b\n0,1.5,x\n1,inf,y\n", "a", 1.5, Double.POSITIVE_INFINITY);
    assertColumn("a,b,c,\n1,2,3,\n4,5,6,\n", "c", 3, 6);
    assertColumn("a,b,c\n1,2,3,\n4,5,6,\n", "c", 3, 6);
    assertColumn("a,b\nTrue,1\nFalse,2\n", "a", 1, 0);
    assertColumn("0,1,2\n1.5,2,3\n", "0", 1.5);
  }

  @Test
  void readsDatesAsDays() throws IOException {
    String text = "t,a\n1970-01-02,1\n2000-03-01 12:00:00,2\n,3\n2000-03-01T12:00:00+12:00,4\n";
    assertColumn(text, "t", 1, 11017.5, GONE, 11017);
    try (ArrayFile file = DataFiles.openArrays(write(text), Format.AUTO)) {
      assertEquals("days since 1970-01-01", file.variables().get(0).attributes().get("units"));
      assertEquals("date", file.variables().get(0).type());
    }
  }

  @Test
  void takesALineOfUnitsForUnits() throws IOException {
    String text = "time,speed,name\n,m/s,\n1,2,x\n3,4,y\n";
    assertColumn(text, "speed", 2, 4);
    try (ArrayFile file = DataFiles.openArrays(write(text), Format.AUTO)) {
      assertEquals("m/s", file.variables().get(1).attributes().get("units"));
    }
    assertColumn("a,b\nNA,x\n1,y\n", "a", GONE, 1);
  }

  @Test
  void findsSeparatorsDecimalCommasEncodingsAndGzip() throws IOException {
    assertColumn("a;b;c\n0;0,5;3\n1;1,5;2\n", "b", 0.5, 1.5);
    assertColumn("temp, C;b\n1,5;2\n2,5;3\n", "temp, C", 1.5, 2.5);
    assertColumn("a\tb\n1\t2.5\n", "b", 2.5);
    assertColumn("a\n1,5\n-2,5\n", "a", 1.5, -2.5);
    assertColumn("sep=;\na;b\n1,5;2\n", "a", 1.5);
    assertColumn("sep=\t\na\tb\n1\t2\n", "b", 2);
    assertColumn("# made by hand\n# a, b\n1.5,2\n", "a", 1.5);
    for (String encoding : new String[] {"UTF-16", "UTF-16LE", "windows-1252"}) {
      Files.write(folder.resolve("e.csv"), "température,b\n1,2\n".getBytes(encoding));
      try (ArrayFile file = DataFiles.openArrays(folder.resolve("e.csv"), Format.AUTO)) {
        assertArrayEquals(new double[] {1}, Resources.values(file, "température", 1));
      }
    }
    Path zipped = folder.resolve("z.csv.gz");
    try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(zipped))) {
      out.write("a,b\n1,2\n".getBytes(StandardCharsets.UTF_8));
    }
    try (ArrayFile file = DataFiles.openArrays(zipped, Format.AUTO)) {
      assertArrayEquals(new double[] {2}, Resources.values(file, "b", 1));
      assertEquals("CSV, gzip", file.format());
    }
    byte[] torn = Arrays.copyOf(Files.readAllBytes(zipped), 24);
    Files.write(zipped, torn);
    assertTrue(
        assertThrows(DataException.class, () -> DataFiles.openArrays(zipped, Format.AUTO))
            .getMessage()
            .contains("gzip compression breaks off"));
  }

  @Test
  void saysWhereAnInfiniteValueStandsAndWhichColumnIsAlwaysMissing() throws IOException {
    Path path = write("a,b\n1,2\n\n\ninf,3\n");
    DataException infinite = assertThrows(DataException.class, () -> open(path, "a", "b"));
    assertEquals(
        path + ": a is Infinity at line 5; mark such values as missing", infinite.getMessage());
    write("a,b\n1,\n2,\n");
    DataException missing = assertThrows(DataException.class, () -> open(path, "a", "b"));
    assertEquals(
        path
            + ": none of its 2 samples is complete: b is missing in all of them; leave such columns"
            + " out",
        missing.getMessage());
    write("a,b\n1,x\n2,y\n");
    assertTrue(
        assertThrows(DataException.class, () -> open(path, "a", "b"))
            .getMessage()
            .contains("line 2, column b: \"x\" is not a number"));
  }

  private static Dataset open(Path path, String feature, String target) {
    return DataFiles.open(
        new DataConfig(
            path.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of(feature)),
            List.of(target),
            true,
            0,
            1));
  }

  @Test
  void readsRowsInAnyOrderAcrossBlocks() throws IOException {
    StringBuilder text = new StringBuilder("n,twice\n");
    for (int i = 0; i < 5000; i++) {
      text.append(i).append(',').append(i % 7 == 0 ? "" : 2 * i).append('\n');
    }
    DataConfig config =
        new DataConfig(
            write(text.toString()).toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of("n")),
            List.of("twice"),
            true,
            0,
            1);
    try (Dataset dataset = DataFiles.open(config, 20_000)) {
      assertEquals(5000 - 715, dataset.size());
      long[] order = Split.of(dataset.size(), 0, 1).train();
      new SplitMix64(1).shuffle(order);
      double[] features = new double[200];
      double[] targets = new double[200];
      dataset.read(order, 100, 200, features, targets);
      for (int i = 0; i < 200; i++) {
        assertEquals((double) dataset.point(order[100 + i]), features[i]);
        assertEquals(2 * features[i], targets[i]);
      }
    }
  }
}
