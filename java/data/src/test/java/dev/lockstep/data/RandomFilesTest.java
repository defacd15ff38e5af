package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.Random;
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
  private static final int SECONDS = 240 + FILES;

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(
      strings = {"hdf5", "netcdf4", "classic", "conventions", "npy", "npz", "csv", "idx", "zarr"})
  void readsEveryValueAsTheIndependentReader(String kind) throws Exception {
    Optional<PythonReference> python = PythonReference.with(imports(kind));
    assumeTrue(python.isPresent(), () -> "no Python with " + imports(kind) + ": see hpc/test.sh");
    python
        .get()
        .copying(
            "random_numbers.py",
            "random_hdf5.py",
            "random_netcdf.py",
            "random_tables.py",
            "random_zarr.py")
        .run(folder, "random_files.py", SECONDS, kind, folder.toString(), "" + SEED, "" + FILES);
    compareAll(folder, kind, FILES);
  }

  private static String imports(String kind) {
    return switch (kind) {
      case "conventions" -> "h5py, netCDF4, xarray";
      case "zarr" -> "xarray, zarr, numcodecs; from zarr.codecs import BloscCodec";
      default -> "h5py, netCDF4, pandas";
    };
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
                  p ->
                      p.getFileName()
                          .toString()
                          .matches(number + "\\.(h5|nc|npy|npz|csv|idx|zarr|zip)"))
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
}
