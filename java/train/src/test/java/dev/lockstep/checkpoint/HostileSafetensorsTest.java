package dev.lockstep.checkpoint;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class HostileSafetensorsTest {
  private static final String ONE_FLOAT =
      "{\"a\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[0,4]}}";

  @TempDir Path folder;

  @Test
  void refusesHeadersLongerThanTheFileWithoutTakingTheirMemory() throws IOException {
    for (long length : new long[] {Long.MAX_VALUE, -1, 1L << 40, 3, 1 << 30}) {
      refused("claims", file(length, "{}", 0));
    }
  }

  @Test
  void refusesHeadersPastTheLimitThoughTheFileHasThem() throws IOException {
    Path file = folder.resolve("sparse");
    Files.write(file, bytes(SafetensorsReader.MAXIMUM_HEADER + 1L, "", 0));
    try (var channel = Files.newByteChannel(file, java.nio.file.StandardOpenOption.WRITE)) {
      channel.position(32L << 20).write(ByteBuffer.wrap(new byte[1]));
    }
    refused("more than", file);
  }

  @Test
  void refusesFilesWithoutAHeader() throws IOException {
    refused("too few", Files.write(folder.resolve("short"), new byte[7]));
    refused("claims", Files.write(folder.resolve("zero"), new byte[8]));
  }

  @Test
  void refusesBadJson() throws IOException {
    refused("not valid JSON", header("{\"a\":", 0));
    refused("not valid JSON", header("{} {}", 0));
    refused("not valid JSON", header("[".repeat(100_000), 0));
    refused("not a JSON object", header("[1]", 0));
    refused("not valid JSON", header(ONE_FLOAT.replace("}}", "},\"a\":1}"), 4));
  }

  @Test
  void refusesTensorsThatOverlapOrLeaveAGap() throws IOException {
    String second = ",\"b\":{\"dtype\":\"F32\",\"shape\":[1],\"data_offsets\":[%d,%d]}}";
    refused(
        "overlap",
        header(ONE_FLOAT.replaceFirst("}$", String.format(Locale.ROOT, second, 2, 6)), 6));
    refused(
        "overlap",
        header(ONE_FLOAT.replaceFirst("}$", String.format(Locale.ROOT, second, 0, 4)), 4));
    refused(
        "gap", header(ONE_FLOAT.replaceFirst("}$", String.format(Locale.ROOT, second, 6, 10)), 10));
  }

  @Test
  void refusesTensorsPastTheData() throws IOException {
    refused("the file has 3", header(ONE_FLOAT, 3));
    refused("the file has 5", header(ONE_FLOAT, 5));
    String huge =
        ONE_FLOAT
            .replace("[1]", "[2305843009213693951]")
            .replace("[0,4]", "[0,9223372036854775804]");
    refused("the file has 4", header(huge, 4));
  }

  @Test
  void refusesShapesThatOverflowOrDisagree() throws IOException {
    refused("larger than any file", header(ONE_FLOAT.replace("[1]", "[4294967296,4294967296]"), 4));
    refused("needs 8 bytes", header(ONE_FLOAT.replace("[1]", "[2]"), 4));
    refused("natural", header(ONE_FLOAT.replace("[1]", "[-1]"), 4));
    refused("natural", header(ONE_FLOAT.replace("[1]", "[1.0]"), 4));
    refused("natural", header(ONE_FLOAT.replace("[1]", "[99999999999999999999]"), 4));
    refused("no list 'shape'", header(ONE_FLOAT.replace("[1]", "1"), 4));
    refused("data_offsets", header(ONE_FLOAT.replace("[0,4]", "[0]"), 4));
    refused("none of", header(ONE_FLOAT.replace("F32", "F9"), 4));
  }

  @Test
  void survivesAnyChangedByte() throws IOException {
    long seed = 20_261_121;
    Random random = new Random(seed);
    byte[] good = bytes(ONE_FLOAT.length(), ONE_FLOAT, 4);
    for (int round = 0; round < 500; round++) {
      byte[] bad = good.clone();
      bad[random.nextInt(bad.length)] = (byte) random.nextInt(256);
      Path file = Files.write(folder.resolve("changed"), bad);
      try {
        SafetensorsReader.read(file);
      } catch (SafetensorsException | IllegalArgumentException expected) {
        assertTrue(expected.getMessage() != null, "seed " + seed + ", round " + round);
      }
    }
  }

  private void refused(String reason, Path file) {
    SafetensorsException e =
        assertThrows(SafetensorsException.class, () -> SafetensorsReader.read(file));
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  private Path header(String header, int data) throws IOException {
    return file(header.getBytes(StandardCharsets.UTF_8).length, header, data);
  }

  private Path file(long length, String header, int data) throws IOException {
    return Files.write(folder.resolve("hostile"), bytes(length, header, data));
  }

  private static byte[] bytes(long length, String header, int data) {
    byte[] text = header.getBytes(StandardCharsets.UTF_8);
    return ByteBuffer.allocate(8 + text.length + data)
        .order(ByteOrder.LITTLE_ENDIAN)
        .putLong(length)
        .put(text)
        .array();
  }
}
