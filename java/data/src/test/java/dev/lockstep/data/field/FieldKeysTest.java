package dev.lockstep.data.field;

import static dev.lockstep.data.field.FieldFiles.features;
import static dev.lockstep.data.field.FieldFiles.open;
import static dev.lockstep.data.field.FieldFiles.targets;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a sample of fields holds, with numbers that can be told by hand. */
class FieldKeysTest {
  @TempDir Path folder;
  private String path;

  /** v is 100 t + 10 lat + lon by index; land is 1 at the second latitude. */
  @BeforeEach
  void write() {
    path =
        "path: "
            + FieldFiles.months(24)
                .with("v", List.of("time", "lat", "lon"), i -> 100 * i[0] + 10 * i[1] + i[2])
                .with("land", List.of("lat", "lon"), i -> i[0] == 1 ? 1 : 0)
                .write(folder.resolve("months.nc"));
  }

  /** Nine cells, from the first on. */
  private static double[] map(double first) {
    double[] map = new double[9];
    Arrays.setAll(map, i -> first + 10 * (i / 3) + i % 3);
    return map;
  }

  private static double[] concat(double[]... parts) {
    return Arrays.stream(parts).flatMapToDouble(Arrays::stream).toArray();
  }

  private String refusal(String... yaml) {
    RuntimeException e = assertThrows(RuntimeException.class, () -> open(yaml).close());
    return String.valueOf(e.getMessage());
  }

  @Test
  void lagsAreStepsBackMeansEndAtTheLagAndLeadsAreStepsAhead() {
    try (FieldDataset data =
        open(
            path,
            "samples: [time]",
            "features: [{variable: v, lags: [0, 2]}, {variable: v, lags: [1], mean: 3}, land]",
            "targets: [{variable: v, lead: [1, 3]}]",
            "normalize: none")) {
      assertEquals(List.of("v", "v(t-2)", "mean3(v)(t-1)", "land"), data.featureNames());
      assertEquals(List.of("v(t+1)", "v(t+3)"), data.targetNames());
      assertArrayEquals(new long[] {4, 3, 3}, data.featureShape());
      assertArrayEquals(new long[] {2, 3, 3}, data.targetShape());
      // The mean at lag 1 needs 3 steps before, the lead 3 steps behind: steps 3 to 20.
      assertEquals(18, data.size());
      assertEquals(3, data.point(0));
      double[] land = {0, 0, 0, 1, 1, 1, 0, 0, 0};
      assertArrayEquals(concat(map(300), map(100), map(100), land), features(data, 0));
      assertArrayEquals(concat(map(400), map(600)), targets(data, 0));
      assertArrayEquals(concat(map(2100), map(2300)), targets(data, 17));
    }
  }

  @Test
  void whereChoosesByCoordinateAndIselByIndex() {
    try (FieldDataset data =
        open(
            path,
            "samples: [time]",
            "features: [v]",
            "targets: [{variable: v, lead: [1]}]",
            "where: {time: [1991-02, 1991-04], lat: [-10, 90]}",
            "isel: {lon: [-2, -1]}",
            "normalize: none")) {
      // February, March and April are steps 13 to 15; the last has no step behind it.
      assertEquals(2, data.size());
      assertArrayEquals(new double[] {1311, 1312, 1321, 1322}, features(data, 0));
      assertArrayEquals(new double[] {1511, 1512, 1521, 1522}, targets(data, 1));
    }
    String two = "targets: [{variable: v, lead: [1]}]";
    assertTrue(
        refusal(path, "samples: [time]", "features: [v]", two, "where: {lon: [-150, 10]}")
            .contains("360 degrees"));
    assertTrue(
        refusal(path, "samples: [time]", "features: [v]", two, "where: {lat: [90, 30]}")
            .contains("no coordinate of lat"));
    assertTrue(
        refusal(
                path,
                "samples: [time]",
                "features: [v]",
                two,
                "where: {lat: [0, 90]}",
                "isel: {lat: [0, 1]}")
            .contains("lat"));
    assertTrue(
        refusal(path, "samples: [time]", "features: [v]", two, "isel: {lat: [0, 3]}")
            .contains("not within the 3"));
    assertTrue(
        refusal(path, "samples: [time]", "features: [v]", two, "where: {height: [0, 3]}")
            .contains("height"));
  }

  @Test
  void functionsOfPlaceAndTimeAreThoseOfTheCalendar() {
    try (FieldDataset data =
        open(
            path,
            "samples: [time]",
            "features: [{function: cos_latitude}, {function: sin_latitude}, {function: longitude},"
                + " {function: day_of_year}, {function: hour}]",
            "targets: [v]",
            "normalize: none")) {
      double[] row = features(data, 0);
      double root = Math.sqrt(3) / 2;
      assertArrayEquals(
          new double[] {.5, .5, .5, 1, 1, 1, .5, .5, .5}, Arrays.copyOf(row, 9), 1e-15);
      assertArrayEquals(new double[] {-root, 0, root}, every(row, 9, 3), 1e-15);
      assertArrayEquals(new double[] {0, root, -root}, Arrays.copyOfRange(row, 18, 21), 1e-15);
      assertArrayEquals(new double[] {1, -.5, -.5}, Arrays.copyOfRange(row, 27, 30), 1e-15);
      // 16 January, 12:00, of a year of 365 days.
      assertEquals(Math.sin(2 * Math.PI * 15.5 / 365), row[36], 1e-15);
      assertEquals(Math.cos(2 * Math.PI * 15.5 / 365), row[45], 1e-15);
      assertEquals(0, row[54], 1e-15);
      assertEquals(-1, row[63], 1e-15);
    }
    assertTrue(
        refusal(path, "samples: [lat]", "features: [{function: hour}]", "targets: [v]")
            .contains("times"));
  }

  private static double[] every(double[] row, int from, int step) {
    return new double[] {row[from], row[from + step], row[from + 2 * step]};
  }

  /** Over the globe and the year S₀ ÷ 4 ÷ √(1 − e²), with e = 0.016724 (Berger 1978). */
  @Test
  void insolationHasItsMeanAndItsPolarNight() {
    double sum = 0;
    double area = 0;
    for (int day = 0; day < 365; day++) {
      for (double latitude = -89.5; latitude < 90; latitude++) {
        double weight = Math.cos(Math.toRadians(latitude));
        sum += weight * Insolation.dailyMean(latitude, (day + 0.5) / 365);
        area += weight;
      }
    }
    assertEquals(1361 / 4.0 / Math.sqrt(1 - 0.016724 * 0.016724), sum / area, 0.05);
    assertEquals(0, Insolation.dailyMean(80, 355 / 365.0));
    assertTrue(Insolation.dailyMean(90, 172 / 365.0) > Insolation.dailyMean(0, 172 / 365.0));
  }

  @Test
  void aSampleCanBeAColumnOrARow() {
    Path file =
        FieldFiles.months(3)
            .with("lev", new double[] {1000, 500}, Map.of("units", "hPa"))
            .with(
                "T",
                List.of("time", "lev", "lat", "lon"),
                i -> 1000 * i[0] + 100 * i[1] + 10 * i[2] + i[3])
            .write(folder.resolve("columns.nc"));
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time, lat, lon]",
            "shape: [channel, lev]",
            "features: [T, {function: cos_latitude}]",
            "targets: [{variable: T, lead: [1]}]",
            "normalize: none")) {
      assertArrayEquals(new long[] {2, 2}, data.featureShape());
      assertEquals(18, data.size());
      // The second step's sample at latitude 1, longitude 2.
      assertArrayEquals(new double[] {1012, 1112, 1, 1}, features(data, 14), 1e-15);
      assertArrayEquals(new double[] {2012, 2112}, targets(data, 14));
    }
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time]",
            "shape: [flat, lat, lon]",
            "features: [T]",
            "targets: [{variable: T, lead: [1]}]",
            "normalize: none")) {
      assertEquals(List.of("T[0]", "T[1]"), data.featureNames());
      assertArrayEquals(new long[] {18}, data.featureShape());
      assertArrayEquals(concat(map(0), map(100)), features(data, 0));
    }
  }

  @Test
  void filesAreJoinedByTheirNamesWithTheirOwnUnitsOfTime() {
    for (int year = 0; year < 2; year++) {
      int first = 12 * year;
      double[] months = new double[12];
      Arrays.setAll(months, m -> (m + 0.5) * 24 * 30);
      new FieldFiles()
          .with(
              "time",
              months,
              Map.of("units", "hours since " + (1990 + year) + "-01-01", "calendar", "360_day"))
          .with("x", new double[] {0, 1}, Map.of())
          .with("v", List.of("time", "x"), i -> 10 * (first + i[0]) + i[1])
          .write(folder.resolve("part_" + year + ".nc"));
    }
    try (FieldDataset data =
        open(
            "path: " + folder.resolve("part_*.nc"),
            "samples: [time]",
            "features: [{variable: v, lags: [0, 1]}, {function: day_of_year}]",
            "targets: [{variable: v, lead: [1]}]",
            "normalize: none",
            "split: {by: time, train: [1990, 1990], test: [1991, 1991]}")) {
      assertEquals(22, data.size());
      // Step 12 is the middle of January 1991, in the second file.
      double[] row = features(data, 11);
      assertArrayEquals(new double[] {120, 121, 110, 111}, Arrays.copyOf(row, 4));
      assertEquals(Math.sin(2 * Math.PI * 15 / 360), row[4], 1e-12);
      assertEquals(10, data.split(null).train().length);
      assertEquals(12, data.split(null).test().length);
    }
  }

  @Test
  void boundsAreNoCoordinates() {
    Path file =
        FieldFiles.months(3)
            .with("bnds", new double[] {0, 1}, Map.of())
            .with("time_bnds", List.of("time", "bnds"), i -> 1e9)
            .with("v", List.of("time", "lat"), i -> i[0])
            .write(folder.resolve("bounds.nc"));
    try (FieldDataset data =
        open(
            "path: " + file,
            "samples: [time]",
            "features: [v]",
            "targets: [{variable: v, lead: [1]}]")) {
      assertEquals(1, data.grid().time().orElseThrow().date(0).month());
      assertArrayEquals(new long[] {1, 3}, data.featureShape());
    }
  }
}
