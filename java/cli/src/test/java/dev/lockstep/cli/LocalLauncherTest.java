package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Ranks here are shells: real processes, no libtorch. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LocalLauncherTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();
  private final ByteArrayOutputStream err = new ByteArrayOutputStream();

  private int launch(int ranks, String script) throws InterruptedException {
    LocalLauncher launcher =
        new LocalLauncher(
            new PrintStream(out, true), new PrintStream(err, true), Duration.ofSeconds(5));
    List<Map<String, String>> environments =
        IntStream.range(0, ranks).mapToObj(r -> Map.of("RANK", Integer.toString(r))).toList();
    return launcher.run(List.of("bash", "-c", script), environments);
  }

  private List<String> output() {
    return out.toString(StandardCharsets.UTF_8).lines().toList();
  }

  private String lastError() {
    List<String> lines = err.toString(StandardCharsets.UTF_8).lines().toList();
    return lines.get(lines.size() - 1);
  }

  @Test
  void everyLineCarriesItsRank() throws Exception {
    assertEquals(0, launch(2, "echo hello; echo world >&2"));
    assertEquals(List.of("[0] hello", "[1] hello"), output().stream().sorted().toList());
    assertEquals(
        "[0] world\n[1] world",
        err.toString(StandardCharsets.UTF_8)
            .lines()
            .sorted()
            .reduce((a, b) -> a + "\n" + b)
            .orElseThrow());
  }

  @Test
  void linesOfRanksThatWriteInPiecesStayWhole() throws Exception {
    String line = "for i in {1..300}; do printf abc; printf \"$RANK\"; printf 'def\\n'; done";
    assertEquals(0, launch(4, line));
    assertEquals(1200, output().size());
    output().forEach(text -> assertTrue(text.matches("\\[(\\d)] abc\\1def"), text));
  }

  @Test
  void lastLineWithoutAnEndIsShown() throws Exception {
    assertEquals(0, launch(1, "printf unfinished"));
    assertEquals(List.of("[0] unfinished"), output());
  }

  @Test
  void firstFailureEndsTheOthersAndItsMessageComesLast() throws Exception {
    // Whoever waited for the sleeping ranks would run into the deadline.
    int code =
        launch(3, "if [ $RANK = 1 ]; then echo 'no such file: x' >&2; exit 9; fi; sleep 3600");
    assertEquals(9, code);
    assertEquals("lockstep: rank 1 failed with exit code 9: no such file: x", lastError());
  }

  @Test
  void rankThatOnlyNoticedTheDeathOfAnotherIsNotBlamed() throws Exception {
    String script =
        "if [ $RANK = 1 ]; then sleep 0.3; echo 'lockstep: disk full' >&2; exit 4; fi;"
            + " echo 'lockstep: rank 1 is gone' >&2; exit 5";
    assertEquals(ExitCode.DATA, launch(2, script));
    assertEquals("lockstep: rank 1 failed with exit code 4: disk full", lastError());
  }

  @Test
  void rankThatIgnoresTerminationAfterAFailureIsKilled() throws Exception {
    assertEquals(
        7,
        launch(
            2,
            "if [ $RANK = 0 ]; then sleep 0.2; exit 7; fi; trap '' TERM; sleep 60 & wait; sleep 60"));
  }

  @Test
  void rankKilledBySignalIsReportedAsSuch() throws Exception {
    assertEquals(137, launch(2, "if [ $RANK = 0 ]; then kill -9 $$; fi; sleep 60"));
    assertEquals("lockstep: rank 0 was ended by signal 9", lastError());
  }

  @Test
  void processesThatARankLeavesBehindAreKilled() throws Exception {
    assertEquals(0, launch(1, "sleep 987 >/dev/null 2>&1 & echo $!"));
    long orphan = Long.parseLong(output().get(0).substring("[0] ".length()));
    Processes.awaitEnd(orphan, Duration.ofSeconds(100));
  }

  @Test
  void commandThatDoesNotExistFailsWithTheShellsCode() throws Exception {
    LocalLauncher launcher =
        new LocalLauncher(new PrintStream(out), new PrintStream(err, true), Duration.ofSeconds(1));
    assertEquals(127, launcher.run(List.of("/no/such/program"), List.of(Map.of())));
    assertTrue(lastError().contains("/no/such/program"), lastError());
  }
}
