package dev.lockstep.cli;

import static dev.lockstep.cli.MonthlyTemperatures.CELLS;
import static dev.lockstep.cli.MonthlyTemperatures.DAYS;
import static dev.lockstep.cli.MonthlyTemperatures.LAND;
import static dev.lockstep.cli.MonthlyTemperatures.LATITUDES;
import static dev.lockstep.cli.MonthlyTemperatures.MONTHS;
import static dev.lockstep.cli.MonthlyTemperatures.temperature;
import static dev.lockstep.cli.MonthlyTemperatures.values;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.lockstep.data.PythonReference;
import dev.lockstep.testing.RankProcesses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Optional;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** {@code lockstep predict} with a model that {@code lockstep train} made of fields. */
@Timeout(300)
@ResourceLock(Resources.SYSTEM_ERR)
class PredictFieldsTest {
  @TempDir static Path folder;
  private static Path data;
  private static Path trained;
  private static double testError;

  @BeforeAll
  static void train() throws IOException {
    data = write("data.nc", "degC", LATITUDES, DAYS);
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
            "  normalize: anomaly",
            "  split: {by: time, train: [1990, 1991], test: [1992, 1992]}",
            "model: {type: resnet, width: 4, levels: 1}",
            "training: {epochs: 2, batch_size: 8}",
            "optimizer: {type: adam, learning_rate: 0.05}",
            "output: {folder: " + folder.resolve("run") + "}"));
    assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    JsonNode summary = new ObjectMapper().readTree(folder.resolve("run/p/summary.json").toFile());
    testError = summary.findValue("rmse_weighted").asDouble();
    // Alone: whatever is needed must be in the file.
    trained = Files.copy(folder.resolve("run/p/model.pt"), folder.resolve("alone.pt"));
  }

  private static Path write(String name, String units, double[] latitudes, double days) {
    return MonthlyTemperatures.write(folder.resolve(name), units, latitudes, days);
  }

  private static Path predict() {
    Path output = folder.resolve("out.nc");
    assertEquals(
        ExitCode.OK,
        Main.execute("predict", trained.toString(), data.toString(), "-o", output.toString()));
    return output;
  }

  /** The errors of the file's months of 1992 are those that the run's summary tells. */
  @Test
  void predictionsAreThoseThatTheTestSetWasScoredWith() {
    double[] predicted = values(predict(), "sst");
    assertEquals(MONTHS * 2 * CELLS, predicted.length);
    double sum = 0;
    int count = 0;
    for (int month = 0; month < MONTHS; month++) {
      for (int lead = 0; lead < 2; lead++) {
        for (int cell = 0; cell < CELLS; cell++) {
          double value = predicted[(month * 2 + lead) * CELLS + cell];
          // The first month lacks its lag, and land is never predicted.
          assertEquals(month == 0 || cell == LAND, Double.isNaN(value));
          // Both targets of a test sample lie in 1992.
          if (month >= 23 && month <= 33 && cell != LAND) {
            double error = value - temperature(month + 1 + lead, cell);
            sum += error * error;
            count++;
          }
        }
      }
    }
    assertEquals(11 * 2 * (CELLS - 1), count);
    assertEquals(testError, Math.sqrt(sum / count), 1e-6 * testError);
  }

  @Test
  void xarrayFindsTheGridTheNamesAndTheUnits() throws Exception {
    Optional<PythonReference> python = PythonReference.with("xarray, netCDF4, cftime");
    assumeTrue(python.isPresent(), "no Python with xarray and netCDF4: see hpc/test.sh");
    Path output = predict();
    String[] lines =
        python.get().run(folder, "print_netcdf.py", 120, output.toString()).split("\n");
    assertEquals("lat;lat;degrees_north;;-45.0 -15.0 15.0 45.0", lines[0]);
    assertEquals("lead;lead;1;steps ahead of time;1.0 2.0", lines[1]);
    assertEquals("lon;lon;degrees_east;;0.0 60.0 120.0 180.0 240.0 300.0", lines[2]);
    String[] sst = lines[3].split(";");
    assertEquals("sst", sst[0]);
    assertEquals("time,lead,lat,lon", sst[1]);
    assertEquals("degC", sst[2]);
    assertEquals("sea surface temperature", sst[3]);
    double[] found =
        Arrays.stream(sst[4].split(" "))
            .mapToDouble(v -> v.equals("nan") ? Double.NaN : Double.parseDouble(v))
            .toArray();
    assertArrayEquals(values(output, "sst"), found);
    assertTrue(lines[4].startsWith("time;time;days since 1990-01-01;;1990-01-16 1990-02-15"));
    String attributes = String.join("\n", Arrays.copyOfRange(lines, 5, lines.length));
    assertTrue(attributes.contains("Conventions = CF-1.11"), attributes);
    assertTrue(attributes.contains("lockstep predict " + trained), attributes);
    assertTrue(attributes.matches("(?s).*model_sha256 = [0-9a-f]{64}\n.*"), attributes);
  }

  /** One rank of a group. */
  static final class PredictRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  @Test
  void ranksShareTheSamplesAndGiveTheSameNumbers() throws Exception {
    Path output = folder.resolve("shared.nc");
    String[] arguments = {"predict", trained.toString(), data.toString(), "-o", output.toString()};
    Path logs = Files.createDirectory(folder.resolve("ranks"));
    try (RankProcesses ranks = RankProcesses.start(logs, 2, PredictRank.class, arguments)) {
      ranks.awaitSuccess(Duration.ofSeconds(240));
      assertTrue(ranks.output(0).contains("wrote 35 predictions to " + output));
      assertEquals("", ranks.output(1));
    }
    assertArrayEquals(values(predict(), "sst"), values(output, "sst"));
  }

  @Test
  void otherUnitsAnotherGridAndAnotherStepAreRefused() {
    assertRefused(ExitCode.DATA, write("kelvin.nc", "K", LATITUDES, DAYS), "'K'");
    double[] flipped = {45, 15, -15, -45};
    assertRefused(ExitCode.USAGE, write("flipped.nc", "degC", flipped, DAYS), "lat lies at");
    assertRefused(ExitCode.USAGE, write("daily.nc", "degC", LATITUDES, 1), "days apart");
  }

  private static void assertRefused(int exitCode, Path from, String part) {
    Path output = folder.resolve("none.nc");
    PrintStream before = System.err;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertEquals(
          exitCode,
          Main.execute("predict", trained.toString(), from.toString(), "-o", output.toString()));
    } finally {
      System.setErr(before);
    }
    String message = captured.toString(StandardCharsets.UTF_8);
    assertTrue(message.contains(part), message);
    assertFalse(Files.exists(output));
    assertFalse(Files.exists(folder.resolve("none.nc.part")));
  }
}
