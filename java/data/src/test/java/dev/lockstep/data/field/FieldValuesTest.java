package dev.lockstep.data.field;

import static dev.lockstep.data.field.FieldFiles.features;
import static dev.lockstep.data.field.FieldFiles.open;
import static dev.lockstep.data.field.FieldFiles.targets;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.Normalizer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Missing values, weights and normalisation, with numbers that can be told by hand. */
class FieldValuesTest {
  private static final double NAN = Double.NaN;

  @TempDir Path folder;

  private static Normalizer.Pair normalizers(FieldDataset data) {
    return FieldNormalizer.fit(
        data,
        data.features().stream().map(Channel::normalization).toList(),
        data.targets().stream().map(Channel::normalization).toList(),
        data.split(null).train(),
        0,
        1,
        own -> own);
  }

  /** Land in the north is always missing, the equator in step 2. */
  private String withGaps() {
    return "path: "
        + FieldFiles.months(6)
            .with(
                "v",
                List.of("time", "lat"),
                i -> i[1] == 2 || (i[0] == 2 && i[1] == 1) ? NAN : 10 * i[0] + i[1])
            .write(folder.resolve("gaps.nc"));
  }

  @Test
  void dropLeavesOutSamplesThatLackAnything() {
    try (FieldDataset data =
        open(
            withGaps(),
            "samples: [time]",
            "where: {lat: [-60, 0]}",
            "features: [v]",
            "targets: [{variable: v, lead: [1]}]",
            "validation_fraction: 0")) {
      // Steps 2 (feature) and 1 (target) lack the equator.
      assertEquals(3, data.size());
      assertArrayEquals(
          new long[] {0, 3, 4}, new long[] {data.point(0), data.point(1), data.point(2)});
      assertEquals(0, data.cellWeights().length);
    }
    RuntimeException none =
        assertThrows(
            RuntimeException.class,
            () ->
                open(
                        withGaps(),
                        "samples: [time]",
                        "features: [v]",
                        "targets: [{variable: v, lead: [1]}]")
                    .close());
    assertTrue(none.getMessage().contains("data.missing"), none::getMessage);
  }

  @Test
  void maskKeepsThemAndCountsOnlyWhatIsKnown() {
    try (FieldDataset data =
        open(
            withGaps(),
            "samples: [time]",
            "missing: mask",
            "features: [v]",
            "targets: [{variable: v, lead: [1]}]",
            "validation_fraction: 0")) {
      assertEquals(5, data.size());
      assertArrayEquals(new double[] {20, NAN, NAN}, targets(data, 1));
      assertArrayEquals(new double[] {20, NAN, NAN}, features(data, 2));
      // Of 5 × 3 targets 9 are known: weights of 15/9 have the mean 1 over all 15.
      assertArrayEquals(new double[] {15 / 9.0, 15 / 9.0, 15 / 9.0}, data.cellWeights(), 1e-15);
      Normalizer.Statistics targets = normalizers(data).targets().statistics();
      // 10, 20, 30, 40, 50 and 11, 31, 41, 51.
      assertEquals((150 + 134) / 9.0, targets.mean().get(0), 1e-12);
    }
  }

  @Test
  void weightsHaveTheMeanOneOverTheCells() {
    Path file =
        FieldFiles.months(4)
            .with("v", List.of("time", "lat", "lon"), i -> i[0])
            .with("area", List.of("lat", "lon"), i -> i[0] + i[1])
            .with("moving", List.of("time", "lat", "lon"), i -> 1)
            .with("negative", List.of("lat", "lon"), i -> -1)
            .write(folder.resolve("weights.nc"));
    String[] yaml = {
      "path: " + file, "samples: [time]", "features: [v]", "targets: [{variable: v, lead: [1]}]", ""
    };
    yaml[4] = "weights: cos_latitude";
    try (FieldDataset data = open(yaml)) {
      // 0.5, 1, 0.5 have the mean 2/3.
      double[] expected = {.75, .75, .75, 1.5, 1.5, 1.5, .75, .75, .75};
      assertArrayEquals(expected, data.cellWeights(), 1e-15);
    }
    yaml[4] = "weights: area";
    try (FieldDataset data = open(yaml)) {
      // 0, 1, 2, 1, 2, 3, 2, 3, 4 have the mean 2.
      double[] expected = {0, .5, 1, .5, 1, 1.5, 1, 1.5, 2};
      assertArrayEquals(expected, data.cellWeights(), 1e-15);
    }
    for (String wrong : List.of("moving", "negative", "nothing")) {
      yaml[4] = "weights: " + wrong;
      RuntimeException e = assertThrows(RuntimeException.class, () -> open(yaml).close());
      assertTrue(e.getMessage().contains(wrong), e::getMessage);
    }
  }

  /** Values 0, 1, 2, 3 in the training steps, alike in all cells, and 100 in the test's. */
  @Test
  void eachNormalisationIsMeasuredOnTheTrainingSamplesAlone() {
    Path file =
        FieldFiles.months(12)
            .with("v", List.of("time", "lat"), i -> i[0] > 3 ? 100 : i[0])
            .with("w", List.of("time", "lat"), i -> i[0])
            .write(folder.resolve("kinds.nc"));
    double deviation = Math.sqrt(1.25);
    double[] logarithms = {Math.log(1), Math.log(2), Math.log(3), Math.log(4)};
    double mean = Arrays.stream(logarithms).average().orElseThrow();
    double spread =
        Math.sqrt(
            Arrays.stream(logarithms).map(l -> (l - mean) * (l - mean)).average().orElseThrow());
    Object[][] kinds = {
      {"mean_std", 1.5, deviation},
      {"min_max", 0.0, 3.0},
      {"max", 0.0, 3.0},
      {"none", 0.0, 1.0},
      {"log1p", mean, spread}
    };
    for (Object[] kind : kinds) {
      try (FieldDataset data =
          open(
              "path: " + file,
              "samples: [time]",
              "features: [{variable: v, normalize: " + kind[0] + "}]",
              "targets: [{variable: w, normalize: none}]",
              "split: {by: time, train: [1990-01, 1990-04], test: [1990-05, 1990-12]}")) {
        Normalizer.Statistics found = normalizers(data).features().statistics();
        assertEquals((double) kind[1], found.mean().get(0), 1e-12, kind[0].toString());
        assertEquals((double) kind[2], found.standardDeviation().get(0), 1e-12, kind[0] + "");
      }
    }
  }

  @Test
  void log1pRefusesWhatHasNoLogarithm() {
    Path file =
        FieldFiles.months(3)
            .with("v", List.of("time", "lat"), i -> -1 - i[0])
            .write(folder.resolve("negative.nc"));
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time]",
            "features: [{variable: v, normalize: log1p}]",
            "targets: [{variable: v, lead: [1], normalize: none}]")) {
      RuntimeException e = assertThrows(RuntimeException.class, () -> features(data, 0));
      assertTrue(e.getMessage().contains("log1p"), e::getMessage);
    }
  }

  @Test
  void keysOfPointsAreRefusedWhereTheyWouldDoNothing() {
    String[] yaml = {
      withGaps(), "samples: [time]", "features: [v]", "targets: [{variable: v, lead: [1]}]", "", ""
    };
    yaml[4] = "drop_missing: false";
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> Yaml.data(yaml))
            .getMessage()
            .contains("missing: mask"));
    yaml[4] = "validation_fraction: 0.1";
    yaml[5] = "split: {by: time, train: [1990, 1990]}";
    assertTrue(
        assertThrows(IllegalArgumentException.class, () -> Yaml.data(yaml))
            .getMessage()
            .contains("one of the two"));
  }

  /** Each month has a mean of its own; 1990 lies 1 below it and 1991 1 above, 1992 5 above. */
  @Test
  void anomaliesAreOfTheTrainingYearsMonthsAndComeBackAsTheyWere() {
    Path file =
        FieldFiles.months(36)
            .with(
                "v",
                List.of("time", "lat"),
                i -> 10 * (i[0] % 12) + i[1] + new double[] {-1, 1, 5}[i[0] / 12])
            .write(folder.resolve("years.nc"));
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time]",
            "features: [{variable: v, lags: [0, 1]}]",
            "targets: [{variable: v, lead: [1]}]",
            "normalize: anomaly",
            "split: {by: time, train: [1990, 1991], test: [1992, 1992]}")) {
      // December 1991 is step 23 and the sample before last of those with a lag.
      long sample = 22;
      assertEquals(23, data.point(sample));
      assertArrayEquals(new double[] {1, 1, 1, 1, 1, 1}, features(data, sample), 1e-12);
      double[] target = targets(data, sample);
      assertArrayEquals(new double[] {5, 5, 5}, target, 1e-12);
      data.restoreTargets(sample, target, 0);
      assertArrayEquals(new double[] {5, 6, 7}, target, 1e-12);
    }
  }

  @Test
  void aMonthThatNoTrainingSampleHasIsRefusedWhereItWouldBeRead() {
    Path file =
        FieldFiles.months(12)
            .with("v", List.of("time", "lat"), i -> i[0] + i[1])
            .write(folder.resolve("half.nc"));
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time]",
            "features: [v]",
            "targets: [{variable: v, lead: [1]}]",
            "normalize: anomaly",
            "split: {by: time, train: [1990-01, 1990-06], test: [1990-07, 1990-12]}")) {
      RuntimeException e = assertThrows(RuntimeException.class, () -> targets(data, 8));
      assertTrue(e.getMessage().contains("no climatology"), e::getMessage);
    }
  }
}
