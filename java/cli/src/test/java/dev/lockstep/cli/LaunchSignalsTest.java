package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.BufferedReader;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The launcher as a process of its own: what happens to it must happen to every rank. */
@Timeout(value = 240, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class LaunchSignalsTest {
  /** A rank says its own process id and that of a child, then works on. */
  private static final String WORKER = "sleep 600 & echo $$ $!; ";

  /** Longer than the test may take: whatever waits for it fails. */
  private static final String NEVER = "3600";

  /** Far more than any of this takes, on a machine that does ten other things. */
  private static final Duration LIMIT = Duration.ofSeconds(100);

  private Process launcher;
  private BufferedReader output;
  private final List<Long> pids = new ArrayList<>();

  private void launch(int ranks, String script) throws IOException {
    launch(ranks, NEVER, script);
  }

  private void launch(int ranks, String grace, String script) throws IOException {
    launcher =
        new ProcessBuilder(
                // Tests that a shell has put into the background inherit that it is ignored.
                "env",
                "--default-signal=INT",
                System.getProperty("java.home") + "/bin/java",
                "-cp",
                System.getProperty("java.class.path"),
                Main.class.getName(),
                "launch",
                "-n",
                Integer.toString(ranks),
                "--grace",
                grace,
                "--",
                "bash",
                "-c",
                script)
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    output = launcher.inputReader();
  }

  private void readPids(int ranks) throws IOException {
    for (int i = 0; i < ranks; i++) {
      String[] words = output.readLine().split(" ");
      pids.add(Long.parseLong(words[1]));
      pids.add(Long.parseLong(words[2]));
    }
  }

  private void send(String signal) throws Exception {
    // The shell's own: not every machine has the program.
    String command = "kill -s " + signal + " " + launcher.pid();
    assertEquals(0, new ProcessBuilder("bash", "-c", command).start().waitFor());
  }

  private void assertAllGone() throws Exception {
    for (long pid : pids) {
      Processes.awaitEnd(pid, LIMIT);
    }
  }

  @AfterEach
  void endLauncher() {
    launcher.destroyForcibly();
  }

  @Test
  void interruptEndsStubbornRanksAndTheirChildrenWithoutWaitingForTheGrace() throws Exception {
    launch(2, "trap '' INT TERM; " + WORKER + "while :; do sleep 1; done");
    readPids(2);
    send("INT");
    assertTrue(launcher.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS));
    assertAllGone();
    assertEquals(ExitCode.INTERRUPTED, launcher.exitValue());
  }

  @Test
  void killedLauncherTakesEveryRankWithIt() throws Exception {
    launch(2, "trap '' INT TERM HUP; " + WORKER + "wait");
    readPids(2);
    send("KILL");
    assertAllGone();
  }

  @Test
  void terminationReachesRanksWhichMaySaveAndSayThatTheyDid() throws Exception {
    launch(2, "trap 'kill $!; echo saved; exit 85' TERM; " + WORKER + "wait");
    readPids(2);
    send("TERM");
    assertEquals("saved", output.readLine().substring(4));
    assertEquals("saved", output.readLine().substring(4));
    assertEquals(ExitCode.CHECKPOINTED, launcher.waitFor());
    assertAllGone();
  }

  @Test
  void terminationKillsAfterTheGrace() throws Exception {
    launch(1, "1", "trap '' TERM; " + WORKER + "while :; do sleep 1; done");
    readPids(1);
    send("TERM");
    assertTrue(launcher.waitFor(LIMIT.toSeconds(), TimeUnit.SECONDS));
    assertEquals(ExitCode.TERMINATED, launcher.exitValue());
    assertAllGone();
  }

  @Test
  void ranksLearnTheirPlaceAndTheLauncherLoadsNoLibtorch() throws Exception {
    launch(
        2,
        "sleep 0 & echo $RANK/$WORLD_SIZE $LOCAL_RANK/$LOCAL_WORLD_SIZE $MASTER_ADDR"
            + " ${#LOCKSTEP_TOKEN} $((MASTER_PORT > 1023)) $(grep -c libtorch /proc/$PPID/maps)");
    List<String> lines = output.lines().sorted().toList();
    assertEquals(List.of("[0] 0/2 0/2 127.0.0.1 32 1 0", "[1] 1/2 1/2 127.0.0.1 32 1 0"), lines);
    assertEquals(0, launcher.waitFor());
    assertFalse(launcher.isAlive());
  }
}
