package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
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

  @Test
  void namesLineAndColumnOfWhatIsWrong() throws IOException {
    assertFails(
        "a,b\n1,2\n\"x\ny\",5\n6,seven\n",
        "b",
        "line 5, column b: \"seven\" is not a number; leave missing fields empty");
    assertFails("a,b\n1,2\n3\n", "a", "line 3 has 1 fields where the header names 2 columns");
    assertFails("a,b\n1,\"2\n3,4\n", "a", "line 2 opens a quote that is never closed");
    assertFails(
        "a,b\n\"1\"2,3\n", "a", "line 2 has text after a closing quote; quote the whole field");
    assertFails("a,a\n1,2\n", "a", "line 1 has two columns called a");
    assertFails("a,\n1,2\n", "a", "line 1 has a column without a name");
    assertFails("", "a", "is empty; a CSV file starts with a line of column names");
    assertFails(
        "a\n1d\n", "a", "line 2, column a: \"1d\" is not a number; leave missing fields empty");
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
