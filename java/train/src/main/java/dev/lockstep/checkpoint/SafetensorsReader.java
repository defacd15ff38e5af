package dev.lockstep.checkpoint;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Reads the safetensors format and trusts nothing in it: every length is checked against the file's
 * own before memory is taken, and the tensors must cover the data without gap or overlap.
 *
 * <p>Source: <a href="https://github.com/huggingface/safetensors#format">the format's
 * description</a>; it allows headers of 100 MB, this reader {@value #MAXIMUM_HEADER} bytes.
 */
final class SafetensorsReader {
  /**
   * Room for some 100,000 tensors; a header is held in memory several times over while it is
   * parsed.
   */
  static final int MAXIMUM_HEADER = 16 << 20;

  private static final JsonMapper MAPPER =
      JsonMapper.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private SafetensorsReader() {}

  /** What a tensor's bytes are cut into, as a Java buffer holds at most 2 GiB. */
  private static final int PIECE = 1 << 30;

  /** As {@link #read(Path, int)}. */
  static List<StoredTensor> read(Path file) throws IOException {
    return read(file, PIECE);
  }

  /**
   * Reads every tensor of a file.
   *
   * @param pieceBytes the largest piece of a tensor
   * @return the tensors in the order of their data, each in direct memory of its own
   * @throws SafetensorsException if the file is not what the format says
   * @throws IOException if the file cannot be read
   */
  static List<StoredTensor> read(Path file, int pieceBytes) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      long size = channel.size();
      if (size < Long.BYTES) {
        throw new SafetensorsException(
            String.format(Locale.ROOT, "it has %d bytes, too few for a header", size));
      }
      long header = readFully(channel, 0, Long.BYTES).getLong();
      if (header < 2 || header > size - Long.BYTES) {
        throw new SafetensorsException(
            String.format(
                Locale.ROOT,
                "its header claims %s bytes of a file of %d",
                Long.toUnsignedString(header),
                size));
      }
      if (header > MAXIMUM_HEADER) {
        throw new SafetensorsException(
            String.format(
                Locale.ROOT,
                "its header has %d bytes, more than the %d that are read",
                header,
                MAXIMUM_HEADER));
      }
      long data = Long.BYTES + header;
      List<StoredTensor> tensors = new ArrayList<>();
      for (Entry entry : entries(readFully(channel, Long.BYTES, (int) header), size - data)) {
        List<ByteBuffer> pieces = new ArrayList<>();
        for (long at = entry.begin; at < entry.end || pieces.isEmpty(); at += pieceBytes) {
          int length = (int) Math.min(pieceBytes, entry.end - at);
          pieces.add(readFully(channel, data + at, length));
        }
        tensors.add(new StoredTensor(entry.name, entry.type, entry.shape, pieces));
      }
      return tensors;
    }
  }

  private record Entry(String name, TensorType type, List<Long> shape, long begin, long end) {}

  private static List<Entry> entries(ByteBuffer header, long dataLength)
      throws SafetensorsException {
    byte[] json = new byte[header.remaining()];
    header.get(json);
    JsonNode root;
    try {
      root = MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new SafetensorsException("its header is not valid JSON: " + e.getOriginalMessage(), e);
    } catch (IOException e) {
      throw new SafetensorsException("its header is not valid JSON: " + e.getMessage(), e);
    }
    if (!root.isObject()) {
      throw new SafetensorsException("its header is not a JSON object");
    }
    List<Entry> entries = new ArrayList<>();
    for (Iterator<Map.Entry<String, JsonNode>> fields = root.fields(); fields.hasNext(); ) {
      Map.Entry<String, JsonNode> field = fields.next();
      if (!field.getKey().equals("__metadata__")) {
        entries.add(entry(field.getKey(), field.getValue()));
      }
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    checkCoverage(entries, dataLength);
    return entries;
  }

  private static Entry entry(String name, JsonNode json) throws SafetensorsException {
    TensorType type = type(name, json.path("dtype").asText());
    List<Long> shape = integers(name, "shape", json.path("shape"));
    List<Long> offsets = integers(name, "data_offsets", json.path("data_offsets"));
    if (offsets.size() != 2) {
      throw new SafetensorsException(
          String.format(Locale.ROOT, "tensor '%s' does not have two data_offsets", name));
    }
    long begin = offsets.get(0);
    long end = offsets.get(1);
    long expected;
    try {
      expected = StoredTensor.byteLength(name, type, shape);
    } catch (IllegalArgumentException e) {
      throw new SafetensorsException("its header is wrong: " + e.getMessage(), e);
    }
    if (end < begin || end - begin != expected) {
      throw new SafetensorsException(
          String.format(
              Locale.ROOT,
              "tensor '%s' of type %s and shape %s needs %d bytes, but its offsets are %d to %d",
              name,
              type,
              shape,
              expected,
              begin,
              end));
    }
    return new Entry(name, type, shape, begin, end);
  }

  private static TensorType type(String name, String spelling) throws SafetensorsException {
    return Arrays.stream(TensorType.values())
        .filter(type -> type.name().equals(spelling))
        .findFirst()
        .orElseThrow(
            () ->
                new SafetensorsException(
                    String.format(
                        Locale.ROOT,
                        "tensor '%s' has type '%s', none of %s",
                        name,
                        spelling,
                        Arrays.toString(TensorType.values()))));
  }

  private static List<Long> integers(String name, String key, JsonNode json)
      throws SafetensorsException {
    List<Long> integers = new ArrayList<>();
    for (JsonNode element : json) {
      if (!element.canConvertToLong() || !element.isIntegralNumber() || element.longValue() < 0) {
        throw new SafetensorsException(
            String.format(
                Locale.ROOT,
                "tensor '%s' has %s, no natural number, in its %s",
                name,
                element,
                key));
      }
      integers.add(element.longValue());
    }
    if (!json.isArray()) {
      throw new SafetensorsException(
          String.format(Locale.ROOT, "tensor '%s' has no list '%s'", name, key));
    }
    return integers;
  }

  private static void checkCoverage(List<Entry> entries, long dataLength)
      throws SafetensorsException {
    long covered = 0;
    for (Entry entry : entries) {
      if (entry.begin != covered) {
        throw new SafetensorsException(
            String.format(
                Locale.ROOT,
                "the data of tensor '%s' begins at %d where %d was due, so tensors overlap or leave a gap",
                entry.name,
                entry.begin,
                covered));
      }
      covered = entry.end;
    }
    if (covered != dataLength) {
      throw new SafetensorsException(
          String.format(
              Locale.ROOT,
              "its tensors need %d bytes of data and the file has %d",
              covered,
              dataLength));
    }
  }

  private static ByteBuffer readFully(FileChannel channel, long position, int length)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocateDirect(length).order(ByteOrder.LITTLE_ENDIAN);
    while (bytes.hasRemaining()) {
      if (channel.read(bytes, position + bytes.position()) < 0) {
        throw new EOFException("the file ended while it was read");
      }
    }
    return bytes.flip();
  }
}
