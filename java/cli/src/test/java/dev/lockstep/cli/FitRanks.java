package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.comm.MpiLibrary;
import dev.lockstep.testing.MpiProcesses;
import dev.lockstep.testing.RankProcesses;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What every learner keeps: ranks that are processes write the model.json that one process writes,
 * whatever joins them, wherever the rows lie, and after any interruption.
 */
@Tag("same-on-every-jdk")
@Timeout(240)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class FitRanks {
  static final Duration LIMIT = Duration.ofSeconds(150);

  @TempDir Path folder;
  private byte[] expected = {};

  /** One rank of a group that its environment describes. */
  static final class FitRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  /** The columns' names, as a line of a CSV file. */
  abstract String header();

  /** Lines of a CSV file, some of them equal. */
  abstract List<String> rows();

  /** The sections {@code data} (without the path) and {@code learner} on a line each. */
  abstract String[] sections();

  /** A setting that makes the fit so long that it can be interrupted after a checkpoint. */
  abstract String longFit();

  /** A folder that lives as long as the class; {@code folder} is each test's own. */
  private Path home;

  String[] fit(Path output, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "fit", home.resolve("fit.yaml").toString(), "--set", "output.folder=" + output));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  private void write(Path file, List<String> rows) throws Exception {
    Files.writeString(file, header() + "\n" + String.join("\n", rows) + "\n");
  }

  Path home() {
    return home;
  }

  /** The run folder of the fit that one process did. */
  Path alone() {
    return home.resolve("fitted");
  }

  @BeforeAll
  void fitAlone(@TempDir Path lasting) throws Exception {
    home = lasting;
    List<String> rows = rows();
    write(home.resolve("all.csv"), rows);
    // The same rows, in another order, in files of which one has none.
    List<String> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(3));
    int cut = rows.size() / 7;
    write(home.resolve("part-0.csv"), shuffled.subList(0, cut));
    write(home.resolve("part-1.csv"), List.of());
    write(home.resolve("part-2.csv"), shuffled.subList(cut, rows.size()));
    Files.writeString(
        home.resolve("fit.yaml"),
        """
        name: fitted
        seed: 3
        checkpoint_every: 1
        data: {path: '%s', %s}
        learner: {%s}
        """
            .formatted(home.resolve("all.csv"), sections()[0], sections()[1]));
    assertEquals(ExitCode.OK, Main.execute(fit(home, "--backend", "SINGLE")));
    expected = model(home);
  }

  private static byte[] model(Path output) throws Exception {
    return Files.readAllBytes(output.resolve("fitted/model.json"));
  }

  void assertSameBytes() throws Exception {
    assertArrayEquals(expected, model(folder));
  }

  @ParameterizedTest
  @CsvSource({"TCP, 2", "TCP, 5", "SHARED_MEMORY, 3"})
  void overTcpAndSharedMemory(String backend, int size) throws Exception {
    String[] arguments = fit(folder, "--backend", backend);
    try (RankProcesses ranks = RankProcesses.start(folder, size, FitRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameBytes();
  }

  @ParameterizedTest
  @CsvSource({"OPEN_MPI, 3", "MPICH, 2"})
  void overMpi(MpiLibrary library, int size) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    String[] arguments = fit(folder, "--backend", "MPI");
    try (MpiProcesses ranks = MpiProcesses.start(library, folder, size, FitRank.class, arguments)) {
      assertEquals(0, ranks.await(LIMIT), ranks.output());
    }
    assertSameBytes();
  }

  @Test
  void whereEachRankHasAFileOfItsOwnAndOneIsEmpty() throws Exception {
    String[] arguments =
        fit(
            folder,
            "--set",
            "data.ownership=local",
            "--set",
            "data.path=" + home.resolve("part-{rank}.csv"));
    try (RankProcesses ranks = RankProcesses.start(folder, 3, FitRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameBytes();
  }

  @Test
  void afterARankWasKilledAndTheRunResumed() throws Exception {
    String[] arguments = fit(folder, "--set", longFit());
    try (RankProcesses ranks = RankProcesses.start(folder, 2, FitRank.class, arguments)) {
      Path checkpoint = folder.resolve("fitted/checkpoint.json");
      RankProcesses.awaitTrue("a checkpoint", () -> Files.exists(checkpoint), LIMIT);
      ranks.process(1).destroyForcibly();
      assertEquals(ExitCode.COMMUNICATION, ranks.await(0, LIMIT), ranks.output(0));
      assertTrue(ranks.output(0).contains("Rank 1 died"), ranks.output(0));
      assertTrue(Files.exists(checkpoint), "the checkpoint stays");
    }
    assertResumesToTheBytesOfAWholeRun(arguments);
  }

  @Test
  void afterATerminatedRunWasResumed() throws Exception {
    String[] arguments = fit(folder, "--set", longFit());
    try (RankProcesses ranks = RankProcesses.start(folder, 2, FitRank.class, arguments)) {
      Path checkpoint = folder.resolve("fitted/checkpoint.json");
      RankProcesses.awaitTrue("a checkpoint", () -> Files.exists(checkpoint), LIMIT);
      ranks.process(1).destroy();
      assertEquals(ExitCode.CHECKPOINTED, ranks.await(0, LIMIT), ranks.output(0));
      assertEquals(ExitCode.CHECKPOINTED, ranks.await(1, LIMIT), ranks.output(1));
    }
    assertResumesToTheBytesOfAWholeRun(arguments);
  }

  private void assertResumesToTheBytesOfAWholeRun(String[] arguments) throws Exception {
    List<String> again = new ArrayList<>(Arrays.asList(arguments));
    again.addAll(List.of("--resume", "--backend", "SINGLE"));
    assertEquals(ExitCode.OK, Main.execute(again.toArray(String[]::new)));
    Path whole = folder.resolve("whole");
    assertEquals(ExitCode.OK, Main.execute(fit(whole, "--set", longFit())));
    assertArrayEquals(model(whole), model(folder));
  }

  /** Fits with a setting that is wrong: one line says so. */
  void assertRefused(String setting, String message) throws Exception {
    String[] arguments = fit(folder, "--set", setting);
    try (RankProcesses ranks = RankProcesses.start(folder, 1, FitRank.class, arguments)) {
      int code = ranks.await(0, LIMIT);
      assertTrue(code == ExitCode.CONFIGURATION || code == ExitCode.DATA, "exit code " + code);
      assertTrue(ranks.output(0).contains(message), ranks.output(0));
    }
  }

  /** The lines that predicting all rows writes. */
  List<String> predictions() throws Exception {
    Path out = folder.resolve("predicted.csv");
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict",
            alone().resolve("model.json").toString(),
            home.resolve("all.csv").toString(),
            "--output",
            out.toString()));
    return Files.readAllLines(out);
  }
}
