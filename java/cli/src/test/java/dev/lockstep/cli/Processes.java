package dev.lockstep.cli;

import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Whether processes are gone. */
final class Processes {
  private Processes() {}

  /** Waits until the process is gone or a zombie that its parent has still to collect. */
  static void awaitEnd(long pid, Duration limit) throws InterruptedException {
    long deadline = System.nanoTime() + limit.toNanos();
    while (runs(pid)) {
      if (System.nanoTime() > deadline) {
        fail("process " + pid + " still runs after " + limit);
      }
      Thread.sleep(10);
    }
  }

  static boolean runs(long pid) {
    try {
      String status = Files.readString(Path.of("/proc/" + pid + "/stat"));
      return status.charAt(status.lastIndexOf(')') + 2) != 'Z';
    } catch (IOException gone) {
      return false;
    }
  }
}
