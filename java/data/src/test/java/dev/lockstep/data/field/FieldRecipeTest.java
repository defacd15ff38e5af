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
    assertRefused("mask differs between samples", recipe(still, yaml), moving);
    try (Forecast forecast = forecast(recipe(moving, yaml), moving)) {
      assertArrayEquals(new double[] {0, 0, 0}, Arrays.copyOfRange(row(forecast), 3, 6), 1e-12);
    }
    assertRefused("mask is the same in all samples", recipe(moving, yaml), still);
  }

  private static double[] row(Forecast forecast) {
    return features(forecast.dataset(), 0);
  }

  private static void assertRefused(String expected, FieldRecipe recipe, Path file) {
    RuntimeException e =
        assertThrows(IllegalArgumentException.class, () -> forecast(recipe, file).close());
    assertTrue(e.getMessage().contains(expected), e::getMessage);
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
