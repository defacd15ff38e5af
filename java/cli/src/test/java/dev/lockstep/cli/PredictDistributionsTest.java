package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** Maps of distributions and of classes, from a configuration to the predicted file. */
@Timeout(300)
@ResourceLock(Resources.SYSTEM_ERR)
class PredictDistributionsTest {
  private static final int MONTHS = 48;
  private static final int CELLS = 24;

  @TempDir Path folder;
  private Path data;

  /** Concentrations of ice of a season, which a third of the cells never has. */
  private static double ice(int month, int cell) {
    double season = Math.cos(2 * Math.PI * month / 12) + Math.sin(month * 2.1 + cell) / 4;
    return cell % 3 == 0 ? 0 : Math.max(0, Math.min(1, (season + cell / 24.0) / 2 + 0.3));
  }

  @BeforeEach
  void write() {
    data = folder.resolve("ice.nc");
    Dimension time = new Dimension("time", MONTHS);
    Dimension lat = new Dimension("lat", 4);
    Dimension lon = new Dimension("lon", 6);
    List<Variable> variables =
        List.of(
            new Variable(
                "time",
                "double",
                List.of(time),
                Map.of("units", "days since 1990-01-01", "calendar", "noleap")),
            new Variable(
                "ice",
                "float",
                List.of(time, lat, lon),
                Map.of("units", "percent", "long_name", "ice")));
    try (NetcdfWriter writer = NetcdfWriter.create(data, variables, Map.of())) {
      for (int month = 0; month < MONTHS; month++) {
        int m = month;
        double[] map = new double[CELLS];
        Arrays.setAll(map, cell -> ice(m, cell));
        writer.write("ice", (long) month * CELLS, map, 0, CELLS);
        writer.write("time", month, new double[] {(month + 0.5) * 365 / 12.0}, 0, 1);
      }
      writer.finish();
    }
  }

  /** Trains on 1990 to 1992 and predicts from the whole file. */
  private Path predicted(String name, String target, String training) throws IOException {
    Path config = folder.resolve(name + ".yaml");
    Files.writeString(
        config,
        String.join(
            "\n",
            "name: " + name,
            "data:",
            "  path: " + data,
            "  samples: [time]",
            "  features: [{variable: ice, lags: [0, 1]}, {function: day_of_year}]",
            "  targets: [" + target + "]",
            "  split: {by: time, train: [1990, 1992], test: [1993, 1993]}",
            "model: {type: convnet, width: 8, levels: 1, circular: false}",
            "training: {epochs: 6, batch_size: 8, ema: 0.9, " + training + "}",
            "optimizer: {type: adam, learning_rate: 0.02}",
            "output: {folder: " + folder.resolve("run") + "}"));
    assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    Path output = folder.resolve(name + ".nc");
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict",
            folder.resolve("run/" + name + "/model.pt").toString(),
            data.toString(),
            "-o",
            output.toString()));
    return output;
  }

  private static Variable variable(ArrayFile file, String name) {
    return file.variables().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
  }

  /** Of the months that have one before them. */
  private static double[] values(Path file, String name) {
    try (ArrayFile opened = DataFiles.openJoined(List.of(file.toString()), Format.AUTO, "time")) {
      Variable variable = variable(opened, name);
      double[] values = new double[(int) variable.size()];
      opened.read(variable, 0, values.length, values);
      return Arrays.copyOfRange(values, CELLS, values.length);
    }
  }

  @Test
  void aForecastByCrpsHasAVariableOfStandardDeviations() throws IOException {
    Path file = predicted("crps", "{variable: ice, lead: [1], normalize: anomaly}", "loss: crps");
    double[] spread = values(file, "ice_sd");
    assertEquals(values(file, "ice").length, spread.length);
    for (double deviation : spread) {
      assertTrue(deviation > 0 && deviation < 1, () -> "spread " + deviation);
    }
    try (ArrayFile opened = DataFiles.openJoined(List.of(file.toString()), Format.AUTO, "time")) {
      Variable variable = variable(opened, "ice_sd");
      assertEquals("percent", variable.attributes().get("units"));
      assertEquals("ice, standard deviation", variable.attributes().get("long_name"));
    }
  }

  @Test
  void aTableHasAColumnForEachOutput() throws IOException {
    Path file = predicted("table", "{variable: ice, lead: [1]}", "loss: crps");
    String model = folder.resolve("run/table/model.pt").toString();
    Path table = folder.resolve("table.csv");
    assertEquals(
        ExitCode.OK, Main.execute("predict", model, data.toString(), "-o", table.toString()));
    List<String> lines = Files.readAllLines(table);
    assertEquals("time,lead,lat,lon,ice,ice_sd", lines.get(0));
    double[] means = values(file, "ice");
    double[] deviations = values(file, "ice_sd");
    assertEquals(1 + means.length, lines.size());
    for (int i = 0; i < means.length; i++) {
      String[] words = lines.get(i + 1).split(",", -1);
      assertEquals(means[i], Double.parseDouble(words[4]), 1e-6);
      assertEquals(deviations[i], Double.parseDouble(words[5]), 1e-6);
    }
    String error =
        errorOf("predict", model, data.toString(), "-o", table.toString(), "--steps", "2");
    assertTrue(error.contains("one number for each target"), error);
  }

  /** The climatology is in each of them. */
  @Test
  void quantilesAreInTheVariablesOwnUnits() throws IOException {
    Path file =
        predicted(
            "quantiles",
            "{variable: ice, lead: [1], normalize: anomaly}",
            "loss: {type: quantiles, levels: [0.1, 0.9]}");
    double low = Arrays.stream(values(file, "ice_q10")).average().orElseThrow();
    double high = Arrays.stream(values(file, "ice_q90")).average().orElseThrow();
    double mean = 0;
    for (int month = 1; month < MONTHS; month++) {
      for (int cell = 0; cell < CELLS; cell++) {
        mean += ice(month, cell) / (MONTHS - 1) / CELLS;
      }
    }
    assertTrue(low < mean && mean < high, low + " < " + mean + " < " + high);
    assertTrue(high - low < 0.5, () -> "the climatology is in one of them only");
  }

  @Test
  void classesOfCellsAreWrittenWithTheirProbabilities() throws IOException {
    Path file =
        predicted(
            "classes",
            "{variable: ice, lead: [1], classes: [0.15, 0.8]}",
            "loss: {type: cross_entropy, class_weights: [1, 2, 2]}");
    double[] classes = values(file, "ice");
    double[] sums = new double[classes.length];
    double right = 0;
    for (int k = 0; k < 3; k++) {
      double[] p = values(file, "ice_p" + k);
      Arrays.setAll(sums, i -> sums[i] + p[i]);
    }
    double[] ones = new double[sums.length];
    Arrays.fill(ones, 1);
    assertArrayEquals(ones, sums, 1e-5);
    int known = classes.length - CELLS;
    for (int i = 0; i < known; i++) {
      double truth = ice(i / CELLS + 2, i % CELLS);
      right += (truth >= 0.8 ? 2 : truth >= 0.15 ? 1 : 0) == classes[i] ? 1.0 / known : 0;
    }
    double share = right;
    assertTrue(share > 0.75, () -> share + " of the classes are right");
  }

  /**
   * The network has a score for each class that the edges make, also for those above all values.
   */
  @Test
  void classesThatTheTrainingLacksArePredictedAsUnlikely() throws IOException {
    Path file =
        predicted(
            "lacking",
            "{variable: ice, lead: [1], classes: [0.15, 2]}",
            "loss: {type: cross_entropy, class_weights: [1, 2, 2]}");
    for (double p : values(file, "ice_p2")) {
      assertTrue(p < 0.2, () -> "probability " + p);
    }
  }

  @Test
  void classesOfPointsAreWrittenWithTheirProbabilities() throws IOException {
    Path config = folder.resolve("points.yaml");
    Files.writeString(
        config,
        String.join(
            "\n",
            "name: points",
            "data:",
            "  path: " + data,
            "  samples: [time, lat, lon]",
            "  features: [{variable: ice, lags: [0, 1]}, {function: day_of_year}]",
            "  targets: [{variable: ice, lead: [1], classes: [0.5]}]",
            "  split: {by: time, train: [1990, 1992], test: [1993, 1993]}",
            "model: {hidden: [8]}",
            "training: {epochs: 2, batch_size: 64, loss: cross_entropy}",
            "output: {folder: " + folder.resolve("run") + "}"));
    assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    Path model = folder.resolve("run/points/model.pt");
    Path output = folder.resolve("points.nc");
    assertEquals(
        ExitCode.OK,
        Main.execute("predict", model.toString(), data.toString(), "-o", output.toString()));
    double[] none = values(output, "ice_p0");
    double[] some = values(output, "ice_p1");
    double[] classes = values(output, "ice");
    for (int i = 0; i < classes.length; i++) {
      assertEquals(1, none[i] + some[i], 1e-5);
      assertEquals(some[i] > none[i] ? 1 : 0, classes[i]);
    }
  }

  @Test
  void aConfigurationThatCannotBeMeantIsRefused() throws IOException {
    for (String[] wrong :
        new String[][] {
          {
            "{variable: ice, lead: [1], normalize: log1p}",
            "loss: crps",
            "standard deviation cannot be given"
          },
          {
            "{variable: ice, lead: [1], normalize: anomaly}",
            "loss: cross_entropy",
            "normalize: none"
          },
          {
            "{variable: ice, lead: [1], classes: [0.8, 0.15]}",
            "loss: cross_entropy",
            "ascending edges"
          },
          {"{variable: ice, lead: [1], classes: [0.5]}", "loss: mse", "cross_entropy"},
          {"{variable: ice, lead: [1]}", "loss: {type: quantiles, levels: []}", "at least one"},
          {"{variable: ice, lead: [1], weight: 0}", "loss: mse", "a number above 0"},
          {"{variable: ice, lead: [1]}", "loss: {type: quantiles, levels: [0.9, 0.1]}", "ascend"},
          {"{variable: ice, lead: [1]}", "loss: {type: mse, levels: [0.9]}", "does not go with"}
        }) {
      Path config = folder.resolve("wrong.yaml");
      Files.writeString(
          config,
          String.join(
              "\n",
              "name: wrong",
              "data:",
              "  path: " + data,
              "  samples: [time]",
              "  features: [ice]",
              "  targets: [" + wrong[0] + "]",
              "  split: {by: time, train: [1990, 1992]}",
              "model: {type: convnet, width: 4, levels: 1}",
              "training: {epochs: 1, " + wrong[1] + "}",
              "output: {folder: " + folder.resolve("run") + "}"));
      assertTrue(
          errorOf("train", config.toString()).contains(wrong[2]), () -> Arrays.toString(wrong));
    }
  }

  private static String errorOf(String... command) {
    PrintStream before = System.err;
    ByteArrayOutputStream told = new ByteArrayOutputStream();
    System.setErr(new PrintStream(told, true, StandardCharsets.UTF_8));
    try {
      assertTrue(Main.execute(command) != ExitCode.OK);
    } finally {
      System.setErr(before);
    }
    return told.toString(StandardCharsets.UTF_8);
  }
}
