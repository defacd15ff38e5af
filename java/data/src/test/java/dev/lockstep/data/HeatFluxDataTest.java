package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.FeatureConfig.Function;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** The real data of the quickstart; expected numbers are those that ncdump prints. */
class HeatFluxDataTest {
  private static final Path FOLDER = Path.of("/usr/share/ferret-vis/data");
  private static final Path FILE = FOLDER.resolve("esku_heat_budget.cdf");
  private static final double HOURS_OF_YEAR = 8765.82;

  private static DataConfig config(boolean dropMissing) {
    List<FeatureConfig> features =
        new ArrayList<>(FeatureConfig.ofVariables(List.of("SPD", "SST", "AT", "AH", "CLD")));
    features.add(new FeatureConfig("TIME", Function.SINE, HOURS_OF_YEAR, "month_sine"));
    features.add(new FeatureConfig("TIME", Function.COSINE, HOURS_OF_YEAR, "month_cosine"));
    features.add(new FeatureConfig("ESKUY", Function.SINE, 360, "latitude_sine"));
    List<String> targets = List.of("FSR", "FUL", "FLH", "FSH");
    return new DataConfig(
        FILE.toString(), Format.AUTO, null, features, targets, dropMissing, 0.2, 1);
  }

  @BeforeEach
  void needsTheFile() {
    assumeTrue(Files.exists(FILE), FILE + " is absent: install Debian's package ferret-datasets");
  }

  @Test
  void keepsExactlyThePointsWhereAllNineFieldsAreKnown() {
    try (Dataset dataset = DataFiles.open(config(true))) {
      assertEquals(19_985, dataset.size());
      assertEquals(
          List.of("SPD", "SST", "AT", "AH", "CLD", "month_sine", "month_cosine", "latitude_sine"),
          dataset.featureNames());
      Split split = Split.of(dataset.size(), 0.2, 1);
      assertEquals(3997, split.validation().length);
      assertEquals(15_988, split.train().length);
    }
  }

  @Test
  void readsTheValuesThatNcdumpPrints() {
    try (Dataset dataset = DataFiles.open(config(true))) {
      assertSample(
          dataset,
          0,
          0,
          5,
          36,
          -70,
          new double[] {8.7, 0.88, 1.05, 3.52, 0.93},
          new double[] {170.28, 25.49, 20.11, -2.38});
      assertSample(
          dataset,
          9999,
          5,
          36,
          27,
          54,
          new double[] {4.78, 5.23, 6.31, 5.28, 0.85},
          new double[] {137.54, 33.57, 2.8, -6.51});
      assertSample(
          dataset,
          19_984,
          11,
          42,
          70,
          78,
          new double[] {7.59, 4.41, 0.44, 3.16, 0.73},
          new double[] {0, 65.82, 82.74, 55.61});
    }
  }

  private static void assertSample(
      Dataset dataset,
      long sample,
      int month,
      int row,
      int column,
      double latitude,
      double[] fields,
      double[] fluxes) {
    assertEquals((month * 46L + row) * 72 + column, dataset.point(sample));
    double[] features = new double[8];
    double[] targets = new double[4];
    dataset.read(new long[] {sample}, 0, 1, features, targets);
    double phase = 2 * Math.PI * (month + 0.5) / 12;
    double[] expected = {
      fields[0],
      fields[1],
      fields[2],
      fields[3],
      fields[4],
      Math.sin(phase),
      Math.cos(phase),
      Math.sin(Math.toRadians(latitude))
    };
    assertArrayEquals(expected, features, 1e-3);
    assertArrayEquals(fluxes, targets, 1e-4);
  }

  @Test
  void readsTheSameWithACacheThatHoldsASeventhOfTheData() {
    try (Dataset roomy = DataFiles.open(config(true));
        Dataset tight = DataFiles.open(config(true), 400_000)) {
      long[] samples = Split.of(roomy.size(), 0.01, 3).validation();
      double[] features = new double[samples.length * 8];
      double[] targets = new double[samples.length * 4];
      double[] features2 = new double[samples.length * 8];
      double[] targets2 = new double[samples.length * 4];
      roomy.read(samples, 0, samples.length, features, targets);
      tight.read(samples, 0, samples.length, features2, targets2);
      assertArrayEquals(features, features2);
      assertArrayEquals(targets, targets2);
    }
  }

  @Test
  void refusesAMissingValueIfNoneMayBeDropped() {
    try (Dataset dataset = DataFiles.open(config(false))) {
      assertEquals(12 * 46 * 72, dataset.size());
      DataException e =
          assertThrows(
              DataException.class,
              () -> dataset.read(new long[] {3}, 0, 1, new double[8], new double[4]));
      assertTrue(
          e.getMessage().contains("SPD is missing at TIME 0, ESKUY 0, ESKUX 3 (point 3)"),
          e.getMessage());
    }
  }

  @Test
  void namesWhatTheFileHasWhenAVariableIsUnknown() {
    DataConfig wrong =
        new DataConfig(
            FILE.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of("SPEED")),
            List.of(),
            true,
            0.2,
            1);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DataFiles.open(wrong));
    assertTrue(e.getMessage().contains("has no variable SPEED; it has AH, AT"), e.getMessage());
  }

  /** Expected ranges are those of netCDF4-python. */
  @Test
  void describesTheOtherRealFiles() {
    assertRange("esku_heat_budget.cdf", "FLH", 19_759, -4.820000171661377, 271.9200134277344);
    assertRange("coads_climatology.cdf", "SST", 89_622, -2.5999999046325684, 33.15046310424805);
    assertRange("ocean_atlas_subset.nc", "TEMP", 1_454_616, -3, 34.17789840698242);
    assertRange("monthly_navy_winds.cdf", "UWND", 0, -25.54789161682129, 18.545000076293945);
    assertRange("etopo60.cdf", "ROSE", 0, -7473.22216796875, 5731.14599609375);
  }

  private static void assertRange(
      String file, String variable, long missing, double min, double max) {
    FileDescription.Summary summary =
        DataFiles.describe(FOLDER.resolve(file)).variables().stream()
            .filter(s -> s.variable().name().equals(variable))
            .findFirst()
            .orElseThrow();
    assertEquals(missing, summary.missing());
    assertEquals(min, summary.min());
    assertEquals(max, summary.max());
  }
}
