package dev.lockstep.data.field;

import static dev.lockstep.data.field.FieldFiles.features;
import static dev.lockstep.data.field.FieldFiles.open;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.Split;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.LongStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which samples are trained on, held out and kept for the end. */
class FieldSplitTest {
  private static final String LEADS = "targets: [{variable: v, lead: [1, 2]}]";

  @TempDir Path folder;
  private String path;

  @BeforeEach
  void write() {
    path =
        "path: "
            + FieldFiles.months(48)
                .with("station", new double[] {7, 8, 9, 11, 12}, Map.of())
                .with("v", List.of("time", "lat"), i -> 100 * i[0] + i[1])
                .with("s", List.of("time", "station"), i -> 100 * i[0] + i[1])
                .write(folder.resolve("months.nc"));
  }

  private static long[] points(FieldDataset data, long[] samples) {
    return Arrays.stream(samples).map(data::point).toArray();
  }

  /** Steps 0 to 11 are 1990. The last whose targets, one and two ahead, lie in 1990 is 9. */
  @Test
  void rangesOfTimeTakeTheSamplesWhoseTargetsLieInThem() {
    try (FieldDataset data =
        open(
            path,
            "samples: [time]",
            "features: [v]",
            LEADS,
            "split: {by: time, train: [1990, 1990-12], validation: [1991-03, 1991-06],"
                + " test: [1992-01-01, 1992]}")) {
      Split split = data.split(null);
      assertArrayEquals(LongStream.rangeClosed(0, 9).toArray(), points(data, split.train()));
      // March 1991 is step 14, June 17.
      assertArrayEquals(LongStream.rangeClosed(13, 15).toArray(), points(data, split.validation()));
      assertArrayEquals(LongStream.rangeClosed(23, 33).toArray(), points(data, split.test()));
      boolean[] expected = new boolean[48];
      Arrays.fill(expected, 0, 12, true);
      assertArrayEquals(expected, data.training().steps());
    }
  }

  @Test
  void rangesThatOverlapAreEmptyOrReversedAreRefused() {
    for (String split :
        List.of(
            "split: {by: time, train: [1990, 1991], test: [1991, 1992]}",
            "split: {by: time, train: [1950, 1960]}",
            "split: {by: lat, train: [0, 90]}",
            "split: {by: time, train: [1990]}",
            "split: {by: time, train: [1990, 1991], validation_fraction: 0.2}",
            "split: {by: time, train: [1990, 1991], block: 3}",
            "split: {by: time}")) {
      RuntimeException e =
          assertThrows(
              RuntimeException.class,
              () -> open(path, "samples: [time]", "features: [v]", LEADS, split).close(),
              split);
      assertTrue(e instanceof IllegalArgumentException, split + ": " + e);
    }
  }

  /** Eight blocks of six steps; both targets of a sample lie in blocks of its part. */
  @Test
  void blocksOfTimeStayTogether() {
    try (FieldDataset data =
        open(
            path,
            "seed: 3",
            "samples: [time]",
            "features: [v]",
            LEADS,
            "split: {by: time, block: 6, validation_fraction: 0.25, test_fraction: 0.125}")) {
      Split split = data.split(null);
      Set<Long> seen = new HashSet<>();
      long[][] parts = {split.train(), split.validation(), split.test()};
      int[] blocks = {5, 2, 1};
      for (int p = 0; p < 3; p++) {
        Set<Long> own = new HashSet<>();
        for (long point : points(data, parts[p])) {
          own.add((point + 1) / 6);
          own.add((point + 2) / 6);
        }
        assertEquals(blocks[p], own.size());
        assertTrue(own.stream().allMatch(seen::add), "a block in two parts");
      }
    }
  }

  @Test
  void allSamplesOfAStationAreOnOneSide() {
    try (FieldDataset data =
        open(
            path,
            "samples: [time, station]",
            "features: [s]",
            "targets: [{variable: s, lead: [1]}]",
            "normalize: none",
            "split: {by: station, block: 1, validation_fraction: 0.4}")) {
      Split split = data.split(null);
      assertEquals(3 * 47, split.train().length);
      assertEquals(2 * 47, split.validation().length);
      Set<Double> training = new HashSet<>();
      for (long sample : split.train()) {
        training.add(features(data, sample)[0] % 100);
      }
      assertEquals(3, training.size());
      for (long sample : split.validation()) {
        assertTrue(!training.contains(features(data, sample)[0] % 100));
      }
    }
  }

  /** The held-out stations' values could be anything and the baselines' forecasts stay. */
  @Test
  void baselinesKnowNothingOfStationsThatAreHeldOut() {
    String[] yaml = {
      "", "samples: [time, station]", "features: [s]", "targets: [{variable: s, lead: [1]}]", ""
    };
    for (String split :
        List.of(
            "split: {by: station, train: [7, 9], test: [11, 12]}",
            "split: {by: station, block: 2, test_fraction: 0.4}")) {
      yaml[4] = split;
      for (String name : List.of(Baselines.CLIMATOLOGY, Baselines.AUTOREGRESSION)) {
        double[] as = baseline(yaml, name, 0);
        double[] others = baseline(yaml, name, 1e6);
        assertArrayEquals(as, others, 1e-6, split + " " + name);
        assertTrue(Double.isFinite(as[0]), name);
      }
    }
  }

  /**
   * What a baseline predicts for a held-out station in January 1990, whose own value is 0.
   *
   * @param added to all other values of held-out stations
   */
  private double[] baseline(String[] yaml, String name, double added) {
    FieldFiles file =
        FieldFiles.months(48).with("station", new double[] {7, 8, 9, 11, 12}, Map.of());
    file.with("s", List.of("time", "station"), i -> i[0] == 0 ? 0 : wave(i));
    String[] all = yaml.clone();
    all[0] = "path: " + file.write(folder.resolve("even.nc"));
    boolean[] held = new boolean[5];
    try (FieldDataset data = open(all)) {
      for (long sample : data.split(null).test()) {
        held[(int) (data.point(sample) % 5)] = true;
      }
    }
    FieldFiles changed =
        FieldFiles.months(48).with("station", new double[] {7, 8, 9, 11, 12}, Map.of());
    changed.with(
        "s", List.of("time", "station"), i -> i[0] == 0 ? 0 : wave(i) + (held[i[1]] ? added : 0));
    all[0] = "path: " + changed.write(folder.resolve("odd.nc"));
    try (FieldDataset data = open(all)) {
      double[] out = new double[1];
      new Baselines(data).predict(name, data.split(null).test()[0], out);
      return out;
    }
  }

  private static double wave(int[] index) {
    return 10 * Math.sin(index[0]) + index[1] + index[0] % 12;
  }

  /** Else the climatology of a held-out station would hold the values that judge the forecast. */
  @Test
  void anomaliesAreRefusedWhereAStepIsPartlyHeldOut() {
    String[] yaml = {
      path, "samples: [time, station]", "features: [{variable: s, normalize: anomaly}]", "", ""
    };
    yaml[3] = "targets: [{variable: s, lead: [1], normalize: mean_std}]";
    for (String split :
        List.of(
            "split: {by: station, block: 1, validation_fraction: 0.4}",
            "split: {by: station, train: [7, 9], test: [11, 12]}",
            "validation_fraction: 0.2")) {
      yaml[4] = split;
      IllegalArgumentException e =
          assertThrows(IllegalArgumentException.class, () -> open(yaml).close(), split);
      assertTrue(e.getMessage().contains("normalize: anomaly of s "), e::getMessage);
    }
    for (String split :
        List.of(
            "split: {by: time, block: 6, validation_fraction: 0.25}",
            "split: {by: time, train: [1990, 1992], test: [1993, 1993]}",
            "split: {by: station, train: [7, 9]}",
            "validation_fraction: 0")) {
      yaml[4] = split;
      open(yaml).close();
    }
  }
}
