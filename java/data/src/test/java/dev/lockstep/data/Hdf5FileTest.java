package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.lockstep.data.DataConfig.Format;
import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class Hdf5FileTest {
  @TempDir Path folder;

  @Test
  void readsNetcdf4WithItsDimensionScales() throws IOException {
    Path path = Resources.file(folder, "tiny-netcdf4.gz.base64");
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      assertEquals("NetCDF-4", file.format());
      NetcdfFileTest.assertIsTiny(file);
      List<String> names = file.variables().stream().map(Variable::name).sorted().toList();
      assertEquals(List.of("count", "flag", "height", "packed", "wind", "y"), names);
    }
  }

  @Test
  void readsAnArrayWithoutScalesAsATable() {
    Path path = folder.resolve("plain.h5");
    try (WritableHdfFile out = HdfFile.write(path)) {
      out.putDataset("x", new float[][] {{1, 2, 0}, {4, 5, 6}});
      out.putDataset("y", new long[] {7, 8});
    }
    DataConfig config =
        new DataConfig(
            path.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of("x")),
            List.of("y"),
            true,
            0,
            1);
    try (Dataset dataset = DataFiles.open(config)) {
      assertEquals(2, dataset.size());
      assertEquals(List.of("x[0]", "x[1]", "x[2]"), dataset.featureNames());
      double[] features = new double[6];
      double[] targets = new double[2];
      dataset.read(new long[] {1, 0}, 0, 2, features, targets);
      assertArrayEquals(new double[] {4, 5, 6, 1, 2, 0}, features);
      assertArrayEquals(new double[] {8, 7}, targets);
    }
  }

  /** Four doubles in chunks of two, written by h5py and by netCDF4. */
  @ParameterizedTest
  @ValueSource(strings = {"h5", "nc"})
  void readsEveryChunkOfADataset(String writer) throws IOException {
    Path path = Resources.file(folder, "four-in-two-chunks-" + writer + ".gz.base64");
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      assertArrayEquals(new double[] {1, 2, 3, 4}, Resources.values(file, "v", 4));
      assertArrayEquals(new double[] {1, 2, 3, 4}, Resources.values(file, "v", 3));
    }
  }

  /** A file of some hundred bytes must not make its reader fill in values for minutes. */
  @Test
  void aShapeThatTheFileCannotHoldIsNotBelieved() throws IOException {
    byte[] file = Resources.bytes("four-in-two-chunks-h5.gz.base64");
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    int shape = 0;
    while (bytes.getLong(shape) != 4 || bytes.getLong(shape + Long.BYTES) != 4) {
      shape++; // The length and the largest length of its one dimension.
    }
    bytes.putLong(shape, 1L << 25).putLong(shape + Long.BYTES, 1L << 25);
    Path path = Files.write(folder.resolve("large.h5"), file);
    ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    FileDescription description = DataFiles.describe(path);
    long allocated = threads.getCurrentThreadAllocatedBytes() - before;
    assertTrue(allocated < 16 << 20, allocated + " bytes were allocated");
    assertEquals(List.of(), description.variables());
    assertEquals(
        "states 33554432 values, of which " + file.length + " bytes hold few",
        description.unreadable().get(0).reason());
  }

  @Test
  void refusesADamagedFile() throws IOException {
    byte[] whole = Resources.bytes("tiny-netcdf4.gz.base64");
    for (int length = 8; length < whole.length - 4096; length += 997) {
      Path path = Files.write(folder.resolve("cut.h5"), Arrays.copyOf(whole, length));
      DataException e = assertThrows(DataException.class, () -> DataFiles.describe(path));
      assertTrue(e.getMessage().startsWith(path.toString()), e.getMessage());
    }
  }
}
