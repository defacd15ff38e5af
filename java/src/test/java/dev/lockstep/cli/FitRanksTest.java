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
import org.junit.jupiter.params.provider.ValueSource;

/** Ranks that are processes write the model.json that one process writes, whatever joins them. */
@Timeout(240)
class FitRanksTest {
  private static final Duration LIMIT = Duration.ofSeconds(150);

  @TempDir static Path shared;
  private static byte[] expected;

  @TempDir Path folder;

  /** One rank of a group that its environment describes. */
  static final class FitRank {
    public static void main(String[] arguments) {
      Main.main(arguments);
    }
  }

  private static String[] fit(Path output, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "fit",
                shared.resolve("clusters.yaml").toString(),
                "--set",
                "output.folder=" + output));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  /** Rows of text, some of them equal. */
  private static List<String> rows() {
    Random random = new Random(7);
    List<String> rows = new ArrayList<>();
    for (int i = 0; i < 900; i++) {
      double centre = 10 * random.nextInt(4);
      rows.add(
          i % 10 == 9
              ? rows.get(i - 1)
              : String.format(
                  Locale.ROOT,
                  "%.3f,%.3f,%.3f",
                  centre + random.nextGaussian(),
                  2 * centre + random.nextGaussian(),
                  random.nextGaussian()));
    }
    return rows;
  }

  private static void write(Path file, List<String> rows) throws Exception {
    Files.writeString(file, "a,b,c\n" + String.join("\n", rows) + "\n");
  }

  @BeforeAll
  static void fitAlone() throws Exception {
    List<String> rows = rows();
    write(shared.resolve("all.csv"), rows);
    // The same rows, in another order, in files of which one has none.
    List<String> shuffled = new ArrayList<>(rows);
    Collections.shuffle(shuffled, new Random(3));
    write(shared.resolve("part-0.csv"), shuffled.subList(0, 50));
    write(shared.resolve("part-1.csv"), List.of());
    write(shared.resolve("part-2.csv"), shuffled.subList(50, 900));
    Files.writeString(
        shared.resolve("clusters.yaml"),
        """
        name: clusters
        seed: 3
        checkpoint_every: 1
        data: {path: '%s'}
        learner: {type: kmeans, clusters: 9, restarts: 2}
        output: {plots: false}
        """
            .formatted(shared.resolve("all.csv")));
    assertEquals(ExitCode.OK, Main.execute(fit(shared, "--backend", "SINGLE")));
    expected = Files.readAllBytes(shared.resolve("clusters/model.json"));
  }

  private void assertSameBytes() throws Exception {
    assertArrayEquals(expected, Files.readAllBytes(folder.resolve("clusters/model.json")));
  }

  @ParameterizedTest
  @CsvSource({"TCP, 2", "TCP, 3", "SHARED_MEMORY, 2", "SHARED_MEMORY, 4"})
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
            "data.path=" + shared.resolve("part-{rank}.csv"));
    try (RankProcesses ranks = RankProcesses.start(folder, 3, FitRank.class, arguments)) {
      ranks.awaitSuccess(LIMIT);
    }
    assertSameBytes();
  }

  @ParameterizedTest
  @ValueSource(strings = {"none", "hamerly", "yinyang"})
  void withEveryAcceleration(String acceleration) throws Exception {
    String[] arguments =
        fit(folder, "--backend", "SINGLE", "--set", "learner.acceleration=" + acceleration);
    assertEquals(ExitCode.OK, Main.execute(arguments));
    assertSameBytes();
  }

  @Test
  void afterARankWasKilledAndTheRunResumed() throws Exception {
    String[] arguments =
        fit(folder, "--set", "learner.restarts=60", "--set", "learner.initialization=random");
    String[] whole =
        fit(folder.resolve("whole"), arguments[4], arguments[5], arguments[6], arguments[7]);
    assertEquals(ExitCode.OK, Main.execute(whole));
    try (RankProcesses ranks = RankProcesses.start(folder, 2, FitRank.class, arguments)) {
      Path checkpoint = folder.resolve("clusters/checkpoint.json");
      RankProcesses.awaitTrue("a checkpoint", () -> Files.exists(checkpoint), LIMIT);
      ranks.process(1).destroyForcibly();
      assertEquals(ExitCode.COMMUNICATION, ranks.await(0, LIMIT), ranks.output(0));
      assertTrue(ranks.output(0).contains("Rank 1 died"), ranks.output(0));
      assertTrue(Files.exists(checkpoint), "the checkpoint stays");
    }
    List<String> again = new ArrayList<>(List.of(arguments));
    again.addAll(List.of("--resume", "--backend", "SINGLE"));
    assertEquals(ExitCode.OK, Main.execute(again.toArray(String[]::new)));
    assertArrayEquals(
        Files.readAllBytes(folder.resolve("whole/clusters/model.json")),
        Files.readAllBytes(folder.resolve("clusters/model.json")));
  }

  @Test
  void predictionsAreTheNearestCentres() throws Exception {
    Path out = folder.resolve("predicted.csv");
    assertEquals(
        ExitCode.OK,
        Main.execute(
            "predict",
            shared.resolve("clusters/model.json").toString(),
            shared.resolve("all.csv").toString(),
            "--output",
            out.toString()));
    List<String> lines = Files.readAllLines(out);
    assertEquals("row,cluster,distance", lines.get(0));
    assertEquals(901, lines.size());
    // Equal rows are in one cluster.
    assertEquals(
        lines.get(9).substring(lines.get(9).indexOf(',')),
        lines.get(10).substring(lines.get(10).indexOf(',')));
  }

  @ParameterizedTest
  @CsvSource({
    "learner.rouns=3, unknown key",
    "learner.clusters=0, clusters must be at least 1",
    "data.path=/nowhere.csv, does not exist",
    "'data.features=[a, d]', no column d"
  })
  void whatIsWrongIsOneClearLine(String setting, String message) throws Exception {
    try (RankProcesses ranks =
        RankProcesses.start(folder, 1, FitRank.class, fit(folder, "--set", setting))) {
      int code = ranks.await(0, LIMIT);
      assertTrue(code == ExitCode.CONFIGURATION || code == ExitCode.DATA, "exit code " + code);
      assertTrue(ranks.output(0).contains(message), ranks.output(0));
    }
  }
}
