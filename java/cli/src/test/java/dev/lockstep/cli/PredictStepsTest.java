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
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.PythonReference;
import dev.lockstep.model.Predictor;
import dev.lockstep.testing.RankProcesses;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** {@code lockstep predict} of several steps, several files and in several formats. */
@Timeout(300)
@ResourceLock(Resources.SYSTEM_OUT)
@ResourceLock(Resources.SYSTEM_ERR)
class PredictStepsTest {
  @TempDir static Path folder;
  private static Path data;
  private static Path model;

  @BeforeAll
  static void train() throws IOException {
    data = MonthlyTemperatures.write(folder.resolve("data.nc"), "degC", LATITUDES, DAYS);
    model =
        train(
            "one",
            "[{variable: sst, lags: [0, 1]}, {variable: sst, mean: 3}, basin,"
                + " {function: day_of_year}]",
            "[1]");
  }

  private static Path train(String name, String features, String lead) throws IOException {
    Path config = folder.resolve(name + ".yaml");
    Files.writeString(
        config,
        String.join(
            "\n",
            "name: " + name,
            "data:",
            "  path: " + data,
            "  samples: [time]",
            "  features: " + features,
            "  targets: [{variable: sst, lead: " + lead + "}]",
            "  missing: mask",
            "  normalize: anomaly",
            "  split: {by: time, train: [1990, 1991]}",
            "model: {type: resnet, width: 4, levels: 1}",
            "training: {epochs: 2, batch_size: 8}",
            "optimizer: {type: adam, learning_rate: 0.05}",
            "output: {folder: " + folder.resolve("run") + ", plots: false}"));
    assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    return folder.resolve("run/" + name + "/model.pt");
  }

  private static Path predict(Path from, String output, String... more) {
    Path to = folder.resolve(output);
    String[] arguments = {"predict", model.toString(), from.toString(), "-o", to.toString()};
    assertEquals(
        ExitCode.OK,
        Main.execute(
            Stream.concat(Arrays.stream(arguments), Arrays.stream(more)).toArray(String[]::new)));
    return to;
  }

  private static double[] map(double[] forecasts, int month, int leads, int lead) {
    int from = (month * leads + lead) * CELLS;
    return Arrays.copyOfRange(forecasts, from, from + CELLS);
  }

  /** A file in which the forecast has come true gives the next step as its first. */
  @Test
  void eachStepIsPredictedFromTheOnesBeforeIt() {
    int start = 20;
    double[] rolled = values(predict(data, "rolled.nc", "--steps", "3"), "sst");
    assertEquals(MONTHS * 3 * CELLS, rolled.length);
    for (int step = 1; step < 3; step++) {
      int ahead = step;
      Path cameTrue =
          MonthlyTemperatures.write(
              folder.resolve("true.nc"),
              "degC",
              LATITUDES,
              DAYS,
              MONTHS,
              (month, cell) ->
                  month > start && month <= start + ahead
                      ? map(rolled, start, 3, month - start - 1)[cell]
                      : temperature(month, cell));
      double[] next = values(predict(cameTrue, "next.nc"), "sst");
      double[] expected = map(next, start + step, 1, 0);
      double[] found = map(rolled, start, 3, step);
      assertArrayEquals(expected, found, 1e-9);
      assertTrue(Double.isNaN(found[LAND]) && !Double.isNaN(found[LAND + 1]));
      // The truth would have given something else.
      double[] ofTruth = map(values(predict(data, "truth.nc"), "sst"), start + step, 1, 0);
      assertTrue(Math.abs(ofTruth[0] - found[0]) > 1e-6, ofTruth[0] + " " + found[0]);
    }
  }

  @Test
  void aForecastGoesOnBehindTheEndOfTheFile() {
    int months = 21;
    Path ends =
        MonthlyTemperatures.write(
            folder.resolve("ends.nc"),
            "degC",
            LATITUDES,
            DAYS,
            months,
            MonthlyTemperatures::temperature);
    double[] behind = map(values(predict(ends, "behind.nc", "--steps", "4"), "sst"), 20, 4, 3);
    double[] inside = map(values(predict(data, "inside.nc", "--steps", "4"), "sst"), 20, 4, 3);
    // The dates behind the end are whole months on: a day at most from the file's own.
    assertArrayEquals(inside, behind, 0.1);
  }

  @Test
  void severalStepsAreRefusedWhereAModelCannotGoOnByName() throws IOException {
    Path far = train("far", "[{variable: sst}]", "[1, 2]");
    assertRefused(far, "the model predicts sst(t+2); train with lead: [1]");
    Path windy = train("windy", "[{variable: sst}, {variable: wind, normalize: none}]", "[1]");
    assertRefused(windy, "and wind is not: the model predicts [sst]");
  }

  private static void assertRefused(Path with, String part) throws IOException {
    Path output = folder.resolve("none.nc");
    PrintStream before = System.err;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertEquals(
          ExitCode.USAGE,
          Main.execute(
              "predict",
              with.toString(),
              data.toString(),
              "-o",
              output.toString(),
              "--steps",
              "2"));
    } finally {
      System.setErr(before);
    }
    String message = captured.toString(StandardCharsets.UTF_8);
    assertTrue(message.contains(part), message);
    assertFalse(Files.exists(output) || Files.exists(folder.resolve("none.nc.part")));
  }

  @Test
  void allFormatsHoldTheSameNumbers() throws IOException {
    double[] expected = values(predict(data, "same.nc", "--steps", "2"), "sst");
    Path zarr = predict(data, "same.zarr", "--steps", "2");
    assertArrayEquals(expected, values(zarr, "sst"));
    // A second time, in the place of the first.
    assertArrayEquals(expected, values(predict(data, "same.zarr", "--steps", "2"), "sst"));
    List<String> lines = Files.readAllLines(predict(data, "same.csv", "--steps", "2"));
    assertEquals("time,lead,lat,lon,sst", lines.get(0));
    // The first two months lack what the mean of three needs.
    assertEquals(1 + (MONTHS - 2) * 2 * CELLS, lines.size());
    for (int i = 1; i < lines.size(); i++) {
      String[] words = lines.get(i).split(",", -1);
      double value = expected[2 * 2 * CELLS + i - 1];
      assertEquals(Double.isNaN(value) ? "" : Double.toString(value), words[4], lines.get(i));
    }
    assertTrue(lines.get(1).startsWith("1990-03-18T01:00:00,1,-45.0,0.0,"), lines.get(1));
    assertTrue(lines.get(CELLS + 1 + 7).contains(",2,-15.0,60.0,"), lines.get(CELLS + 8));
  }

  @Test
  void xarrayAndNumpyReadThemWithTheirNames() throws Exception {
    Optional<PythonReference> python = PythonReference.with("xarray, zarr, cftime");
    assumeTrue(python.isPresent(), "no Python with xarray and zarr: see hpc/test.sh");
    Path zarr = predict(data, "named.zarr", "--steps", "2");
    Path npz = predict(data, "named.npz", "--steps", "2");
    String[] lines =
        python
            .get()
            .run(folder, "print_forecasts.py", 120, zarr.toString(), npz.toString())
            .split("\n");
    assertEquals("lat;lat;degrees_north;;-45.0 -15.0 15.0 45.0", lines[0]);
    assertEquals("lead;lead;1;steps ahead of time;1.0 2.0", lines[1]);
    String[] sst = lines[3].split(";");
    assertEquals(
        List.of("sst", "time,lead,lat,lon", "degC", "sea surface temperature"),
        List.of(sst).subList(0, 4));
    assertArrayEquals(values(zarr, "sst"), numbers(sst[4]));
    assertTrue(lines[4].startsWith("time;time;days since 1990-01-01;;1990-01-16 1990-02-15"));
    assertEquals("['Conventions', 'history', 'model_sha256', 'source']", lines[5]);
    assertEquals("lat;<f8;(4,);-45.0 -15.0 15.0 45.0", lines[6]);
    String[] array = lines[9].split(";");
    assertEquals(List.of("sst", "<f8", "(36, 2, 4, 6)"), List.of(array).subList(0, 3));
    assertArrayEquals(values(zarr, "sst"), numbers(array[3]));
    try (Stream<Path> left = Files.list(folder)) {
      assertEquals(List.of(), left.filter(file -> file.toString().endsWith(".part")).toList());
    }
  }

  private static double[] numbers(String words) {
    return Arrays.stream(words.split(" "))
        .mapToDouble(v -> v.equals("nan") ? Double.NaN : Double.parseDouble(v))
        .toArray();
  }

  /** One rank of a group. */
  static final class Rank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  @Test
  void ranksShareTheStepsAndGiveTheSameNumbers() throws Exception {
    Path output = folder.resolve("shared.nc");
    String[] arguments = {
      "predict", model.toString(), data.toString(), "-o", output.toString(), "--steps", "3"
    };
    Path logs = Files.createDirectory(folder.resolve("ranks"));
    try (RankProcesses ranks = RankProcesses.start(logs, 2, Rank.class, arguments)) {
      ranks.awaitSuccess(Duration.ofSeconds(240));
    }
    assertArrayEquals(
        values(predict(data, "alone.nc", "--steps", "3"), "sst"), values(output, "sst"));
  }

  @Test
  void aSecondCallGoesOnWhereTheFirstWasInterrupted() throws IOException {
    Path years = Files.createDirectory(folder.resolve("years"));
    Path a = MonthlyTemperatures.write(years.resolve("a.nc"), "degC", LATITUDES, DAYS);
    Path b = MonthlyTemperatures.write(years.resolve("b.nc"), "K", LATITUDES, DAYS);
    String pattern = folder.resolve("out/{name}.nc").toString();
    String[] call = {"predict", model.toString(), a.toString(), b.toString(), "-o", pattern};
    assertEquals(ExitCode.DATA, Main.execute(call));
    Path first = folder.resolve("out/a.nc");
    Path second = folder.resolve("out/b.nc");
    assertTrue(Files.exists(first) && !Files.exists(second));
    // As old as its data is not newer.
    FileTime written = FileTime.fromMillis(System.currentTimeMillis() + 60_000);
    Files.setLastModifiedTime(first, written);
    MonthlyTemperatures.write(b, "degC", LATITUDES, DAYS);
    assertEquals(ExitCode.OK, Main.execute(call));
    assertEquals(written, Files.getLastModifiedTime(first));
    assertArrayEquals(values(first, "sst"), values(second, "sst"));
    // Data that has changed since is predicted again.
    Files.setLastModifiedTime(a, FileTime.fromMillis(written.toMillis() + 60_000));
    assertEquals(ExitCode.OK, Main.execute(call));
    assertFalse(written.equals(Files.getLastModifiedTime(first)));
    assertEquals(
        ExitCode.USAGE,
        Main.execute("predict", model.toString(), a.toString(), b.toString(), "-o", "one.nc"));
  }

  @Test
  void fromJavaItIsThreeLines() {
    Path output = folder.resolve("java.nc");
    try (Predictor predictor = Predictor.load(model)) {
      assertEquals(MONTHS - 2, predictor.predict(data, output));
      assertThrows(IllegalArgumentException.class, () -> predictor.predict(output, output));
    }
    assertArrayEquals(values(predict(data, "command.nc"), "sst"), values(output, "sst"));
  }
}
