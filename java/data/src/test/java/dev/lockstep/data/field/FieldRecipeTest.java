package dev.lockstep.data.field;

import static dev.lockstep.data.field.FieldFiles.features;
import static dev.lockstep.data.field.FieldFiles.open;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Variable;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a model keeps of its training data, applied to other files. */
class FieldRecipeTest {
  private static final String V = "targets: [{variable: v, lead: [1]}]";
  private static final String ANOMALY = "normalize: anomaly";

  @TempDir Path folder;

  private static FieldRecipe recipe(Path file, String... yaml) {
    String[] all = new String[yaml.length + 1];
    all[0] = "path: " + file;
    System.arraycopy(yaml, 0, all, 1, yaml.length);
    try (FieldDataset data = open(all)) {
      return data.fieldRecipe();
    }
  }

  private static Forecast forecast(FieldRecipe recipe, Path file) {
    return Forecast.open(recipe, List.of(file.toString()), Format.AUTO, 1);
  }

  /** Months with v, and a mask that is the same in all of them or not. */
  private Path masked(String name, boolean moving) {
    FieldFiles file =
        FieldFiles.months(24).with("v", List.of("time", "lat"), i -> 100 * i[0] + i[1]);
    if (moving) {
      file.with("mask", List.of("time", "lat"), i -> 5 + i[1]);
    } else {
      file.with("mask", List.of("lat"), i -> 5 + i[0]);
    }
    return file.write(folder.resolve(name));
  }

  /** The kind of a feature's numbers was fixed by the training. */
  @Test
  void aPredictionMeasuresNoClimatologyOfItsOwn() {
    String[] yaml = {"samples: [time]", "features: [v, mask]", V, ANOMALY};
    Path still = masked("still.nc", false);
    Path moving = masked("moving.nc", true);
    try (Forecast forecast = forecast(recipe(still, yaml), still)) {
      assertArrayEquals(new double[] {5, 6, 7}, Arrays.copyOfRange(row(forecast), 3, 6), 1e-12);
    }
    assertRefused("mask changes with time", recipe(still, yaml), moving);
    try (Forecast forecast = forecast(recipe(moving, yaml), moving)) {
      assertArrayEquals(new double[] {0, 0, 0}, Arrays.copyOfRange(row(forecast), 3, 6), 1e-12);
    }
    assertRefused("mask is the same at all steps", recipe(moving, yaml), still);
  }

  private static double[] row(Forecast forecast) {
    return features(forecast.dataset(), 0);
  }

  private static void assertRefused(String expected, FieldRecipe recipe, Path file) {
    RuntimeException e =
        assertThrows(IllegalArgumentException.class, () -> forecast(recipe, file).close());
    assertTrue(e.getMessage().contains(expected), e::getMessage);
  }

  /** The levels of the training, which its file has behind another one and a new file alone. */
  @Test
  void aLevelHasItsOwnClimatologyWhereverItsFileHasIt() {
    double[] levels = {1000, 850, 500, 200};
    FieldRecipe recipe = recipe(levels("all.nc", levels, 0), LEVELS);
    for (double[] held :
        new double[][] {{850, 500, 200}, {1013, 1000, 850, 500, 200}, {850, 500, 200, 100}}) {
      Path file = levels("levels" + held.length + held[0] + ".nc", held, 7);
      try (Forecast forecast = forecast(recipe, file)) {
        double[] sevens = new double[9];
        Arrays.fill(sevens, 7);
        assertArrayEquals(sevens, row(forecast), 1e-9, Arrays.toString(held));
      }
    }
  }

  private static final String[] LEVELS = {
    "samples: [time]",
    "shape: [channel, lat]",
    "features: [t]",
    "where: {lev: [200, 850]}",
    "targets: [{variable: v, lead: [1]}]",
    ANOMALY
  };

  /** The mean over the years of t is its level, to which something is added. */
  private Path levels(String name, double[] levels, double added) {
    return FieldFiles.months(24)
        .with("lev", levels, Map.of())
        .with("t", List.of("time", "lev", "lat"), i -> levels[i[1]] + i[0] % 12 + added)
        .with("v", List.of("time", "lat"), i -> i[0])
        .write(folder.resolve(name));
  }

  /** Its deviation from itself would be 0, and the network would know nothing of it. */
  @Test
  void whatOnlyStationsHaveHasNoSeason() {
    Path file =
        FieldFiles.months(24)
            .with("station", new double[] {1, 2}, Map.of())
            .with("height", List.of("station"), i -> 100 + i[0])
            .with("v", List.of("time", "station"), i -> i[0])
            .write(folder.resolve("stations.nc"));
    String[] yaml = {
      "path: " + file,
      "samples: [time, station]",
      "features: [v, height]",
      V,
      ANOMALY,
      "validation_fraction: 0"
    };
    try (FieldDataset data = open(yaml)) {
      // February 1990 of the second station; the mean of both Februaries is 7.
      assertArrayEquals(new double[] {-6, 101}, features(data, 3), 1e-9);
    }
    yaml[3] = "targets: [height]";
    yaml[2] = "features: [v]";
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> open(yaml).close());
    assertTrue(e.getMessage().contains("anomaly of height would be 0"), e::getMessage);
  }

  /** January is alone in the new file; the climatology of February must be found. */
  @Test
  void aFileOfOneTimeIsPredictedFromByTheStepOfTheTraining() {
    FieldRecipe recipe =
        recipe(
            masked("years.nc", false),
            "samples: [time]",
            "features: [v]",
            V,
            ANOMALY,
            "split: {by: time, train: [1990, 1991]}");
    Path file =
        FieldFiles.months(1)
            .with("v", List.of("time", "lat"), i -> 7)
            .write(folder.resolve("january.nc"));
    try (Forecast forecast = forecast(recipe, file)) {
      double[] outputs = {0, 0, 0};
      forecast.restore(0, 0, outputs, 0);
      // The mean of steps 1 and 13.
      assertArrayEquals(new double[] {700, 701, 702}, outputs, 1e-9);
    }
  }

  @Test
  void timesMayDescend() {
    Path file =
        new FieldFiles()
            .with("time", new double[] {30, 20, 10, 0}, Map.of("units", "days since 1990-01-01"))
            .with("v", List.of("time"), i -> i[0])
            .write(folder.resolve("descending.nc"));
    forecast(recipe(file, "samples: [time]", "features: [v]", V), file).close();
  }

  @Test
  void theDimensionOfLeadsGivesWayToOneOfTheFile() {
    Path file =
        FieldFiles.months(6)
            .with("lead", new double[] {0, 6}, Map.of("units", "hours"))
            .with("v", List.of("time", "lead"), i -> i[0])
            .write(folder.resolve("leads.nc"));
    FieldRecipe recipe = recipe(file, "samples: [time, lead]", "features: [v]", V);
    Path output = folder.resolve("forecast.nc");
    try (Forecast forecast = forecast(recipe, file);
        ForecastWriter writer = forecast.create(output, Map.of())) {
      writer.write(0, new double[] {3}, 0);
      writer.finish();
    }
    try (ArrayFile written =
        DataFiles.openJoined(List.of(output.toString()), Format.AUTO, "time")) {
      Variable v =
          written.variables().stream().filter(o -> o.name().equals("v")).findFirst().orElseThrow();
      assertEquals(
          List.of("time", "lead", "forecast_lead"),
          v.dimensions().stream().map(Variable.Dimension::name).toList());
    }
  }

  /** A map and levels that are made of one number a month. */
  @Test
  void dimensionsThatTargetsAloneHaveAreThoseOfTheFile() {
    Path file =
        FieldFiles.months(6)
            .with("lev", new double[] {1000, 850, 500}, Map.of())
            .with("index", List.of("time"), i -> i[0])
            .with("v", List.of("time", "lev", "lat"), i -> i[0])
            .write(folder.resolve("index.nc"));
    FieldRecipe recipe =
        recipe(
            file,
            "samples: [time]",
            "shape: [channel, lat]",
            "features: [index]",
            V,
            "where: {lat: [-10, 90]}",
            "isel: {lev: [1, 2]}");
    try (Forecast forecast = forecast(recipe, file)) {
      assertArrayEquals(new double[] {0, 0}, row(forecast));
    }
  }
}
