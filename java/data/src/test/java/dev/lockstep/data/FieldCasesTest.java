package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.ArrayFile.Unreadable;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.FileDescription.Summary;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files after public bug reports of similar software, which were read wrongly or refused. */
class FieldCasesTest {
  @TempDir Path folder;

  @BeforeEach
  void unpack() throws IOException {
    Resources.unzip(folder, "cases.zip.base64");
  }

  /** {@code cases.txt} is what h5py, netCDF4, NumPy and pandas find, checked by hand. */
  @Test
  void everyFileGivesItsValuesOrTheReason() throws IOException {
    StringBuilder found = new StringBuilder();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.sorted().toList()) {
        found.append(file.getFileName()).append('\n');
        FileDescription description = DataFiles.describe(file, Format.AUTO);
        for (Summary s : description.variables()) {
          found.append(
              String.format(
                  Locale.ROOT,
                  "  %s %s..%s, %d missing%n",
                  s.variable().name(),
                  s.min(),
                  s.max(),
                  s.missing()));
        }
        for (Unreadable u : description.unreadable()) {
          found.append("  ").append(u.name()).append(": ").append(u.reason()).append('\n');
        }
      }
    }
    byte[] expected = FieldCasesTest.class.getResourceAsStream("cases.txt").readAllBytes();
    assertEquals(new String(expected, StandardCharsets.UTF_8), found.toString());
  }

  @Test
  void chunksAreInTheirPlacesWhereTheSecondDimensionIsUnlimited() {
    try (ArrayFile file =
        DataFiles.openArrays(folder.resolve("extensible_second_dim.h5"), Format.AUTO)) {
      double[] expected = IntStream.range(0, 160).asDoubleStream().toArray();
      assertArrayEquals(expected, Resources.values(file, "a", 37));
    }
  }

  @Test
  void aDimensionUsedTwiceAndDimensionsOfTwoGroupsAreRefused() {
    assertTrue(refusal("repeated_dimension.nc", "cov", "a").contains("one dimension twice"));
    assertTrue(refusal("group_dims_mixed.nc", "train/x", "test/y").contains("test/sample"));
  }

  @Test
  void variablesOfDifferentLengthsAlongTheUnlimitedDimensionTrainWhereBothAre() {
    try (Dataset data = open("13-a05_ragged_unlimited.nc", "a", "b")) {
      assertEquals(12, data.size());
    }
  }

  /** MATLAB's X(i, j) is stored as [j][i]; a row of X is a sample. */
  @Test
  void rowsOfMatlabArraysAreSamples() {
    try (Dataset data = open("25-a12_matlab73.mat", "X", "S/y")) {
      assertEquals(6, data.size());
      double[] features = new double[4];
      double[] targets = new double[2];
      data.read(new long[] {5, 1}, 0, 2, features, targets);
      assertArrayEquals(new double[] {5, 11, 1, 7}, features);
      assertArrayEquals(new double[] {5, 1}, targets);
    }
  }

  @Test
  void aPixelThatIsMissingInEveryMapIsNamed() {
    Path maps = folder.resolve("maps.npy");
    try (TableWriter writer = TableWriter.create(maps, List.of("0", "1", "2"), 2)) {
      writer.write(new double[] {1, Double.NaN, 2, 3, Double.NaN, Double.NaN}, 2);
    }
    assertTrue(refusal("maps.npy", "data", "data").contains("data[1] is missing in all"));
  }

  @Test
  void aColumnThatIsAlwaysMissingAndAnArrayWithoutColumnsAreNamed() {
    assertTrue(refusal("36-a15_all_missing_column.csv", "b", "c").contains("b is missing in all"));
    assertTrue(refusal("27-a13_no_columns.npy", "data", "data").contains("has no columns"));
    assertTrue(refusal("crc.npz", "x[0]", "x[1]").contains("checksum"));
  }

  private String refusal(String file, String feature, String target) {
    RuntimeException e =
        assertThrows(RuntimeException.class, () -> open(file, feature, target).close());
    assertTrue(e instanceof DataException || e instanceof IllegalArgumentException, e::toString);
    return String.valueOf(e.getMessage());
  }

  private Dataset open(String file, String feature, String target) {
    return DataFiles.open(
        new DataConfig(
            folder.resolve(file).toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of(feature)),
            List.of(target),
            true,
            0,
            1));
  }
}
