package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataFiles;
import dev.lockstep.data.FileDescription;
import dev.lockstep.model.ModelException;
import dev.lockstep.model.Predictor;
import dev.lockstep.testing.RankProcesses;
import dev.lockstep.torch.TorchLibraries;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.JitModule;
import org.bytedeco.pytorch.QualifiedName;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.ScalarType;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.ResourceLock;
import org.junit.jupiter.api.parallel.Resources;

/** {@code lockstep predict}, on a model that {@code lockstep train} wrote and on others. */
@Timeout(180)
@ResourceLock(Resources.SYSTEM_ERR)
class PredictCommandTest {
  @TempDir static Path folder;
  private static Path trained;
  private static Path data;

  @BeforeAll
  static void train() throws IOException {
    data = folder.resolve("data.csv");
    List<String> lines = new ArrayList<>(List.of("a,b,y"));
    for (int i = 0; i < 60; i++) {
      double a = 700_000_000 + i;
      double b = i % 7;
      lines.add(String.format(Locale.ROOT, "%.1f,%.1f,%.1f", a, b, i + 10 * b));
    }
    Files.write(data, lines);
    Path config = folder.resolve("config.yaml");
    Files.writeString(
        config,
        String.join(
            "\n",
            "name: p",
            "data:",
            "  path: " + data,
            "  features: [a, {variable: b, function: sine, period: 7}, b]",
            "  targets: [y]",
            "model: {hidden: [8]}",
            "training: {epochs: 2, batch_size: 20}",
            "output: {folder: " + folder.resolve("run") + "}"));
    assertEquals(ExitCode.OK, Main.execute("train", config.toString()));
    // Alone: whatever is needed must be in the file.
    trained = Files.copy(folder.resolve("run/p/model.pt"), folder.resolve("alone.pt"));
  }

  private static Path predict(Path model, Path from, String... options) {
    Path output = folder.resolve("out.csv");
    List<String> arguments =
        new ArrayList<>(
            List.of("predict", model.toString(), from.toString(), "-o", output.toString()));
    arguments.addAll(List.of(options));
    assertEquals(ExitCode.OK, Main.execute(arguments.toArray(String[]::new)));
    return output;
  }

  private static String refusal(int exitCode, Path model, Path from, String... options) {
    Path output = folder.resolve("none.csv");
    List<String> arguments =
        new ArrayList<>(
            List.of("predict", model.toString(), from.toString(), "-o", output.toString()));
    arguments.addAll(List.of(options));
    PrintStream before = System.err;
    ByteArrayOutputStream captured = new ByteArrayOutputStream();
    System.setErr(new PrintStream(captured, true, StandardCharsets.UTF_8));
    try {
      assertEquals(exitCode, Main.execute(arguments.toArray(String[]::new)));
    } finally {
      System.setErr(before);
    }
    assertFalse(Files.exists(output));
    return captured.toString(StandardCharsets.UTF_8);
  }

  private static void assertContains(String part, String message) {
    assertTrue(message.contains(part), message);
  }

  private static Path csv(String name, String... lines) throws IOException {
    return Files.write(folder.resolve(name), List.of(lines));
  }

  private static Path foreign(String name, ScalarType type, String expression) {
    TorchLibraries.load();
    Path file = folder.resolve(name);
    try (PointerScope scope = new PointerScope()) {
      JitModule module = new JitModule(new QualifiedName("__torch__.Foreign"));
      module.register_parameter("w", torch.ones(1, 2).to(type).set_requires_grad(true), false);
      module.define("def forward(self, x):\n    return " + expression + "\n");
      module.save(file.toString());
    }
    return file;
  }

  @Test
  void findsTheFeaturesThatTheModelNamesInWhateverOrderTheFileHasThem() throws IOException {
    Path swapped = csv("swapped.csv", "b,extra,a", "3,9,700000010", "5,9,700000020");
    Path straight = csv("straight.csv", "a,b", "700000010,3", "700000020,5");
    List<String> expected = Files.readAllLines(predict(trained, straight));
    assertEquals("point,y", expected.get(0));
    assertEquals(3, expected.size());
    assertEquals(expected, Files.readAllLines(predict(trained, swapped)));
    assertEquals(
        expected, Files.readAllLines(predict(trained, swapped, "--features", "b,sin(b),a")));
    double[] row = {700000010, Math.sin(2 * Math.PI * 3 / 7), 3};
    try (Predictor predictor = Predictor.load(trained)) {
      assertEquals(List.of("a", "sin(b)", "b"), predictor.features());
      String first = expected.get(1).substring(expected.get(1).indexOf(',') + 1);
      assertEquals(Double.parseDouble(first), predictor.predict(row)[0], 1e-9);
      assertThrows(ModelException.class, () -> predictor.predict(1, 2));
    }
  }

  /** One rank of a group. */
  static final class PredictRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  @Test
  void underLaunchRanksShareThePointsAndGiveTheSameNumbers() throws Exception {
    // Three batches of 4096.
    String[] lines = new String[10_000];
    Arrays.setAll(lines, i -> i == 0 ? "a,b" : (700_000_000 + i % 60) + "," + i % 7);
    Path data = csv("launched.csv", lines);
    Path output = folder.resolve("launched-out.csv");
    String[] arguments = {"predict", trained.toString(), data.toString(), "-o", output.toString()};
    Path logs = Files.createDirectory(folder.resolve("ranks"));
    try (RankProcesses ranks = RankProcesses.start(logs, 2, PredictRank.class, arguments)) {
      ranks.awaitSuccess(Duration.ofSeconds(120));
      assertContains("wrote 9,999 predictions to " + output, ranks.output(0));
      assertEquals("", ranks.output(1));
    }
    assertEquals(Files.readAllLines(predict(trained, data)), Files.readAllLines(output));
  }

  /** A prediction that is no number is missing, and the file says so. */
  @Test
  void predictionsThatAreNoNumbersAreMissingInNetcdf() throws IOException {
    Path model = foreign("root.pt", ScalarType.Double, "torch.sqrt(torch.linear(x, self.w))");
    Path data = csv("signs.csv", "a,b", "3,1", "-3,1");
    Path output = folder.resolve("nan.nc");
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict",
            model.toString(),
            data.toString(),
            "--features=a,b",
            "-o",
            output.toString()));
    FileDescription.Summary predicted = DataFiles.describe(output).variables().get(1);
    assertEquals(1, predicted.missing());
    assertEquals(2, predicted.max());
    assertArrayEquals(
        new double[] {9.969209968386869e36},
        (double[]) predicted.variable().attributes().get("_FillValue"));
  }

  @Test
  void refusesAModelOfFieldsThatDoesNotCarryItsRecipe() throws IOException {
    Path run = Files.createDirectories(folder.resolve("winds"));
    Path model = Files.copy(trained, run.resolve("model.pt"));
    Files.copy(
        Path.of(System.getProperty("lockstep.repository"), "examples", "winds.yaml"),
        run.resolve("config.yaml"));
    String message = refusal(ExitCode.USAGE, model, data);
    assertContains("model.pt was trained on fields", message);
    assertContains("train it again", message);
  }

  @Test
  void refusesAnotherNumberOfFeaturesAndSaysWhichTheModelTakes() {
    String message = refusal(ExitCode.DATA, trained, data, "--features", "a,b");
    assertContains("[a, sin(b), b]", message);
    assertContains("data gives 2: [a, b]", message);
  }

  @Test
  void givesAForeignModelTheDigitsThatTheFileHas() throws IOException {
    Path from = csv("digits.csv", "a,b", "700000001,0.25");
    for (ScalarType type : List.of(ScalarType.Float, ScalarType.Double)) {
      Path model = foreign("digits" + type + ".pt", type, "torch.sum(x * self.w, 1)");
      List<String> lines = Files.readAllLines(predict(model, from, "--features", "a,b"));
      assertEquals(700000001.25, Double.parseDouble(lines.get(1).split(",")[1]), type.toString());
    }
  }

  @Test
  void givesAForeignModelItsOwnTypeWhereItTakesNoOther() throws IOException {
    Path from = csv("own.csv", "c,d", "1,1", "1.5,2.5");
    for (ScalarType type : List.of(ScalarType.Float, ScalarType.Double, ScalarType.BFloat16)) {
      Path model = foreign("own" + type + ".pt", type, "torch.linear(x, self.w)");
      List<String> lines = Files.readAllLines(predict(model, from, "--features", "c,d"));
      assertEquals(3, lines.size());
      assertEquals(4.0, Double.parseDouble(lines.get(2).split(",")[1]), type.toString());
    }
  }

  @Test
  void refusesOutputsThatAreNotOneRowASample() {
    Path mean = foreign("mean.pt", ScalarType.Float, "torch.mean(torch.linear(x, self.w))");
    assertContains(
        "shape [] for 60 samples", refusal(ExitCode.DATA, mean, data, "--features", "a,b"));
    Path row = foreign("row.pt", ScalarType.Float, "torch.linear(x, self.w).t()");
    assertContains(
        "shape [1, 60] for 60 samples", refusal(ExitCode.DATA, row, data, "--features", "a,b"));
    Path tuple = foreign("tuple.pt", ScalarType.Float, "(x, x)");
    assertContains("instead of a tensor", refusal(ExitCode.DATA, tuple, data, "--features", "a,b"));
  }

  @Test
  void takesAFormatForANameThatSaysNothing() throws IOException {
    Path odd = csv("odd.dat", "a,b", "700000010,3");
    assertContains("set format", refusal(ExitCode.DATA, trained, odd));
    assertEquals(2, Files.readAllLines(predict(trained, odd, "--format", "csv")).size());
  }
}
