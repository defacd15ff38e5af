package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three million rows in compressed chunks of 2¹⁸ and 2¹⁷ rows, 72 MB as float64, read in random
 * order by a process of 32 MiB of heap: {@code x = i / 2¹⁸ + (i mod 1000) / 1024} and {@code y = (i
 * / 2¹⁷, 100 + i mod 500)} with whole quotients. A reader that decodes a chunk for each sample
 * would decode a terabyte.
 */
class OutOfCoreTest {
  private static final int ROWS = 3_000_000;
  private static final int BATCHES = 1000;
  private static final int BATCH = 256;

  @TempDir Path folder;

  /** The process. */
  public static final class Reader {
    private Reader() {}

    /** Reads samples of the file that the argument names, and prints how many. */
    public static void main(String[] arguments) {
      DataConfig config =
          new DataConfig(
              arguments[0],
              Format.AUTO,
              null,
              List.of(FeatureConfig.of("x")),
              List.of("y"),
              true,
              0,
              1);
      Random random = new Random(7);
      long[] indices = new long[BATCH];
      double[] features = new double[BATCH];
      double[] targets = new double[2 * BATCH];
      try (Dataset data = DataFiles.open(config)) {
        for (int batch = 0; batch < BATCHES; batch++) {
          for (int i = 0; i < BATCH; i++) {
            indices[i] = random.nextInt(ROWS);
          }
          data.read(indices, 0, BATCH, features, targets);
          for (int i = 0; i < BATCH; i++) {
            check(indices[i], features[i], targets[2 * i], targets[2 * i + 1]);
          }
        }
        System.out.println(data.size() + " rows");
      }
    }

    private static void check(long row, double x, double y0, double y1) {
      double expected = row / (1 << 18) + row % 1000 / 1024.0;
      if (x != expected || y0 != row / (1 << 17) || y1 != 100 + row % 500) {
        throw new AssertionError("row " + row + ": " + x + ", " + y0 + ", " + y1);
      }
    }
  }

  @Test
  void readsAChunkedFileThatIsLargerThanTheHeapInRandomOrder() throws Exception {
    Path file = Resources.file(folder, "large-in-chunks.gz.base64");
    Path temporary = Files.createDirectory(folder.resolve("tmp"));
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:+UseSerialGC", // G1 loses up to half of so small a heap to its regions
                "-Xmx32m",
                "-Djava.io.tmpdir=" + temporary,
                "-cp",
                System.getProperty("java.class.path"),
                Reader.class.getName(),
                file.toString())
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(180, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertTrue(ended, "still reading after 180 s");
    assertEquals(ROWS + " rows", lastLine(output));
    try (Stream<Path> left = Files.list(temporary)) {
      assertEquals(List.of(), left.toList(), "temporary files are left behind");
    }
  }

  private static String lastLine(Path output) throws IOException {
    List<String> lines = Files.readAllLines(output);
    return lines.isEmpty() ? "" : lines.get(lines.size() - 1);
  }
}
