package dev.lockstep.cli;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Commands write the same files in languages that have digits, letters or separators of their own:
 * names of checkpoints and tensors, numbers in text, keys in lower case.
 */
@Timeout(400)
class OtherLocalesTest {
  private static final int LIMIT_SECONDS = 180;

  private static final String ENGLISH = "-Duser.language=en -Duser.country=US";

  /** Hold times, host names, or pictures of text. */
  private static final List<String> DIFFERENT_EACH_TIME =
      List.of("metrics.jsonl", "metrics.prom", "summary.json", "result.json", "events.out");

  @TempDir static Path folder;
  private static Map<String, String> expected;

  /** Runs every command that makes or reads files, in the current folder. */
  static final class EveryCommand {
    private static void run(String line) {
      int code = Main.execute(line.split(" "));
      if (code != ExitCode.OK) {
        System.err.println(line + " ended with " + code);
        System.exit(1);
      }
    }

    public static void main(String[] arguments) throws IOException {
      List<String> rows = new ArrayList<>(List.of("I,b,y"));
      for (int i = 0; i < 60; i++) {
        rows.add(i + ".5," + i % 7 + "," + (i + 3 * (i % 7)));
      }
      Files.write(Path.of("table.csv"), rows);
      Files.writeString(
          Path.of("run.yaml"),
          """
          name: run
          data:
            path: table.csv
            features: [{variable: I, function: sine, period: 7}, b]
            targets: [y]
          model: {hidden: [8, 4], activation: silu}
          training: {epochs: 2, batch_size: 20, loss: huber}
          optimizer: {type: adam}
          checkpoints: {every_epochs: 1}
          """);
      Files.writeString(
          Path.of("fit.yaml"),
          """
          name: fit
          data: {path: table.csv, features: [I, b], target: y}
          learner: {type: boosting, objective: regression, rounds: 3}
          """);
      run("train run.yaml");
      run("train run.yaml --set training.epochs=4 --resume");
      run("predict runs/run/model.pt table.csv --output predicted.csv");
      run("predict runs/run/model.pt table.csv --output predicted.nc");
      run("summary runs/run");
      run("data describe table.csv --json");
      run("data describe predicted.nc");
      run("config --defaults localize");
      run("fit fit.yaml");
      run("predict runs/fit/model.json table.csv --output fitted.csv");
      run("localize --config network.yaml --out located");
      run("bench barrier allreduce --sizes 8 --iterations 1 --warm-up 0 --types f32");
    }
  }

  private static final String NETWORK =
      """
      network: {n_sensors: 8, n_anchors: 4, communication_range: 0.9, dimension: 2, seed: 5}
      algorithm: {max_iterations: 30}
      """;

  /** This one's, with absolute paths. */
  private static String classPath() {
    return Stream.of(System.getProperty("java.class.path").split(File.pathSeparator))
        .map(entry -> Path.of(entry).toAbsolutePath().toString())
        .collect(Collectors.joining(File.pathSeparator));
  }

  private static Process java(Path where, Map<String, String> environment, String... arguments)
      throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                classPath()));
    command.addAll(Arrays.asList(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(where.toFile())
            .redirectErrorStream(true)
            .redirectOutput(where.resolve("said.txt").toFile());
    builder.environment().putAll(environment);
    return builder.start();
  }

  private static String said(Path where) throws IOException {
    return Files.readString(where.resolve("said.txt"), StandardCharsets.UTF_8);
  }

  /** Files by name, those that differ each time by name alone. */
  private static Map<String, String> filesIn(String language) throws Exception {
    Path where = Files.createTempDirectory(folder, "locale");
    Files.writeString(where.resolve("network.yaml"), NETWORK);
    Process all = java(where, Map.of("JAVA_TOOL_OPTIONS", language), EveryCommand.class.getName());
    try {
      assertTrue(all.waitFor(LIMIT_SECONDS, SECONDS), () -> "still runs in " + where);
      assertEquals(0, all.exitValue(), () -> language + "\n" + unchecked(where));
    } finally {
      all.destroyForcibly();
    }
    Map<String, String> files = new TreeMap<>();
    try (Stream<Path> paths = Files.walk(where)) {
      for (Path path : paths.filter(Files::isRegularFile).toList()) {
        String name = where.relativize(path).toString();
        boolean differs =
            name.endsWith(".png")
                || name.equals("said.txt")
                || DIFFERENT_EACH_TIME.stream().anyMatch(part -> name.contains(part));
        String content = Files.readString(path, StandardCharsets.ISO_8859_1);
        files.put(name.replaceAll("tfevents\\..*", "tfevents"), differs ? "" : content);
        if (name.endsWith(".json") || name.endsWith("l") || name.endsWith(".prom")) {
          assertFalse(
              Files.readString(path).codePoints().anyMatch(c -> c > 127 && Character.isDigit(c)),
              () -> name + " in " + language + ": " + content);
        }
      }
    }
    assertFalse(
        said(where).codePoints().anyMatch(c -> c > 127 && Character.isDigit(c)), said(where));
    return files;
  }

  private static String unchecked(Path where) {
    try {
      return said(where);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @BeforeAll
  static void runInEnglish() throws Exception {
    expected = filesIn(ENGLISH);
    assertTrue(expected.keySet().stream().anyMatch(name -> name.contains("step-0")));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "-Duser.language=ar -Duser.country=EG -Duser.extensions=u-nu-arab",
        "-Duser.language=fa -Duser.country=IR",
        "-Duser.language=th -Duser.country=TH -Duser.extensions=u-nu-thai",
        "-Duser.language=tr -Duser.country=TR"
      })
  void theFilesAreTheSame(String language) throws Exception {
    Map<String, String> files = filesIn(language);
    assertEquals(expected.keySet(), files.keySet());
    expected.forEach((name, content) -> assertEquals(content, files.get(name), name));
  }

  /** The launcher sets the locale; whoever starts java directly in a bare container is told. */
  @Test
  void aNameBeyondAsciiInTheLocaleCIsRefusedWithTheRemedy() throws Exception {
    Path where = Files.createTempDirectory(folder, "c");
    Files.writeString(
        where.resolve("run.yaml"), "name: run\ndata: {features: [a], targets: [y]}\n");
    for (String[] line :
        List.of(
            new String[] {"train", "run.yaml", "--set", "data.path=\u00fc.csv"},
            new String[] {"train", "\u00fc.yaml"})) {
      String[] arguments =
          Stream.concat(Stream.of(Main.class.getName()), Stream.of(line)).toArray(String[]::new);
      Process refused = java(where, Map.of("LC_ALL", "C"), arguments);
      assertTrue(refused.waitFor(LIMIT_SECONDS, SECONDS));
      assertTrue(said(where).contains("set LC_ALL=C.UTF-8"), said(where));
      assertNotEquals(ExitCode.INTERNAL, refused.exitValue(), said(where));
    }
  }
}
