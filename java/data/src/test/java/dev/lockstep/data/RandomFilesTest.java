package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Every value of random files is what h5py, netCDF4, NumPy or pandas reads; values are asked for in
 * random order. {@code random_files.py} writes the files where Python has these libraries: {@code
 * .cache/python}, which hpc/test.sh makes, or what {@code LOCKSTEP_TEST_PYTHON} names. Twelve
 * committed files of each kind are read on any machine. {@code -Dlockstep.random.files=1000} reads
 * more, {@code -Dlockstep.random.seed=…} others.
 */
class RandomFilesTest {
  private static final int FILES = Integer.getInteger("lockstep.random.files", 50);
  private static final long SEED = Long.getLong("lockstep.random.seed", 20261127);
  private static final int SECONDS = 60 + FILES;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(strings = {"hdf5", "netcdf4", "classic", "npy", "npz", "csv", "idx"})
  void readsEveryValueAsTheIndependentReader(String kind) throws Exception {
    String python = python();
    assumeTrue(python != null, "no Python with h5py, netCDF4 and pandas: see hpc/test.sh");
    Path script = folder.resolve("random_files.py");
    Files.write(
        script, RandomFilesTest.class.getResourceAsStream("random_files.py").readAllBytes());
    run(python, script.toString(), kind, folder.toString(), "" + SEED, "" + FILES);
    compareAll(folder, kind, FILES);
  }

  @Test
  void readsEveryValueOfTheCommittedFiles() throws IOException {
    Resources.unzip(folder, "random-files.zip.base64");
    try (Stream<Path> kinds = Files.list(folder)) {
      List<Path> folders = kinds.filter(Files::isDirectory).toList();
      assertEquals(6, folders.size());
      for (Path kind : folders) {
        compareAll(kind, kind.getFileName().toString(), 12);
      }
    }
  }

  private static void compareAll(Path folder, String kind, int files) throws IOException {
    int values = 0;
    List<String> wrong = new ArrayList<>();
    try (Stream<Path> lists = Files.list(folder)) {
      List<Path> manifests = lists.filter(p -> p.toString().endsWith(".txt")).sorted().toList();
      assertEquals(files, manifests.size());
      for (Path manifest : manifests) {
        values += compare(manifest, wrong);
      }
    }
    System.out.printf(
        "%s: %d values of %d files, seed %d, %d wrong%n", kind, values, files, SEED, wrong.size());
    assertTrue(wrong.isEmpty(), () -> "seed " + SEED + ":\n" + String.join("\n", wrong));
    assertTrue(values > files, "only " + values + " values were compared");
  }

  /** Compares one file with its list; returns the number of values. */
  private static int compare(Path manifest, List<String> wrong) throws IOException {
    String number = manifest.getFileName().toString().replace(".txt", "");
    Path file;
    try (Stream<Path> beside = Files.list(manifest.resolveSibling(""))) {
      file =
          beside
              .filter(
                  p -> p.getFileName().toString().matches(number + "\\.(h5|nc|npy|npz|csv|idx)"))
              .findFirst()
              .orElseThrow();
    }
    ByteBuffer all =
        ByteBuffer.wrap(Files.readAllBytes(manifest.resolveSibling(number + ".f64")))
            .order(ByteOrder.LITTLE_ENDIAN);
    int compared = 0;
    try (ArrayFile opened = DataFiles.openArrays(file, Format.AUTO)) {
      for (String line : Files.readAllLines(manifest)) {
        String[] parts = line.split("\t");
        double[] expected = new double[Integer.parseInt(parts[1])];
        all.asDoubleBuffer().get(expected);
        all.position(all.position() + expected.length * Double.BYTES);
        String problem = problem(opened, parts[0], expected);
        if (problem != null) {
          wrong.add(file + " " + parts[0] + ": " + problem);
        }
        compared += expected.length;
      }
    } catch (RuntimeException e) {
      wrong.add(file + ": " + e);
    }
    return compared;
  }

  /** What differs, or null. */
  private static String problem(ArrayFile file, String name, double[] expected) {
    Variable variable =
        file.variables().stream().filter(v -> v.name().equals(name)).findFirst().orElse(null);
    if (variable == null) {
      return "not among "
          + file.variables().stream().map(Variable::name).toList()
          + file.unreadable();
    }
    if (variable.size() != expected.length) {
      return "size " + variable.size() + " instead of " + expected.length;
    }
    Random random = new Random(SEED);
    List<Integer> starts = new ArrayList<>();
    int piece = 1 + random.nextInt(Math.max(1, expected.length / 3));
    for (int from = 0; from < expected.length; from += piece) {
      starts.add(from);
    }
    Collections.shuffle(starts, random);
    double[] values = new double[piece];
    for (int from : starts) {
      int count = Math.min(piece, expected.length - from);
      file.read(variable, from, count, values);
      for (int i = 0; i < count; i++) {
        if (Double.compare(values[i] + 0.0, expected[from + i] + 0.0) != 0) {
          return "value "
              + (from + i)
              + " is "
              + values[i]
              + " instead of "
              + expected[from + i]
              + " "
              + variable.dimensions();
        }
      }
    }
    return null;
  }

  private static String python() throws Exception {
    String named = System.getenv("LOCKSTEP_TEST_PYTHON");
    for (String python :
        new String[] {
          named, "../.cache/python/bin/python", ".cache/python/bin/python", "python3"
        }) {
      if (python != null && exits(python, "-c", "import h5py, netCDF4, pandas")) {
        return python;
      }
    }
    return null;
  }

  private static boolean exits(String... command) throws InterruptedException {
    try {
      Process process =
          new ProcessBuilder(command)
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      return process.waitFor(SECONDS, TimeUnit.SECONDS) && process.exitValue() == 0;
    } catch (IOException e) {
      return false;
    }
  }

  private void run(String... command) throws Exception {
    Path log = folder.resolve("log");
    Process process =
        new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile()).start();
    boolean ended = process.waitFor(SECONDS, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertTrue(ended, "random_files.py takes more than " + SECONDS + " s");
    assertEquals(0, process.exitValue(), () -> text(log));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (IOException e) {
      return e.toString();
    }
  }
}
