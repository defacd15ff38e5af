package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.config.ConfigLoader;
import dev.lockstep.config.FitConfig;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Files of another kind, and settings that cannot work: one line, the right exit code, no trace.
 */
@Timeout(120)
class WrongArgumentsTest {
  private final PrintStream realErr = System.err;
  private final PrintStream realOut = System.out;
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  @TempDir Path folder;

  @BeforeEach
  void writeFilesAndCatchOutput() throws IOException {
    List<String> rows = new ArrayList<>(List.of("a,y"));
    for (int i = 0; i < 20; i++) {
      rows.add(i + "," + 2 * i);
    }
    Files.write(folder.resolve("table.csv"), rows);
    write("train.yaml", "name: t\ndata: {path: FOLDER/table.csv, features: [a], targets: [y]}\n");
    write("no-targets.yaml", "name: t\ndata: {path: FOLDER/table.csv, features: [a]}\n");
    write(
        "fit.yaml",
        "name: f\ndata: {path: FOLDER/table.csv, features: [a]}\nlearner: {type: kmeans}\n");
    write(
        "localize.yaml",
        "network: {n_sensors: 8, n_anchors: 4}\nalgorithm: {max_iterations: 3}\nseed: 1\n");
    Files.write(folder.resolve("binary"), new byte[] {(byte) 0x80, 1, 2, (byte) 0xff});
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restoreOutput() {
    System.setErr(realErr);
    System.setOut(realOut);
  }

  private void write(String name, String text) throws IOException {
    Files.writeString(folder.resolve(name), text.replace("FOLDER", folder.toString()));
  }

  /** Runs a command line, in which FOLDER stands for the test's own. */
  private int execute(String line) {
    return Main.execute(line.replace("FOLDER", folder.toString()).split(" "));
  }

  static Stream<Arguments> lines() {
    int wrong = ExitCode.CONFIGURATION;
    String train = "train FOLDER/train.yaml --set output.folder=FOLDER/runs ";
    return Stream.of(
        Arguments.of("train FOLDER/no-targets.yaml", wrong, "data.targets: list at least one"),
        Arguments.of(
            train + "--set data.targets=[]", wrong, "data.targets: list at least one variable"),
        Arguments.of(
            "train FOLDER/fit.yaml",
            wrong,
            "fit.yaml:1: this is a configuration of `lockstep fit`, not of `lockstep train`"),
        Arguments.of("train FOLDER/localize.yaml", wrong, "unknown key \"network\""),
        Arguments.of("train FOLDER/table.csv", wrong, "the file must hold keys"),
        Arguments.of("train FOLDER/binary", wrong, "not UTF-8"),
        Arguments.of("train FOLDER", wrong, "is a folder; name the YAML file in it"),
        Arguments.of(
            "localize --config FOLDER/train.yaml --out FOLDER/located",
            wrong,
            "this is another kind of file"),
        Arguments.of(
            train + "--set communicator.tuning=FOLDER/binary",
            ExitCode.DATA,
            "binary cannot be read: it is not text, so another kind of file. `lockstep bench tune"),
        Arguments.of(
            train + "--set communicator.tuning=FOLDER", ExitCode.DATA, "it is a folder. `lockstep"),
        Arguments.of(
            train + "--set communicator.tuning=FOLDER/none",
            ExitCode.DATA,
            "there is no such file. `lockstep bench tune --output none`"),
        Arguments.of(
            train + "--set communicator.tuning=FOLDER/table.csv",
            wrong,
            "table.csv, line 1: the first line must be `lockstep-tuning 1`"),
        Arguments.of(
            "bench tune --output FOLDER/cluster.tuning",
            ExitCode.USAGE,
            "start it under mpirun, srun or launch -n N"),
        Arguments.of(
            "data describe FOLDER", ExitCode.DATA, "cannot be opened: it is a folder; name a file"),
        Arguments.of(
            train + "--set strategy.every=2",
            wrong,
            "unknown key \"strategy.every\"; the section's keys are type"),
        Arguments.of(
            train + "--set data.path=https://example.org/x.csv",
            ExitCode.DATA,
            "it is a web address; fetch the file"),
        Arguments.of(
            "data create FOLDER/cluster.tuning.csv --samples 1000000000000000",
            ExitCode.DATA,
            "bytes at least, but its disk has only"),
        Arguments.of(
            train + "--set data.path=FOLDER", ExitCode.DATA, "it is a folder; name a file in it"));
  }

  @ParameterizedTest
  @MethodSource("lines")
  void areOneLineWithTheRightCode(String line, int code, String words) {
    assertEquals(code, execute(line), err());
    String first = err().lines().filter(text -> text.startsWith("lockstep: ")).findFirst().get();
    assertTrue(first.contains(words), err());
    assertFalse(err().contains("\tat "), err());
    assertFalse(Files.exists(folder.resolve("runs")), "a run folder was made");
    assertFalse(Files.exists(folder.resolve("cluster.tuning")), "a tuning file was written");
  }

  @Test
  void aBatchLargerThanTheDataIsAllOfIt() {
    String output = "output={folder: " + folder.resolve("runs") + ", plots: false}";
    String[] words = {
      "train",
      folder.resolve("train.yaml").toString(),
      "--set",
      output,
      "--set",
      "training={epochs: 2, batch_size: 2147483647}"
    };
    assertEquals(ExitCode.OK, Main.execute(words), err());
    assertTrue(Files.exists(folder.resolve("runs/t/model.pt")));
  }

  @Test
  void theDefaultsOfEveryCommandAreAConfiguration() {
    assertEquals(ExitCode.OK, execute("config --defaults fit"), err());
    String text = out.toString(StandardCharsets.UTF_8);
    FitConfig config = ConfigLoader.parse(FitConfig.class, "defaults", text, List.of());
    assertEquals(text, ConfigLoader.toYaml(config));
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }
}
