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
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ranks that are processes boost the model.json that one process boosts, whatever joins them. */
@Timeout(240)
class FitBoostingRanksTest {
  private static final Duration LIMIT = Duration.ofSeconds(150);
  private static final int ROWS = 800;

  @TempDir static Path shared;
  private static byte[] expected;

  @TempDir Path folder;

  private static String[] fit(Path output, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "fit",
                shared.resolve("boosting.yaml").toString(),
                "--set",
                "output.folder=" + output));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  /** Size, colour and a column of noise make a price class; some fields are empty. */
  private static List<String> rows() {
    Random random = new Random(11);
    String[] colours = {"red", "green", "blue"};
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < ROWS; i++) {
      double size = random.nextInt(40);
      String colour = colours[random.nextInt(3)];
      double value = size + (colour.equals("green") ? 20 : 0);
      String known = random.nextInt(10) == 0 ? "" : String.format(Locale.ROOT, "%.1f", size);
      rows.add(
          String.format(
              Locale.ROOT,
              "%s,%s,%.2f,%s",
              known,
              colour,
              random.nextDouble(),
              value > 40 ? "dear" : value > 20 ? "fair" : "cheap"));
    }
    return rows;
  }

  private static void write(Path file, List<String> rows) throws Exception {
    Files.writeString(file, "size,colour,noise,price\n" + String.join("\n", rows) + "\n");
  }

  @BeforeAll
  static void fitAlone() throws Exception {
    List<String> rows = rows();
    write(shared.resolve("all.csv"), rows);
    List<String> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(3));
    write(shared.resolve("part-0.csv"), shuffled.subList(0, 300));
    write(shared.resolve("part-1.csv"), List.of());
    write(shared.resolve("part-2.csv"), shuffled.subList(300, ROWS));
    Files.writeString(
        shared.resolve("boosting.yaml"),
        """
        name: prices
        seed: 3
        checkpoint_every: 1
        data: {path: '%s', target: price, validation_fraction: 0.2}
        learner: {type: boosting, rounds: 15, num_leaves: 8, bagging_fraction: 0.7}
        output: {plots: true}
        """
            .formatted(shared.resolve("all.csv")));
    assertEquals(ExitCode.OK, Main.execute(fit(shared, "--backend", "SINGLE")));
    expected = Files.readAllBytes(shared.resolve("prices/model.json"));
  }

  private void assertSameBytes() throws Exception {
    assertArrayEquals(expected, Files.readAllBytes(folder.resolve("prices/model.json")));
  }

  @ParameterizedTest
  @CsvSource({"TCP, 3", "SHARED_MEMORY, 2"})
  void overTcpAndSharedMemory(String backend, int size) throws Exception {
    String[] arguments = fit(folder, "--backend", backend);
    try (RankProcesses ranks =
        RankProcesses.start(folder, size, FitRanksTest.FitRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameBytes();
  }

  @ParameterizedTest
  @CsvSource({"OPEN_MPI, 2", "MPICH, 3"})
  void overMpi(MpiLibrary library, int size) throws Exception {
    assumeTrue(MpiProcesses.available(library), () -> "no mpirun of " + library.title());
    String[] arguments = fit(folder, "--backend", "MPI");
    try (MpiProcesses ranks =
        MpiProcesses.start(library, folder, size, FitRanksTest.FitRank.class, arguments)) {
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
            "data.path=" + shared.resolve("part-{rank}.csv"));
    try (RankProcesses ranks =
        RankProcesses.start(folder, 3, FitRanksTest.FitRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameBytes();
  }

  @Test
  void afterATerminatedRunWasResumed() throws Exception {
    String[] arguments = fit(folder, "--set", "learner.rounds=150");
    String[] whole = fit(folder.resolve("whole"), "--set", "learner.rounds=150");
    try (RankProcesses ranks =
        RankProcesses.start(folder, 2, FitRanksTest.FitRank.class, arguments)) {
      Path checkpoint = folder.resolve("prices/checkpoint.json");
      RankProcesses.awaitTrue("a checkpoint", () -> Files.exists(checkpoint), LIMIT);
      ranks.process(1).destroy();
      assertEquals(ExitCode.CHECKPOINTED, ranks.await(0, LIMIT), ranks.output(0));
      assertEquals(ExitCode.CHECKPOINTED, ranks.await(1, LIMIT), ranks.output(1));
    }
    List<String> again = new ArrayList<>(Arrays.asList(arguments));
    again.addAll(List.of("--resume", "--backend", "SINGLE"));
    assertEquals(ExitCode.OK, Main.execute(again.toArray(String[]::new)));
    assertEquals(ExitCode.OK, Main.execute(whole));
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("whole/prices/model.json")),
        Files.readAllBytes(folder.resolve("prices/model.json")));
  }

  @Test
  void predictsTheClassesOfNearlyAllRows() throws Exception {
    Path out = folder.resolve("predicted.csv");
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict",
            shared.resolve("prices/model.json").toString(),
            shared.resolve("all.csv").toString(),
            "--output",
            out.toString()));
    List<String> lines = Files.readAllLines(out);
    assertEquals("row,class,probability_cheap,probability_dear,probability_fair", lines.get(0));
    List<String> classes = List.of("cheap", "dear", "fair");
    List<String> rows = rows();
    int right = 0;
    for (int i = 0; i < ROWS; i++) {
      int predicted = (int) Double.parseDouble(lines.get(i + 1).split(",")[1]);
      right += rows.get(i).endsWith(classes.get(predicted)) ? 1 : 0;
    }
    // A tenth of the sizes is missing, and colour alone tells little.
    assertTrue(right > 0.9 * ROWS, right + " of " + ROWS);
  }

  @Test
  void theRunFolderHoldsLossesAndPlots() throws Exception {
    Path run = shared.resolve("prices");
    assertEquals(15, Files.readAllLines(run.resolve("metrics.jsonl")).size());
    assertTrue(Files.readString(run.resolve("metrics.jsonl")).contains("\"validation_loss\""));
    assertTrue(Files.exists(run.resolve("loss.png")));
    assertTrue(Files.exists(run.resolve("importance.png")));
    assertTrue(Files.readString(run.resolve("summary.json")).contains("\"model_sha256\""));
    assertTrue(Files.notExists(run.resolve("checkpoint.json")), "the run is over");
  }

  @ParameterizedTest
  @CsvSource({
    "learner.clusters=3, is no setting of boosting",
    "learner.num_leaves=1, num_leaves must be from 2",
    "learner.objective=regresion, must be one of",
    "data.target=prize, no column prize",
    "'learner.monotone_constraints=[1]', one number for each of the 3 features"
  })
  void whatIsWrongIsOneClearLine(String setting, String message) throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, 1, FitRanksTest.FitRank.class, fit(folder, "--set", setting))) {
      int code = ranks.await(0, LIMIT);
      assertTrue(code == ExitCode.CONFIGURATION || code == ExitCode.DATA, "exit code " + code);
      assertTrue(ranks.output(0).contains(message), ranks.output(0));
    }
  }
}
