package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.lockstep.data.DataConfig.Format;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.zip.CRC32C;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Stores written by hand after the specifications; {@link RandomFilesTest} has those of zarr. */
class ZarrFileTest {
  private static final double NAN = Double.NaN;

  @TempDir Path folder;

  private Path put(String key, String text) throws IOException {
    return put(key, text.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  private Path put(String key, byte[] bytes) throws IOException {
    Path file = folder.resolve("store.zarr").resolve(key);
    Files.createDirectories(file.getParent());
    return Files.write(file, bytes);
  }

  private static byte[] shorts(ByteOrder order, int... values) {
    ByteBuffer bytes = ByteBuffer.allocate(2 * values.length).order(order);
    for (int value : values) {
      bytes.putShort((short) value);
    }
    return bytes.array();
  }

  private ArrayFile open() {
    return DataFiles.openArrays(folder.resolve("store.zarr"), Format.AUTO);
  }

  /** Three rows of three in chunks of two by two, in Fortran's order; one chunk is not there. */
  private void version2() throws IOException {
    put(".zgroup", "{'zarr_format': 2}");
    put(
        "v/.zarray",
        "{'zarr_format': 2, 'shape': [3, 3], 'chunks': [2, 2], 'dtype': '>i2', 'order': 'F',"
            + " 'compressor': null, 'filters': null, 'fill_value': -9}");
    put(
        "v/.zattrs",
        "{'_ARRAY_DIMENSIONS': ['y', 'x'], 'scale_factor': 0.5, 'add_offset': 10.0, 'units': 'K'}");
    put("v/0.0", shorts(ByteOrder.BIG_ENDIAN, 0, 10, 1, 11));
    put("v/0.1", shorts(ByteOrder.BIG_ENDIAN, 2, 12, -9, -9));
    put("v/1.0", shorts(ByteOrder.BIG_ENDIAN, 20, -9, 21, -9));
  }

  @Test
  void version2InFortransOrderWithAChunkThatIsNotThere() throws IOException {
    version2();
    try (ArrayFile file = open()) {
      assertEquals("Zarr 2", file.format());
      Variable v = file.variables().get(0);
      assertEquals(
          List.of(new Variable.Dimension("y", 3), new Variable.Dimension("x", 3)), v.dimensions());
      assertEquals("K", v.attributes().get("units"));
      double[] expected = {10, 10.5, 11, 15, 15.5, 16, 20, 20.5, NAN};
      assertArrayEquals(expected, Resources.values(file, "v", 9));
      assertArrayEquals(expected, Resources.values(file, "v", 2));
    }
  }

  @Test
  void anArchiveIsReadLikeAFolder() throws IOException {
    version2();
    Path root = folder.resolve("store.zarr");
    Path zip = folder.resolve("packed.zip");
    try (OutputStream out = Files.newOutputStream(zip);
        ZipOutputStream archive = new ZipOutputStream(out);
        var files = Files.walk(root)) {
      for (Path file : files.filter(Files::isRegularFile).toList()) {
        archive.putNextEntry(new ZipEntry(root.relativize(file).toString()));
        archive.write(Files.readAllBytes(file));
      }
    }
    try (ArrayFile file = DataFiles.openArrays(zip, Format.AUTO)) {
      assertEquals(15.5, Resources.values(file, "v", 9)[4]);
    }
  }

  private static String shardedJson() {
    return "{'zarr_format': 3, 'node_type': 'array', 'shape': [4], 'data_type': 'int16',"
        + " 'chunk_grid': {'name': 'regular', 'configuration': {'chunk_shape': [4]}},"
        + " 'chunk_key_encoding': {'name': 'default', 'configuration': {'separator': '/'}},"
        + " 'fill_value': 7, 'dimension_names': ['x'], 'attributes': {},"
        + " 'codecs': [{'name': 'sharding_indexed', 'configuration': {'chunk_shape': [2],"
        + " 'codecs': [{'name': 'bytes', 'configuration': {'endian': 'little'}}],"
        + " 'index_codecs': [{'name': 'bytes', 'configuration': {'endian': 'little'}},"
        + " {'name': 'crc32c'}], 'index_location': 'end'}}]}";
  }

  /** The second chunk alone lies in the shard. */
  private static byte[] shard() {
    ByteBuffer bytes = ByteBuffer.allocate(4 + 32 + 4).order(ByteOrder.LITTLE_ENDIAN);
    bytes.put(shorts(ByteOrder.LITTLE_ENDIAN, -3, 300));
    bytes.putLong(-1).putLong(-1).putLong(0).putLong(4);
    CRC32C sum = new CRC32C();
    sum.update(bytes.array(), 4, 32);
    return bytes.putInt((int) sum.getValue()).array();
  }

  @Test
  void version3WithAShardOfWhichOneChunkWasNeverWritten() throws IOException {
    put("zarr.json", "{'zarr_format': 3, 'node_type': 'group'}");
    put("v/zarr.json", shardedJson());
    put("v/c/0", shard());
    try (ArrayFile file = open()) {
      assertEquals("Zarr 3", file.format());
      assertArrayEquals(new double[] {7, 7, -3, 300}, Resources.values(file, "v", 3));
    }
  }

  @Test
  void aWrongChecksumACutChunkAndMetadataThatMakeNoSenseAreNamed() throws IOException {
    put("zarr.json", "{'zarr_format': 3, 'node_type': 'group'}");
    put("v/zarr.json", shardedJson());
    byte[] damaged = shard();
    damaged[10] ^= 1;
    put("v/c/0", damaged);
    assertTrue(failure().contains("crc32c"), failure());
    put("v/c/0", new byte[10]);
    assertTrue(failure().contains("cut short"), failure());
    put("v/zarr.json", "{'zarr_format': 3, ");
    assertTrue(assertThrows(DataException.class, this::open).getMessage().contains("no JSON"));
  }

  private String failure() {
    try (ArrayFile file = open()) {
      return String.valueOf(
          assertThrows(DataException.class, () -> Resources.values(file, "v", 4)).getMessage());
    }
  }

  @Test
  void whatCannotBeReadHarmsNoOtherArray() throws IOException {
    version2();
    String[] kinds = {"'<M8[ns]'", "'|S3'", "[['a', '<i4']]"};
    for (int i = 0; i < kinds.length; i++) {
      put(
          "odd" + i + "/.zarray",
          "{'zarr_format': 2, 'shape': [3], 'chunks': [3], 'dtype': "
              + kinds[i]
              + ", 'order': 'C', 'compressor': null, 'filters': null, 'fill_value': null}");
    }
    put(
        "bz/.zarray",
        "{'zarr_format': 2, 'shape': [3], 'chunks': [3], 'dtype': '<f8', 'order': 'C',"
            + " 'compressor': {'id': 'bz2', 'level': 1}, 'filters': null, 'fill_value': 0.0}");
    try (ArrayFile file = open()) {
      assertEquals(1, file.variables().size());
      List<String> names = new ArrayList<>();
      file.unreadable()
          .forEach(u -> names.add(u.name() + " " + u.reason().toLowerCase(Locale.ROOT)));
      assertEquals(4, names.size());
      assertTrue(names.get(0).contains("bz2"), names.get(0));
    }
  }

  @Test
  void aFolderWithoutAStoreIsSaidToBeOne() {
    String message =
        assertThrows(DataException.class, () -> DataFiles.openArrays(folder, Format.AUTO))
            .getMessage();
    assertTrue(message.contains("it is a folder"), message);
  }

  private void one(String name, String dtype, String fill, String compressor) throws IOException {
    put(
        name + "/.zarray",
        String.format(
            Locale.ROOT,
            "{'zarr_format': 2, 'shape': [2], 'chunks': [2], 'dtype': '%s', 'order': 'C',"
                + " 'compressor': %s, 'filters': null, 'fill_value': %s}",
            dtype,
            compressor,
            fill));
  }

  /** 1e20 is no number of 32 bits: the marker is 100000002004087734272. */
  @Test
  void chunksThatAreNotThereAreMissingWhereverTheFillValueIsPrintedShort() throws IOException {
    put(".zgroup", "{'zarr_format': 2}");
    one("v", "<f4", "1e20", "null");
    one("w", "<f4", "NaN", "null");
    put("w/.zattrs", "{'actual_range': [NaN, Infinity]}");
    try (ArrayFile file = open()) {
      assertArrayEquals(new double[] {NAN, NAN}, Resources.values(file, "v", 2));
      assertArrayEquals(new double[] {NAN, NAN}, Resources.values(file, "w", 2));
    }
  }

  @Test
  void aCutChunkThatBloscStoredAsItIsIsNamed() throws IOException {
    put(".zgroup", "{'zarr_format': 2}");
    one("v", "<i2", "null", "{'id': 'blosc'}");
    ByteBuffer chunk = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN);
    chunk.put(new byte[] {2, 1, 2, 2}).putInt(4).putInt(4).putInt(20);
    put("v/0", chunk.putShort((short) 5).putShort((short) 6).array());
    try (ArrayFile file = open()) {
      assertArrayEquals(new double[] {5, 6}, Resources.values(file, "v", 2));
    }
    put("v/0", Arrays.copyOf(chunk.array(), 18));
    try (ArrayFile file = open()) {
      DataException e = assertThrows(DataException.class, () -> Resources.values(file, "v", 2));
      assertTrue(String.valueOf(e.getMessage()).contains("cut short"), e::getMessage);
    }
  }

  @Test
  void metadataCannotNameWhatLiesOutsideOfTheStore() throws IOException {
    put(
        ".zmetadata",
        "{'metadata': {'../v/.zarray': {'zarr_format': 2, 'shape': [2], 'chunks': [2], 'dtype':"
            + " '<i2', 'order': 'C', 'compressor': null, 'filters': null, 'fill_value': 0}}}");
    put("../v/0", shorts(ByteOrder.LITTLE_ENDIAN, 1, 2));
    try (ArrayFile file = open()) {
      DataException e = assertThrows(DataException.class, () -> Resources.values(file, "../v", 2));
      assertTrue(String.valueOf(e.getMessage()).contains("outside of the store"), e::getMessage);
    }
  }
}
