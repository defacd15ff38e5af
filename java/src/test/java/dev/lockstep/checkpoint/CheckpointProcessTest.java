package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What only a process of its own can show: being killed, and running out of disk. */
@Timeout(240)
class CheckpointProcessTest {
  @TempDir Path folder;

  @Test
  void aProcessKilledWhileSavingLeavesOnlyWholeCheckpoints() throws Exception {
    for (long announced = 3; announced <= 6; announced += 3) {
      Process process = saver(List.of(), announced, 1_000_000, 4 << 20);
      try (BufferedReader lines = process.inputReader()) {
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          if (line.equals("saved " + (announced + 2))) {
            process.toHandle().destroyForcibly();
          }
        }
      }
      assertTrue(process.waitFor(120, TimeUnit.SECONDS));

      CheckpointSearch search = new CheckpointStore(folder, 2).latest(c -> Optional.empty());

      assertEquals(List.of(), search.refused());
      long step = search.checkpoint().orElseThrow().step();
      assertTrue(
          step >= announced + 2, "step " + step + " after " + (announced + 2) + " was announced");
    }
  }

  @Test
  void aFullDiskIsOneClearErrorAndTheOldOnesAreIntact() throws Exception {
    new CheckpointStore(folder, 2).save(CheckpointStoreTest.checkpoint(1, 1));

    // bash counts `ulimit -f` in KiB; the kernel then refuses writes past it, as it does on a full
    // disk.
    Process process =
        saver(List.of("bash", "-c", "ulimit -f 1024; exec \"$@\"", "saver"), 2, 2, 4 << 20);
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertEquals(3, process.waitFor(), output);
    assertTrue(output.contains("step-000000000002 could not be written: File too large."), output);
    assertEquals(
        List.of("step-000000000001"),
        DurableFiles.children(folder).stream().map(p -> p.getFileName().toString()).toList());
    CheckpointSearch search = new CheckpointStore(folder, 2).latest(c -> Optional.empty());
    assertEquals(1, search.checkpoint().orElseThrow().step());
  }

  private Process saver(List<String> prefix, long first, long last, int bytes) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            Saver.class.getName(),
            folder.toString(),
            Long.toString(first),
            Long.toString(last),
            Integer.toString(bytes)));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    CompletableFuture.delayedExecutor(50, TimeUnit.SECONDS).execute(process::destroyForcibly);
    return process;
  }

  /** Saves steps {@code first} to {@code last} and announces each; exits with 3 when it cannot. */
  static final class Saver {
    private Saver() {}

    public static void main(String[] arguments) {
      CheckpointStore store = new CheckpointStore(Path.of(arguments[0]), 2);
      ByteBuffer data = ByteBuffer.allocateDirect(Integer.parseInt(arguments[3]));
      StoredTensor tensor =
          new StoredTensor("weight", TensorType.U8, List.of((long) data.capacity()), data);
      for (long step = Long.parseLong(arguments[1]); step <= Long.parseLong(arguments[2]); step++) {
        try {
          store.save(new Checkpoint(step, List.of(tensor), JsonNodeFactory.instance.objectNode()));
        } catch (CheckpointException e) {
          System.out.println(e.getMessage());
          System.exit(3);
        }
        System.out.println("saved " + step);
      }
    }
  }
}
