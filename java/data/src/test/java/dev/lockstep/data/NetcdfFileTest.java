package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfFile;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NetcdfFileTest {
  private static final double GONE = Double.NaN;
  static final double[] PACKED = {
    10, 10.5, 11, GONE, GONE, GONE, 13, 13.5, 14, 14.5, 15, 15.5, 16, 16.5, 17, 17.5, 18, 18.5
  };
  static final double[] WIND = {
    0.5, GONE, 2.5, GONE, 4.5, 5.5, 6.5, 7.5, 8.5, 9.5, 10.5, 11.5, 12.5, 13.5, 14.5, 15.5, 16.5,
    17.5
  };

  @TempDir Path folder;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5})
  void readsEveryVersion(int version) throws IOException {
    Path path = Resources.file(folder, "tiny-cdf" + version + ".base64");
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      assertEquals("NetCDF classic (CDF-" + version + ")", file.format());
      assertIsTiny(file);
      assertEquals("letter", file.unreadable().get(0).name());
      assertEquals("holds text, not numbers", file.unreadable().get(0).reason());
    }
  }

  /** Checks against tiny.cdl, in pieces that end inside, at and across records. */
  static void assertIsTiny(ArrayFile file) {
    for (int piece : new int[] {1, 4, 6, 7, 100}) {
      assertArrayEquals(new double[] {-45, 45}, Resources.values(file, "y", piece));
      assertArrayEquals(new double[] {1, -2, 3}, Resources.values(file, "flag", piece));
      assertArrayEquals(PACKED, Resources.values(file, "packed", piece));
      assertArrayEquals(new double[] {1, 2, GONE, 4, 5, 6}, Resources.values(file, "count", piece));
      assertArrayEquals(WIND, Resources.values(file, "wind", piece));
      assertArrayEquals(new double[] {2.25}, Resources.values(file, "height", piece));
    }
    Variable wind =
        file.variables().stream().filter(v -> v.name().equals("wind")).findFirst().orElseThrow();
    assertEquals(
        List.of(new Dimension("time", 3), new Dimension("y", 2), new Dimension("x", 3)),
        wind.dimensions());
    Variable y =
        file.variables().stream().filter(v -> v.name().equals("y")).findFirst().orElseThrow();
    assertEquals("degrees_north", y.attributes().get("units"));
  }

  @Test
  void doesNotExpectPaddingBetweenRecordsOfTheOnlyRecordVariable() throws IOException {
    Path path = Resources.file(folder, "single-record-variable.base64");
    try (ArrayFile file = NetcdfFile.open(path)) {
      double[] expected = {1, 2, 3, 4, 5, 6, 7, 8, 9};
      assertArrayEquals(expected, Resources.values(file, "only", 2));
    }
  }

  @Test
  void readsTheTypesOfCdf5() throws IOException {
    try (ArrayFile file = NetcdfFile.open(Resources.file(folder, "types-cdf5.base64"))) {
      assertArrayEquals(new double[] {1, 255}, Resources.values(file, "a", 2));
      assertArrayEquals(new double[] {65534, GONE}, Resources.values(file, "b", 2));
      assertArrayEquals(new double[] {4294967294.0, GONE}, Resources.values(file, "c", 2));
      assertArrayEquals(new double[] {-0x1p53, GONE}, Resources.values(file, "d", 2));
      assertArrayEquals(new double[] {0x1p64 - 2048, GONE}, Resources.values(file, "e", 2));
    }
  }

  @Test
  void countsTheRecordsOfAFileWhoseWriterLeftThemOpen() throws IOException {
    byte[] bytes = Resources.bytes("tiny-cdf1.base64");
    Arrays.fill(bytes, 4, 8, (byte) 0xFF);
    try (ArrayFile file = NetcdfFile.open(Files.write(folder.resolve("open.nc"), bytes))) {
      assertIsTiny(file);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-cdf1.base64", "tiny-cdf5.base64"})
  void refusesAFileThatIsCutShortAnywhere(String name) throws IOException {
    byte[] whole = Resources.bytes(name);
    for (int length = 3; length < whole.length - 3; length++) {
      Path path = Files.write(folder.resolve("cut.nc"), Arrays.copyOf(whole, length));
      DataException e = assertThrows(DataException.class, () -> NetcdfFile.open(path));
      assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
      assertTrue(e.getMessage().contains("byte"), e.getMessage());
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tiny-cdf1.base64", "tiny-cdf2.base64", "tiny-cdf5.base64"})
  void survivesDamageAnywhere(String name) throws IOException {
    byte[] whole = Resources.bytes(name);
    long seed = 7;
    Random random = new Random(seed);
    int refused = 0;
    for (int trial = 0; trial < 400; trial++) {
      byte[] damaged = whole.clone();
      for (int i = random.nextInt(4); i >= 0; i--) {
        damaged[3 + random.nextInt(whole.length - 3)] =
            (byte) (random.nextBoolean() ? random.nextInt(256) : 0xFF * random.nextInt(2));
      }
      try (ArrayFile file = NetcdfFile.open(Files.write(folder.resolve("d.nc"), damaged))) {
        double[] values = new double[16];
        for (Variable variable : file.variables()) {
          file.read(variable, 0, (int) Math.min(16, variable.size()), values);
        }
      } catch (DataException e) {
        refused++;
      }
    }
    assertTrue(refused > 50, refused + " of 400 refused with seed " + seed);
  }

  @Test
  void doesNotAllocateWhatAHostileLengthAsksFor() throws IOException {
    byte[] bytes = Resources.bytes("tiny-cdf5.base64");
    // The number of dimensions, after magic, record count and tag.
    bytes[16] = 0x7F;
    Path path = Files.write(folder.resolve("hostile.nc"), bytes);
    DataException e = assertThrows(DataException.class, () -> NetcdfFile.open(path));
    assertTrue(e.getMessage().contains("list of dimensions"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource({"classic, 1", "64-bit-offset, 2", "cdf5, 5"})
  void agreesWithNcgen(String kind, int version) throws Exception {
    Path cdl = folder.resolve("tiny.cdl");
    Files.write(cdl, NetcdfFileTest.class.getResourceAsStream("tiny.cdl").readAllBytes());
    Path made = folder.resolve("made.nc");
    ncgen("-k", kind, "-o", made.toString(), cdl.toString());
    try (ArrayFile file = NetcdfFile.open(made)) {
      assertEquals("NetCDF classic (CDF-" + version + ")", file.format());
      assertIsTiny(file);
    }
  }

  static void ncgen(String... arguments) throws Exception {
    boolean present = Files.isExecutable(Path.of("/usr/bin/ncgen"));
    assumeTrue(present, "ncgen is absent: install Debian's package netcdf-bin");
    String[] command = new String[arguments.length + 1];
    command[0] = "/usr/bin/ncgen";
    System.arraycopy(arguments, 0, command, 1, arguments.length);
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    assertTrue(process.waitFor(120, TimeUnit.SECONDS), "ncgen hangs");
    assertEquals(0, process.exitValue(), () -> new String(output(process), StandardCharsets.UTF_8));
  }

  private static byte[] output(Process process) {
    try {
      return process.getInputStream().readAllBytes();
    } catch (IOException e) {
      return e.toString().getBytes(StandardCharsets.UTF_8);
    }
  }
}
