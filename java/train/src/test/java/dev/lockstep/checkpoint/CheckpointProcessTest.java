package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.lockstep.files.DurableFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.UnaryOperator;
import java.util.stream.LongStream;
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

  /** {@code -Dlockstep.kills=200} for a long run. */
  @Test
  void ranksKilledAtAnyMomentLeaveTheNewestWholeCheckpoint() throws Exception {
    long seed = Long.getLong("lockstep.seed", 5);
    Random random = new Random(seed);
    long last = 0;
    for (int kill = 0; kill < Integer.getInteger("lockstep.kills", 3); kill++) {
      Process process = start(List.of(), RanksSaver.class, last + 1);
      long announced = last;
      try (BufferedReader lines = process.inputReader()) {
        int until = 1 + random.nextInt(4);
        for (String line = lines.readLine(); line != null; line = lines.readLine()) {
          announced = Long.parseLong(line.replace("saved ", ""));
          if (--until == 0) {
            LockSupport.parkNanos(random.nextInt(20_000_000));
            process.toHandle().destroyForcibly();
          }
        }
      }
      assertTrue(process.waitFor(30, TimeUnit.SECONDS));

      CheckpointSearch search = new CheckpointStore(folder, 2).latest(c -> Optional.empty());

      assertEquals(List.of(), search.refused(), "seed " + seed + ", kill " + kill);
      last = search.checkpoint().orElseThrow().step();
      assertTrue(last >= announced, "step " + last + " after " + announced + ", seed " + seed);
      assertEquals(3 << 20, search.checkpoint().get().tensor("shard").bytes());
    }
  }

  private Process saver(List<String> prefix, long first, long last, int bytes) throws IOException {
    return start(prefix, Saver.class, first, last, bytes);
  }

  private Process start(List<String> prefix, Class<?> main, long... numbers) throws IOException {
    List<String> command = new ArrayList<>(prefix);
    command.addAll(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xshare:auto",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            folder.toString()));
    LongStream.of(numbers).mapToObj(Long::toString).forEach(command::add);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    CompletableFuture.delayedExecutor(50, TimeUnit.SECONDS).execute(process::destroyForcibly);
    return process;
  }

  /** Three ranks save steps from {@code arguments[1]} on, a third of a vector each. */
  static final class RanksSaver {
    private RanksSaver() {}

    public static void main(String[] arguments) {
      CheckpointStore store = new CheckpointStore(Path.of(arguments[0]), 2);
      List<CheckpointWriter> writers = new ArrayList<>();
      for (int rank = 0; rank < 3; rank++) {
        writers.add(new CheckpointWriter(store, rank, 3, UnaryOperator.identity()));
      }
      writers.get(0).prepare();
      for (long step = Long.parseLong(arguments[1]); ; step++) {
        for (int rank = 0; rank < 3; rank++) {
          StoredTensor part =
              new StoredTensor(
                  "shard", TensorType.U8, List.of(1L << 20), ByteBuffer.allocateDirect(1 << 20));
          TensorShare share =
              new TensorShare(part, new Placement.Sharded((long) rank << 20, 3 << 20));
          writers.get(rank).write(step, List.of(share), JsonNodeFactory.instance.objectNode());
        }
        for (CheckpointWriter writer : writers) {
          while (!writer.await(1000)) {
            Thread.onSpinWait();
          }
        }
        System.out.println("saved " + step);
      }
    }
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
