package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MainTest {
  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @BeforeEach
  void catchOutput() {
    System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
    System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
  }

  @AfterEach
  void restoreOutput() {
    System.setOut(realOut);
    System.setErr(realErr);
  }

  private String out() {
    return out.toString(StandardCharsets.UTF_8);
  }

  private String err() {
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void versionIsTheBuilds() {
    assertEquals(ExitCode.OK, Main.execute("--version"));
    assertTrue(out().matches("lockstep \\d+\\.\\d+\\.\\d+\\S*\\R"), out());
  }

  @Test
  void helpNamesTheExitCodes() {
    assertEquals(ExitCode.OK, Main.execute("--help"));
    assertTrue(out().contains("85"), out());
    assertTrue(out().contains("launch"), out());
  }

  @Test
  void unknownCommandIsAUsageErrorWithASuggestion() {
    assertEquals(ExitCode.USAGE, Main.execute("lunch"));
    assertEquals(
        "lockstep: Unmatched argument at index 0: 'lunch'", err().lines().findFirst().get());
    assertTrue(err().contains("launch"), err());
  }

  @Test
  void noCommandIsAUsageError() {
    assertEquals(ExitCode.USAGE, Main.execute());
    assertEquals("lockstep: a command is missing", err().lines().findFirst().get());
  }

  @Test
  void launchWithoutRanksIsAUsageError() {
    assertEquals(ExitCode.USAGE, Main.execute("launch", "-n", "0", "--", "true"));
    assertEquals("lockstep: -n must be 1 to 4096, not 0", err().lines().findFirst().get());
  }

  @Test
  void missingDataFileIsOneLineWithItsOwnCode(@TempDir Path folder) {
    Path file = folder.resolve("none.csv");
    assertEquals(ExitCode.DATA, Main.execute("data", "describe", file.toString()));
    assertEquals("lockstep: " + file + ": cannot be opened: there is no such file\n", err());
  }

  @Test
  void verboseAddsTheStackTrace(@TempDir Path folder) {
    Main.execute("data", "describe", folder.resolve("none.csv").toString(), "--verbose");
    assertTrue(err().contains("\tat dev.lockstep.data."), err());
  }

  @Test
  void createdDataCanBeDescribed(@TempDir Path folder) {
    Path file = folder.resolve("made.csv");
    assertEquals(
        ExitCode.OK,
        Main.execute("data", "create", file.toString(), "--samples=50", "--features=2"));
    assertTrue(Files.exists(file));
    assertEquals(ExitCode.OK, Main.execute("data", "describe", file.toString()));
    assertTrue(out().contains("x1"), out());
    assertTrue(out().contains("y0"), out());
  }

  @Test
  void wrongSizeOfMadeDataIsAUsageError(@TempDir Path folder) {
    String file = folder.resolve("made.csv").toString();
    assertEquals(ExitCode.USAGE, Main.execute("data", "create", file, "--samples=0"));
    assertEquals("lockstep: samples: must be at least 1, not 0", err().lines().findFirst().get());
  }

  @Test
  void completionKnowsTheCommands() {
    assertEquals(ExitCode.OK, Main.execute("completion"));
    assertTrue(out().contains("doctor"), out().substring(0, 200));
  }
}
