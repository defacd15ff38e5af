package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.lockstep.testing.RankProcesses;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class BenchCommandTest {
  private final PrintStream realOut = System.out;
  private final PrintStream realErr = System.err;
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  @TempDir private Path folder;

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

  private void assertUsage(String message, String... arguments) {
    assertEquals(ExitCode.USAGE, Main.execute(arguments), () -> err.toString());
    String first = err.toString(StandardCharsets.UTF_8).lines().findFirst().orElse("");
    assertTrue(first.contains(message), first);
    err.reset();
  }

  @Test
  void wrongArgumentsAreFoundBeforeAnyRankConnects() {
    assertUsage("an operation is missing", "bench");
    assertUsage("'frobnicate'", "bench", "frobnicate");
    assertUsage("'8:4': the range goes downwards", "bench", "allreduce", "--sizes", "8:4");
    assertUsage("'f33'", "bench", "allreduce", "--types", "f33");
    assertUsage("no form in place", "bench", "alltoall", "--in-place");
    assertUsage("'circle' is no algorithm", "bench", "allreduce", "--algorithm", "circle");
    assertUsage("at least one measured", "bench", "allreduce", "--iterations", "0");
  }

  @Test
  void twoRanksPrintATableAndWriteJson() throws Exception {
    Path json = folder.resolve("results.json");
    String[] arguments = {
      "bench",
      "allreduce",
      "pingpong",
      "exchange",
      "barrier",
      "--sizes",
      "8,64K",
      "--types",
      "f32,BF16",
      "--registered",
      "--warm-up",
      "2",
      "--iterations",
      "5",
      "--json",
      json.toString()
    };
    try (RankProcesses ranks = RankProcesses.start(folder, 2, Main.class, arguments)) {
      ranks.awaitSuccess(Duration.ofSeconds(60));
      String table = ranks.output(0);
      assertTrue(
          table.contains("# allreduce, sum, 2 ranks over shared_memory, registered buffers"),
          table);
      assertTrue(table.lines().anyMatch(line -> line.matches(" +65536 +bf16 .* 0")), table);
      assertEquals("", ranks.output(1), "rank 0 alone prints");
    }
    JsonNode results = new JsonMapper().readTree(json.toFile());
    assertEquals(4 + 4 + 4 + 1, results.size());
    results.forEach(row -> assertEquals(0, row.get("errors").asLong(), row.toString()));

    Path picture = folder.resolve("results.png");
    String output = picture.toString();
    assertEquals(ExitCode.OK, Main.execute("bench", "plot", json.toString(), "-o", output));
    byte[] signature = {(byte) 0x89, 'P', 'N', 'G'};
    assertArrayEquals(signature, Arrays.copyOf(Files.readAllBytes(picture), 4));
  }

  @Test
  void wrongResultsGiveTheirOwnExitCode() {
    assertEquals(ExitCode.OK, BenchCommand.report(0, 0));
    assertEquals("", err.toString(StandardCharsets.UTF_8));
    assertEquals(ExitCode.UNHEALTHY, BenchCommand.report(0, 1));
    assertEquals("lockstep: 1 elements of the results were wrong\n", err.toString());
  }

  @Test
  void aTunedGroupUsesWhatItMeasured() throws Exception {
    Path tuning = folder.resolve("cluster.tuning");
    try (RankProcesses ranks =
        RankProcesses.start(
            folder,
            2,
            Main.class,
            "bench",
            "tune",
            "--sizes",
            "8,64K",
            "--iterations",
            "5",
            "-o",
            tuning.toString())) {
      ranks.awaitSuccess(Duration.ofSeconds(60));
    }
    String text = Files.readString(tuning);
    assertTrue(text.startsWith("lockstep-tuning 1\n"), text);
    assertTrue(text.lines().anyMatch(line -> line.startsWith("all-reduce * * *")), text);

    Files.writeString(
        tuning,
        "lockstep-tuning 1\nall-reduce * * 100 ring\n" + "all-reduce * * * halving-doubling\n");
    try (RankProcesses ranks =
        RankProcesses.start(
            folder,
            2,
            Map.of("LOCKSTEP_TUNING", tuning.toString()),
            Main.class,
            "bench",
            "allreduce",
            "--sizes",
            "8,1K",
            "--warm-up",
            "1",
            "--iterations",
            "3")) {
      ranks.awaitSuccess(Duration.ofSeconds(60));
      String table = ranks.output(0);
      assertTrue(table.lines().anyMatch(line -> line.matches(" +8 +f32 ring .*")), table);
      assertTrue(
          table.lines().anyMatch(line -> line.matches(" +1024 +f32 halving-doubling .*")), table);
    }
  }

  @Test
  void aFileWithoutResultsIsNamed() throws Exception {
    Path file = Files.writeString(folder.resolve("other.json"), "{}");
    String output = folder.resolve("x.png").toString();
    assertEquals(ExitCode.DATA, Main.execute("bench", "plot", file.toString(), "-o", output));
    assertTrue(
        err.toString(StandardCharsets.UTF_8)
            .contains(file + " cannot be read: it holds no results"));
  }
}
