package dev.lockstep.learn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FitConfig;
import dev.lockstep.data.TableWriter;
import dev.lockstep.testing.RankThreads;
import java.nio.DoubleBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a table holds of a CSV file, on one rank or several. */
class TableReaderTest {
  @TempDir private Path folder;

  /** What one rank's table holds. */
  private record Read(
      List<String> names,
      List<List<String>> categories,
      List<String> classes,
      List<Double> values,
      List<Double> target,
      List<Double> weights) {}

  private Path csv(String name, String... lines) throws Exception {
    return Files.write(folder.resolve(name), List.of(lines));
  }

  /** The tables of all ranks. */
  private List<Read> read(int ranks, String data) throws Exception {
    Path file = folder.resolve("fit.yaml");
    Files.writeString(
        file, "name: fitted\nlearner: {type: forest}\ndata: {" + data.formatted(folder) + "}\n");
    FitDataConfig config = ConfigLoader.load(FitConfig.class, file, List.of()).data();
    return RankThreads.run(
        ranks,
        group -> {
          try (Table table = TableReader.read(config, group)) {
            return new Read(
                table.names(),
                table.categories(),
                table.classes(),
                listOf(table.values()),
                listOf(table.target()),
                listOf(table.weights()));
          }
        });
  }

  private static List<Double> listOf(DoubleBuffer buffer) {
    List<Double> all = new ArrayList<>();
    while (buffer.hasRemaining()) {
      all.add(buffer.get());
    }
    return all;
  }

  @Test
  void columnsOfTextAreCategoriesAndMissingValuesAreNaN() throws Exception {
    csv(
        "mixed.csv",
        "size, colour ,price,w",
        "1.5,red,dear,1",
        "",
        "NA,\"light, blue\",cheap,2",
        "-3e2,,dear,0.5");
    Read table = read(1, "path: '%s/mixed.csv', target: price, weight: w").get(0);
    assertEquals(List.of("size", "colour"), table.names());
    assertEquals(List.of(List.of(), List.of("light, blue", "red")), table.categories());
    assertEquals(List.of("cheap", "dear"), table.classes());
    assertEquals(List.of(1.5, 1.0, Double.NaN, 0.0, -300.0, Double.NaN), table.values());
    assertEquals(List.of(1.0, 0.0, 1.0), table.target());
    assertEquals(List.of(1.0, 2.0, 0.5), table.weights());
  }

  @Test
  void aTextHasOneCodeOnAllRanksWhoeverHasIt() throws Exception {
    csv("part-0.csv", "x,y", "1,0");
    csv("part-1.csv", "x,y");
    csv("part-2.csv", "x,y", "b,1", "a,2");
    List<Read> ranks = read(3, "path: '%s/part-{rank}.csv', ownership: local, target: y");
    for (Read rank : ranks) {
      assertEquals(List.of(List.of("1", "a", "b")), rank.categories());
    }
    assertEquals(List.of(0.0), ranks.get(0).values());
    assertEquals(List.of(), ranks.get(1).values(), "the rank whose file has no rows");
    assertEquals(List.of(2.0, 1.0), ranks.get(2).values());
  }

  @Test
  void dealtRowsLieOnOneRankEach() throws Exception {
    List<String> lines = new ArrayList<>(List.of("x"));
    for (int i = 0; i < 5000; i++) {
      lines.add(Integer.toString(i));
    }
    csv("many.csv", lines.toArray(String[]::new));
    List<Double> all = new ArrayList<>();
    for (Read rank : read(3, "path: '%s/many.csv'")) {
      assertTrue(rank.values().size() > 900, "rows of a rank: " + rank.values().size());
      all.addAll(rank.values());
    }
    double[] sorted = all.stream().mapToDouble(Double::doubleValue).sorted().toArray();
    double[] expected = new double[5000];
    Arrays.setAll(expected, i -> i);
    assertArrayEquals(expected, sorted);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "path: '%s/short.csv'                     | line 3 has 1 fields where the header names 2",
        "path: '%s/empty.csv'                     | is empty; a CSV file starts with",
        "path: '%s/none.csv'                      | does not exist",
        "path: '%s/text.csv', features: [z]       | has no column z; it has x, w",
        "path: '%s/text.csv', weight: w           | column w holds text where it must hold weights",
      })
  void aFileThatCannotBeReadIsNamedWithItsProblem(String data, String problem) throws Exception {
    csv("short.csv", "x,y", "1,2", "3");
    csv("empty.csv", "");
    csv("text.csv", "x,w", "1,heavy");
    LearningException e = assertThrows(LearningException.class, () -> read(1, data));
    assertTrue(e.getMessage().contains(problem), e.getMessage());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
  }

  @Test
  void aModelFindsItsColumnsByNameAndTakesUnknownTextsAsMissing() throws Exception {
    csv("known.csv", "colour,size,y", "red,1,0", "blue,2,1");
    Path file = folder.resolve("fit.yaml");
    Files.writeString(
        file,
        "name: fitted\nlearner: {type: forest}\ndata: {path: '%s/known.csv', target: y}\n"
            .formatted(folder));
    FitDataConfig config = ConfigLoader.load(FitConfig.class, file, List.of()).data();
    LearnedModel model =
        RankThreads.run(
                1,
                ranks -> {
                  try (Table table = TableReader.read(config, ranks)) {
                    return Forest.builder(ranks).trees(1).build().fit(table);
                  }
                })
            .get(0);
    Path other = csv("other.csv", "size,more,colour", "5,9,green", "6,9,red");
    try (Table table = TableReader.forModel(other, model)) {
      assertEquals(List.of("colour", "size"), table.names());
      assertEquals(List.of(Double.NaN, 5.0, 1.0, 6.0), listOf(table.values()));
    }
  }

  private void images() throws Exception {
    byte[] images = {0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 10, 20, 30, 40};
    Files.write(folder.resolve("t-images-idx3-ubyte"), images);
    Files.write(folder.resolve("t-labels-idx1-ubyte"), new byte[] {0, 0, 8, 1, 0, 0, 0, 2, 7, 9});
  }

  /** A forest that has its answers among the features finds nothing else. */
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "target: labels",
        "labels: '%1$s/t-labels-idx1-ubyte', target: values",
        "ownership: local, labels: '%1$s/t-labels-idx1-ubyte', target: values"
      })
  void theClassesBesideImagesAreNoFeatures(String keys) throws Exception {
    images();
    Read table = read(1, "path: '%1$s/t-images-idx3-ubyte', " + keys).get(0);
    assertEquals(List.of("values[0]", "values[1]"), table.names());
    assertEquals(List.of(10.0, 20.0, 30.0, 40.0), table.values());
    assertEquals(List.of(7.0, 9.0), table.target());
  }

  @Test
  void theClassesBesideImagesAreNoFeaturesOfClustersEither() throws Exception {
    images();
    Read table = read(1, "path: '%s/t-images-idx3-ubyte'").get(0);
    assertEquals(List.of("values[0]", "values[1]"), table.names());
  }

  @Test
  void aTargetIsOneColumn() throws Exception {
    images();
    Exception refused =
        assertThrows(
            Exception.class, () -> read(1, "path: '%s/t-images-idx3-ubyte', target: values"));
    assertTrue(refused.getMessage().contains("values is an array of 2 columns"), refused::toString);
  }

  @Test
  void labelsOfTheirOwnAreNotForCsv() throws Exception {
    csv("rows.csv", "x,y", "1,2");
    Exception refused =
        assertThrows(
            Exception.class,
            () -> read(1, "path: '%1$s/rows.csv', labels: '%1$s/rows.csv', target: y"));
    assertTrue(refused.getMessage().contains("leave labels out"), refused::toString);
  }

  /** Both arrays are called data, as all of NPY. */
  @Test
  void aTargetInAFileOfItsOwnMayHaveTheNameOfAFeature() throws Exception {
    for (String name : List.of("x", "y")) {
      try (TableWriter out =
          TableWriter.create(folder.resolve(name + ".npy"), List.of("only"), 2)) {
        out.write(name.equals("x") ? new double[] {1, 2} : new double[] {3, 4}, 2);
      }
    }
    for (String features : List.of("", "features: [data], ")) {
      Read table =
          read(1, features + "path: '%1$s/x.npy', labels: '%1$s/y.npy', target: data").get(0);
      assertEquals(List.of(1.0, 2.0), table.values());
      assertEquals(List.of(3.0, 4.0), table.target());
    }
  }

  @Test
  void anArrayWithoutRowsHasItsColumns() throws Exception {
    for (int rows = 0; rows < 2; rows++) {
      try (TableWriter out =
          TableWriter.create(folder.resolve("part-" + rows + ".npy"), List.of("a", "b"), rows)) {
        out.write(new double[] {1, 2}, rows);
      }
    }
    List<Read> tables = read(2, "path: '%s/part-{rank}.npy', ownership: local");
    assertEquals(List.of("data[0]", "data[1]"), tables.get(0).names());
    assertEquals(tables.get(1).names(), tables.get(0).names());
    assertEquals(List.of(), tables.get(0).values());
  }
}
