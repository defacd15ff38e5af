package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class NpyFileTest {
  @TempDir Path folder;

  private static byte[] npy(int version, String descr, String order, String shape, byte[] data) {
    String header =
        "{'descr': '" + descr + "', 'fortran_order': " + order + ", 'shape': (" + shape + "), }\n";
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    ByteBuffer bytes = ByteBuffer.allocate(12 + text.length + data.length);
    bytes
        .order(ByteOrder.LITTLE_ENDIAN)
        .put((byte) 0x93)
        .put("NUMPY".getBytes(StandardCharsets.UTF_8));
    bytes.put((byte) version).put((byte) 0);
    if (version == 1) {
      bytes.putShort((short) text.length);
    } else {
      bytes.putInt(text.length);
    }
    return Arrays.copyOf(bytes.put(text).put(data).array(), bytes.position());
  }

  private double[] read(byte[] npy) throws IOException {
    Path path = Files.write(folder.resolve("a.npy"), npy);
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      return Resources.values(file, "data", 2);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3})
  void readsEveryVersion(int version) throws IOException {
    ByteBuffer data = ByteBuffer.allocate(24).order(ByteOrder.LITTLE_ENDIAN);
    data.putDouble(1.5).putDouble(-2).putDouble(Double.NaN);
    assertArrayEquals(
        new double[] {1.5, -2, Double.NaN}, read(npy(version, "<f8", "False", "3,", data.array())));
  }

  @ParameterizedTest
  @CsvSource({
    "<f8, 000000000000F03F, 1",
    ">f8, 3FF0000000000000, 1",
    "<f4, 000080BF, -1",
    ">f4, BF800000, -1",
    "<f2, 0038, 0.5",
    ">f2, C000, -2",
    "<f2, 0100, 5.960464477539063e-8",
    "<f2, 007C, Infinity",
    "<i8, FEFFFFFFFFFFFFFF, -2",
    ">i8, FFFFFFFFFFFFFFFE, -2",
    "<i4, FEFFFFFF, -2",
    ">i4, 00000100, 256",
    "<i2, FEFF, -2",
    "|i1, FE, -2",
    "|u1, FE, 254",
    "<u2, FEFF, 65534",
    "<u4, FEFFFFFF, 4294967294",
    "<u8, 00F8FFFFFFFFFFFF, 18446744073709549568",
    "|b1, 01, 1"
  })
  void readsEveryType(String descr, String hex, double expected) throws IOException {
    byte[] data = new byte[hex.length() / 2];
    for (int i = 0; i < data.length; i++) {
      data[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
    }
    assertArrayEquals(new double[] {expected}, read(npy(1, descr, "False", "1,", data)));
  }

  @ParameterizedTest
  @CsvSource({"False, 010203040506", "True, 010402050306"})
  void columnsAreTheSameInEitherOrder(String fortran, String hex) throws IOException {
    byte[] data = new byte[6];
    for (int i = 0; i < 6; i++) {
      data[i] = (byte) (hex.charAt(2 * i + 1) - '0');
    }
    Path path = Files.write(folder.resolve("b.npy"), npy(1, "|u1", fortran, "2, 3", data));
    DataConfig config =
        new DataConfig(
            path.toString(),
            Format.AUTO,
            null,
            FeatureConfig.ofVariables(List.of("data[0]", "data[2]")),
            List.of("data[1]"),
            true,
            0,
            1);
    try (Dataset dataset = DataFiles.open(config)) {
      double[] features = new double[4];
      double[] targets = new double[2];
      dataset.read(new long[] {0, 1}, 0, 2, features, targets);
      assertArrayEquals(new double[] {1, 3, 4, 6}, features);
      assertArrayEquals(new double[] {2, 5}, targets);
    }
  }

  @Test
  void countsTheColumnsOfLargerArraysInCOrder() throws IOException {
    // numpy: a.reshape(2, 2, 2), stored by columns.
    byte[] data = {0, 4, 2, 6, 1, 5, 3, 7};
    Path path = Files.write(folder.resolve("c.npy"), npy(1, "|u1", "True", "2, 2, 2", data));
    DataConfig config =
        new DataConfig(
            path.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of("data")),
            List.of(),
            true,
            0,
            1);
    try (Dataset dataset = DataFiles.open(config)) {
      double[] features = new double[8];
      dataset.read(new long[] {0, 1}, 0, 2, features, new double[0]);
      assertArrayEquals(new double[] {0, 1, 2, 3, 4, 5, 6, 7}, features);
    }
  }

  @Test
  void readsWhatNumpyCompressed() throws IOException {
    Path path = Resources.file(folder, "numpy.npz.base64");
    try (ArrayFile file = DataFiles.openArrays(path, Format.AUTO)) {
      assertEquals("NPZ", file.format());
      assertArrayEquals(new double[] {1, 4, 2, 5, 3, 6}, Resources.values(file, "x", 4));
      assertArrayEquals(new double[] {0.5, Double.NaN}, Resources.values(file, "y", 1));
      assertArrayEquals(new double[] {1, 0}, Resources.values(file, "m", 2));
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
      assertEquals(1, dataset.size());
      assertEquals(List.of("x[0]", "x[1]", "x[2]"), dataset.featureNames());
    }
  }

  @Test
  void refusesATornArchive() throws IOException {
    Path path = Resources.file(folder, "numpy.npz.base64");
    byte[] bytes = Files.readAllBytes(path);
    DataException e =
        assertThrows(
            DataException.class,
            () ->
                DataFiles.describe(
                    Files.write(folder.resolve("cut.npz"), Arrays.copyOf(bytes, 90))));
    assertTrue(e.getMessage().contains("not a whole zip archive"), e.getMessage());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "<f8; False; 2,; is cut short",
        "<c16; False; 1,; elements of type <c16",
        "<f8; Maybe; 1,; no readable order",
        "<f8; False; -1,; no readable shape",
        "<f8; False; 99999999999, 99999999999; impossible shape",
        "<f8; False; 99999999999999999999,; impossible length"
      })
  void saysWhatIsWrong(String descr, String order, String shape, String expected) {
    DataException e =
        assertThrows(DataException.class, () -> read(npy(1, descr, order, shape, new byte[8])));
    assertTrue(e.getMessage().contains(expected), e.getMessage());
    assertTrue(e.getMessage().startsWith(folder.toString()), e.getMessage());
  }

  @Test
  void refusesAHeaderThatIsCutShort() {
    byte[] whole = npy(1, "<f8", "False", "1,", new byte[8]);
    for (int length = 8; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThrows(DataException.class, () -> read(cut));
    }
  }

  @Test
  void namesTheColumnsThatExist() throws IOException {
    Path path =
        Files.write(folder.resolve("d.npy"), npy(1, "|u1", "False", "1, 3", new byte[] {1, 2, 3}));
    DataConfig config =
        new DataConfig(
            path.toString(),
            Format.AUTO,
            null,
            List.of(FeatureConfig.of("data[3]")),
            List.of(),
            true,
            0,
            1);
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> DataFiles.open(config));
    assertTrue(e.getMessage().contains("data[3] does not exist; data has 3"), e.getMessage());
  }
}
