package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.FileDescription.Summary;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Good files of which some bytes were changed, lost or doubled: each is read, or refused by a
 * {@link DataException} of one line, soon and without much memory. {@code
 * -Dlockstep.damaged.files=1000} tries more of each file, {@code -Dlockstep.damaged.seed=…} others.
 */
class DamagedFilesTest {
  private static final int OF_EACH = Integer.getInteger("lockstep.damaged.files", 15);
  private static final long SEED = Long.getLong("lockstep.damaged.seed", 20261127);
  private static final int SECONDS = 60;
  private static final long MOST_BYTES = 400L << 20;

  /** Lengths and addresses that readers must not believe. */
  private static final long[] EXTREME = {
    0, -1, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000L, 0xFFFFFFFFL, 1L << 40, 1L << 62
  };

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"hdf5", "netcdf4", "classic", "npy", "npz", "csv"})
  void readsOrRefusesWhatIsLeftOfARandomFile(String kind) throws Exception {
    Resources.unzip(folder, "random-files.zip.base64");
    try (Stream<Path> files = Files.list(folder.resolve(kind))) {
      damageAll(files.filter(f -> !f.toString().matches(".*\\.(txt|f64)")).sorted().toList());
    }
  }

  @Test
  void readsOrRefusesWhatIsLeftOfAFileFromTheField() throws Exception {
    Resources.unzip(folder, "cases.zip.base64");
    try (Stream<Path> files = Files.list(folder)) {
      damageAll(files.sorted().toList());
    }
  }

  private void damageAll(List<Path> files) throws Exception {
    assertFalse(files.isEmpty());
    Path damaged = Files.createDirectory(folder.resolve("damaged"));
    ExecutorService reader =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task);
              thread.setDaemon(true); // a reader that hangs must not keep the JVM
              return thread;
            });
    int refused = 0;
    List<String> wrong = new ArrayList<>();
    for (Path file : files) {
      byte[] good = Files.readAllBytes(file);
      for (int n = 0; n < OF_EACH; n++) {
        Random random = new Random(SEED + 31L * n + file.getFileName().hashCode());
        Path target = damaged.resolve(file.getFileName());
        Files.write(target, damage(good, random));
        Future<Boolean> result = reader.submit(() -> isRead(target));
        try {
          refused += result.get(SECONDS, TimeUnit.SECONDS) ? 0 : 1;
        } catch (TimeoutException e) {
          throw new AssertionError(
              target + ", number " + n + ", keeps its reader for " + SECONDS + " s", e);
        } catch (ExecutionException e) {
          wrong.add(target.getFileName() + ", number " + n + ": " + e.getCause());
        }
      }
    }
    reader.shutdown();
    assertEquals("", String.join("\n", wrong), "seed " + SEED);
    assertTrue(refused > 0, "no damage was noticed in " + files.size() * OF_EACH + " files");
  }

  /** Describes a file and reads samples of it; false if it was refused. */
  private static boolean isRead(Path file) {
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    boolean read = true;
    try {
      List<String> names =
          DataFiles.describe(file).variables().stream()
              .map(Summary::variable)
              .map(Variable::name)
              .filter(name -> !name.isBlank())
              .toList();
      if (!names.isEmpty()) {
        readSamples(file, names.get(0), names.get(names.size() - 1));
      }
    } catch (DataException e) {
      String message = String.valueOf(e.getMessage());
      assertTrue(message.startsWith(file.toString()), message);
      assertEquals(1, message.lines().count(), message);
      read = false;
    }
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < MOST_BYTES, allocated + " bytes were allocated");
    return read;
  }

  private static void readSamples(Path file, String feature, String target) {
    DataConfig config =
        new DataConfig(
            file.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of(feature)),
            List.of(target),
            true,
            0,
            1);
    try (Dataset dataset = DataFiles.open(config)) {
      long[] first = {0};
      double[] features = new double[dataset.featureNames().size()];
      dataset.read(first, 0, 1, features, new double[dataset.targetNames().size()]);
    } catch (IllegalArgumentException e) {
      // The two variables do not fit each other.
      assertTrue(String.valueOf(e.getMessage()).startsWith(file.toString()), e.toString());
    }
  }

  private static byte[] damage(byte[] good, Random random) throws IOException {
    byte[] bytes = good.clone();
    int times = 1 + random.nextInt(3);
    for (int i = 0; i < times && bytes.length > 16; i++) {
      // Structures stand at the beginning more often than elsewhere.
      int span = random.nextBoolean() ? bytes.length : Math.min(bytes.length, 1024);
      int at = random.nextInt(span - 8);
      switch (random.nextInt(8)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> bytes[at] = (byte) random.nextInt(256);
        case 2 -> bytes = Arrays.copyOf(bytes, at);
        case 3 -> ByteBuffer.wrap(bytes).putLong(at, extreme(random));
        case 4 -> ByteBuffer.wrap(bytes).putLong(at, Long.reverseBytes(extreme(random)));
        case 5 -> ByteBuffer.wrap(bytes).putInt(at, Integer.reverseBytes((int) extreme(random)));
        case 6 -> System.arraycopy(bytes, random.nextInt(bytes.length - 8), bytes, at, 8);
        default -> {
          int length = Math.min(random.nextInt(64), bytes.length - at);
          byte[] without = Arrays.copyOf(bytes, bytes.length - length);
          System.arraycopy(bytes, at + length, without, at, bytes.length - at - length);
          bytes = without;
        }
      }
    }
    return bytes;
  }

  private static long extreme(Random random) {
    return EXTREME[random.nextInt(EXTREME.length)];
  }
}
