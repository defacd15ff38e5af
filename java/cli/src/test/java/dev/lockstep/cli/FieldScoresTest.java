package dev.lockstep.cli;

import static dev.lockstep.cli.MonthlyTemperatures.DAYS;
import static dev.lockstep.cli.MonthlyTemperatures.LATITUDES;
import static dev.lockstep.cli.MonthlyTemperatures.MONTHS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.data.PythonReference;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** What a run says of the samples kept for the end, by lead and region. */
@Timeout(300)
@ResourceLock(Resources.SYSTEM_OUT)
@ResourceLock(Resources.SYSTEM_ERR)
class FieldScoresTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path folder;

  private Path config(String regions) throws IOException {
    // A gap in a test month: no truth then, and nothing to persist from there.
    Path data =
        MonthlyTemperatures.write(
            folder.resolve("data.nc"),
            "degC",
            LATITUDES,
            DAYS,
            MONTHS,
            (month, cell) ->
                month == 26 && cell == 9
                    ? Double.NaN
                    : MonthlyTemperatures.temperature(month, cell));
    Path config = folder.resolve("config.yaml");
    Files.writeString(
        config,
        String.join(
            "\n",
            "name: p",
            "data:",
            "  path: " + data,
            "  samples: [time]",
            "  features: [{variable: sst, lags: [0, 1]}, {function: cos_latitude}]",
            "  targets: [{variable: sst, lead: [1, 2]}]",
            "  missing: mask",
            "  weights: cos_latitude",
            "  normalize: anomaly",
            "  regions: " + regions,
            "  split: {by: time, train: [1990, 1991], test: [1992, 1992]}",
            "model: {type: resnet, width: 4, levels: 1}",
            "training: {epochs: 2, batch_size: 8}",
            "optimizer: {type: adam, learning_rate: 0.05}",
            "output: {folder: " + folder.resolve("run") + "}"));
    return config;
  }

  private static final String REGIONS =
      "[{name: tropics, where: {lat: [-20, 20]}}, {name: edge, where: {lon: [-70, 70]}},"
          + " {name: basin, mask: basin}]";

  /** NumPy and xarray compute them from the truth and the file of predictions. */
  @Test
  void scoresByLeadAndRegionAreThoseOfAnIndependentComputation() throws Exception {
    Optional<PythonReference> python = PythonReference.with("xarray, netCDF4, cftime");
    assumeTrue(python.isPresent(), "no Python with xarray and netCDF4: see hpc/test.sh");
    Path config = config(REGIONS);
    PrintStream before = System.out;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setOut(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    } finally {
      System.setOut(before);
    }
    Path run = folder.resolve("run/p");
    JsonNode test = JSON.readTree(run.resolve("summary.json").toFile()).path("test");
    Path forecast = folder.resolve("forecast.nc");
    String data = folder.resolve("data.nc").toString();
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict", run.resolve("model.pt").toString(), data, "-o", forecast.toString()));
    String printed =
        python
            .get()
            .run(
                folder,
                "score_fields.py",
                120,
                data,
                forecast.toString(),
                "1990",
                "1991",
                "23",
                "33");
    JsonNode expected = JSON.readTree(printed);
    int compared = 0;
    for (String region : List.of("everywhere", "tropics", "edge", "basin")) {
      JsonNode area = region.equals("everywhere") ? test : test.path("regions").path(region);
      JsonNode wanted = expected.path(region);
      compared += compare(region, wanted.path("all"), area);
      for (String target : List.of("sst(t+1)", "sst(t+2)")) {
        compared +=
            compare(region + target, wanted.path(target), area.path("targets").path(target));
      }
    }
    assertEquals(4 * 3 * (4 + 4 + 4), compared);
    String console = captured.toString(StandardCharsets.UTF_8);
    assertTrue(console.contains("edge: sst(t+2) RMSE "), console);
    assertTrue(console.contains("persistence"), console);
    // The weighted RMSE differs between regions, or this test could not fail.
    assertTrue(
        Math.abs(
                test.path("rmse_weighted").asDouble()
                    - test.path("regions").path("tropics").path("rmse_weighted").asDouble())
            > 1e-3);
    mapsAreDrawn(run);
  }

  private static int compare(String where, JsonNode expected, JsonNode found) {
    int compared = 0;
    for (String key : List.of("rmse_weighted", "mae_weighted", "bias_weighted", "acc")) {
      near(where + " " + key, expected.path(key), found.path(key));
      compared++;
    }
    for (String map : List.of("baselines", "skill")) {
      assertEquals(4, expected.path(map).size(), where);
      for (String name :
          List.of("climatology", "persistence", "damped_anomaly", "autoregression")) {
        near(
            where + " " + map + " " + name,
            expected.path(map).path(name),
            found.path(map).path(name));
        compared++;
      }
    }
    return compared;
  }

  /** The network's own numbers are rounded to float32 in training and in predict. */
  private static void near(String what, JsonNode expected, JsonNode found) {
    assertTrue(found.isNumber() && expected.isNumber(), what + " " + expected + " " + found);
    assertEquals(expected.asDouble(), found.asDouble(), 2e-5, what);
  }

  private static void mapsAreDrawn(Path run) throws IOException {
    var image = ImageIO.read(run.resolve("maps.png").toFile());
    assertTrue(image.getWidth() > 1000 && image.getWidth() < 2500, image.getWidth() + " wide");
    assertTrue(image.getHeight() < 2000, image.getHeight() + " high");
  }

  @Test
  void aRegionWithoutCellsAndAMaskOfTimeAreRefusedByName() throws Exception {
    assertRefused("[{name: north, where: {lat: [60, 90]}}]", "north holds no cell");
    assertRefused("[{name: wet, mask: wind}]", "the mask wind of wet depends on [time, lat, lon]");
    assertRefused("[{name: winter, where: {time: [1990, 1990]}}]", "winter has a range of time");
    assertRefused("[{name: all}]", "of region all is missing; give where, mask, or both");
  }

  private void assertRefused(String regions, String part) throws IOException {
    Path config = config(regions);
    PrintStream before = System.err;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertTrue(Main.execute("train", config.toString()) != ExitCode.OK);
    } finally {
      System.setErr(before);
    }
    String message = captured.toString(StandardCharsets.UTF_8);
    assertTrue(message.contains(part), message);
  }
}
