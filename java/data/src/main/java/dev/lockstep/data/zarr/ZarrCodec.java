package dev.lockstep.data.zarr;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.codec.Blosc;
import dev.lockstep.data.codec.Compression;
import dev.lockstep.data.codec.Shuffle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;

/** Undoes one step of how a chunk's bytes were encoded. Thread-safe. */
interface ZarrCodec {
  /**
   * Decodes.
   *
   * @param size bytes that come out at most
   * @throws UnreadableException if the bytes make no sense
   */
  byte[] decode(byte[] bytes, int size);

  /** Room for a checksum or a header that another codec appends. */
  int SLACK = 64;

  /** The compressor or a filter of version 2 (numcodecs); all bytes in, all bytes out. */
  static ZarrCodec ofVersion2(JsonNode config) {
    return named(config.path("id").asText(), config);
  }

  /** The bytes-to-bytes codecs of version 3, in the order of encoding. */
  static List<ZarrCodec> ofVersion3(List<JsonNode> configs) {
    List<ZarrCodec> codecs = new ArrayList<>();
    for (JsonNode config : configs) {
      String name = config.path("name").asText();
      // numcodecs' own are registered with their name as a prefix.
      String plain = name.startsWith("numcodecs.") ? name.substring(10) : name;
      codecs.add(named(plain, config.path("configuration")));
    }
    return codecs;
  }

  private static ZarrCodec named(String name, JsonNode config) {
    return switch (name) {
      case "gzip" -> compressed(Compression.GZIP);
      case "zlib" -> compressed(Compression.ZLIB);
      case "zstd" -> compressed(Compression.ZSTD);
      case "blosc" -> (bytes, size) -> Blosc.decode(bytes, size + SLACK);
      case "lz4" -> ZarrCodec::lz4;
      case "crc32c" -> ZarrCodec::withoutCrc32c;
      case "shuffle" -> {
        int elementBytes = config.path("elementsize").asInt(4);
        yield (bytes, size) -> Shuffle.undoBytes(bytes, elementBytes);
      }
      default ->
          throw new UnreadableException(
              "is encoded with " + name + ", which is not read; write it with zstd or blosc");
    };
  }

  private static ZarrCodec compressed(Compression compression) {
    return (bytes, size) -> compression.decode(bytes, 0, bytes.length, size + SLACK);
  }

  /** The decoded size goes before the block (numcodecs). */
  private static byte[] lz4(byte[] bytes, int size) {
    if (bytes.length < Integer.BYTES) {
      throw new UnreadableException("is damaged: an LZ4 chunk of " + bytes.length + " bytes");
    }
    int stated = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt();
    if (stated < 0 || stated > size + SLACK) {
      throw new UnreadableException("is damaged: an LZ4 chunk states " + stated + " bytes");
    }
    return Compression.LZ4.decode(bytes, Integer.BYTES, bytes.length - Integer.BYTES, stated);
  }

  private static byte[] withoutCrc32c(byte[] bytes, int size) {
    int length = bytes.length - Integer.BYTES;
    if (length < 0) {
      throw new UnreadableException("is damaged: a chunk is shorter than its checksum");
    }
    CRC32C sum = new CRC32C();
    sum.update(bytes, 0, length);
    if ((int) sum.getValue()
        != ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN).getInt(length)) {
      throw new UnreadableException("is damaged: the checksum of a chunk (crc32c) is wrong");
    }
    return Arrays.copyOf(bytes, length);
  }
}
