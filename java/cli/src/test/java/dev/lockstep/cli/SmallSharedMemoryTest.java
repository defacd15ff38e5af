package dev.lockstep.cli;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.testing.RankProcesses;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Containers have little in {@code /dev/shm}, Docker's 64 MiB: a run goes on with what there is.
 */
@Timeout(200)
class SmallSharedMemoryTest {
  private static final int LIMIT_SECONDS = 150;

  @TempDir Path folder;

  @BeforeEach
  void mountsMustBeAllowed() throws Exception {
    Process unshare =
        new ProcessBuilder("unshare", "-m", "mount", "-t", "tmpfs", "none", "/dev/shm")
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.DISCARD)
            .start();
    assumeTrue(
        unshare.waitFor(LIMIT_SECONDS, SECONDS) && unshare.exitValue() == 0,
        "a /dev/shm of its own needs root");
  }

  /** Two ranks train a model of 67,073 parameters: 1.3 MiB with Adam's state, fused. */
  private String train(String sizeOfSharedMemory) throws Exception {
    Files.writeString(
        folder.resolve("run.yaml"),
        """
        name: small
        data:
          synthetic: {samples: 80, features: 3, targets: 1, seed: 3}
          features: [x0, x1, x2]
          targets: [y0]
        model: {hidden: [256, 256]}
        training: {epochs: 1, batch_size: 16}
        optimizer: {type: adam}
        output: {plots: false, tensorboard: false}
        """);
    String lockstep = String.join(" ", RankProcesses.javaCommand(Main.class));
    Path said = folder.resolve("said.txt");
    Process run =
        new ProcessBuilder(
                "unshare",
                "-m",
                "sh",
                "-c",
                "mount -t tmpfs -o size="
                    + sizeOfSharedMemory
                    + " none /dev/shm && exec "
                    + lockstep
                    + " launch -n 2 -- "
                    + lockstep
                    + " train run.yaml")
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(said.toFile())
            .start();
    try {
      assertTrue(run.waitFor(LIMIT_SECONDS, SECONDS), "the run hangs");
    } finally {
      run.descendants().forEach(ProcessHandle::destroyForcibly);
      run.destroyForcibly();
    }
    String text = Files.readString(said, StandardCharsets.UTF_8);
    assertEquals(ExitCode.OK, run.exitValue(), text);
    return text;
  }

  @Test
  void aModelThatDoesNotFitIsKeptByEachRankAndTheWholeSizeIsSaid() throws Exception {
    String text = train("1500k");
    List<String> lines = text.lines().filter(line -> line.contains("Sharing parameters")).toList();
    assertEquals(1, lines.size(), text);
    assertTrue(lines.get(0).contains("needs 2 MiB in /dev/shm"), text);
  }

  @Test
  void ranksThatCannotEvenExchangeMessagesThereUseTcp() throws Exception {
    String text = train("200k");
    assertTrue(text.contains("backend tcp"), text);
    assertTrue(text.contains("/dev/shm"), text);
  }
}
