package dev.lockstep.data.zarr;

import com.fasterxml.jackson.databind.JsonNode;
import dev.lockstep.data.Packing;
import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Reads the metadata of one array: {@code .zarray} and {@code .zattrs}, or {@code zarr.json}. */
final class ZarrMetadata {
  private static final String FILL = "_FillValue";

  private final int number;
  private final String name;
  private final JsonNode json;
  private final Map<String, Object> attributes;

  /**
   * Takes what is known of an array.
   *
   * @param name with the groups that it lies in
   * @param json of the array
   * @param attributes its attributes
   */
  ZarrMetadata(int number, String name, JsonNode json, JsonNode attributes) {
    this.number = number;
    this.name = name;
    this.json = json;
    this.attributes = new LinkedHashMap<>();
    attributes
        .fields()
        .forEachRemaining(
            entry -> {
              Object value = value(entry.getValue());
              if (value != null) {
                this.attributes.put(entry.getKey(), value);
              }
            });
    this.attributes.remove("_ARRAY_DIMENSIONS");
  }

  private static @Nullable Object value(JsonNode node) {
    if (node.isTextual()) {
      return node.asText();
    }
    List<JsonNode> elements = new ArrayList<>();
    (node.isArray() ? node : List.of(node)).forEach(elements::add);
    if (elements.isEmpty() || !elements.stream().allMatch(JsonNode::isNumber)) {
      return null;
    }
    return elements.stream().allMatch(JsonNode::canConvertToLong)
            && elements.stream().allMatch(JsonNode::isIntegralNumber)
        ? elements.stream().mapToLong(JsonNode::longValue).toArray()
        : elements.stream().mapToDouble(JsonNode::doubleValue).toArray();
  }

  /**
   * The array of version 2, whose keys lie in a folder; what is in its way is an {@link
   * UnreadableException}.
   */
  ZarrArray version2(String folder, JsonNode dimensionNames) {
    String dtype = json.path("dtype").asText("records");
    ZarrType type = ZarrType.ofVersion2(dtype);
    long[] shape = longs(json.path("shape"));
    long[] chunk = longs(json.path("chunks"));
    List<ZarrCodec> codecs = new ArrayList<>();
    json.path("filters").forEach(filter -> codecs.add(ZarrCodec.ofVersion2(filter)));
    if (json.path("compressor").isObject()) {
      codecs.add(ZarrCodec.ofVersion2(json.path("compressor")));
    }
    JsonNode fill = json.path("fill_value");
    // xarray takes the fill value of version 2 for what marks missing values.
    if (!fill.isNull() && !fill.isMissingNode() && type.kind() != 'b') {
      attributes.put(FILL, new double[] {number(fill, type)});
    }
    int[] order = new int[shape.length];
    boolean fortran = json.path("order").asText("C").equals("F");
    Arrays.setAll(order, d -> fortran ? shape.length - 1 - d : d);
    return array(
        folder,
        type,
        ZarrType.order(dtype),
        shape,
        chunk,
        order,
        codecs,
        fill,
        new ZarrArray.Keys("", json.path("dimension_separator").asText(".")),
        null,
        dimensionNames);
  }

  /** The array of version 3, likewise; what is in its way is an {@link UnreadableException}. */
  ZarrArray version3(String folder) {
    if (!json.path("data_type").isTextual()) {
      throw new UnreadableException("holds " + json.path("data_type") + ", not numbers");
    }
    ZarrType type = ZarrType.ofVersion3(json.path("data_type").asText());
    long[] shape = longs(json.path("shape"));
    if (!json.path("chunk_grid").path("name").asText().equals("regular")) {
      throw new UnreadableException(
          "has a chunk grid " + json.path("chunk_grid").path("name") + ", which is not read");
    }
    long[] outer = longs(json.path("chunk_grid").path("configuration").path("chunk_shape"));
    JsonNode encoding = json.path("chunk_key_encoding");
    boolean plain = encoding.path("name").asText().equals("v2");
    String separator = encoding.path("configuration").path("separator").asText(plain ? "." : "/");
    ZarrArray.Keys keys = new ZarrArray.Keys(plain ? "" : "c", separator);
    JsonNode fill = json.path("fill_value");
    decodeFill(type);
    JsonNode codecs = json.path("codecs");
    long[] chunk = outer;
    ZarrArray.Shards shards = null;
    if (codecs.size() == 1 && codecs.get(0).path("name").asText().equals("sharding_indexed")) {
      JsonNode sharding = codecs.get(0).path("configuration");
      chunk = longs(sharding.path("chunk_shape"));
      shards = shards(sharding, outer, chunk);
      codecs = sharding.path("codecs");
    }
    Pipeline pipeline = Pipeline.of(codecs, shape.length);
    return array(
        folder,
        type,
        pipeline.order,
        shape,
        chunk,
        pipeline.permutation,
        pipeline.codecs,
        fill,
        keys,
        shards,
        json.path("dimension_names"));
  }

  /** xarray writes the markers of floating-point numbers as base64 of their eight bytes. */
  private void decodeFill(ZarrType type) {
    if (type.kind() == 'f' && attributes.get(FILL) instanceof String text) {
      try {
        ByteBuffer bytes = ByteBuffer.wrap(Base64.getDecoder().decode(text));
        attributes.put(FILL, new double[] {bytes.order(ByteOrder.LITTLE_ENDIAN).getDouble()});
      } catch (IllegalArgumentException | BufferUnderflowException e) {
        throw new UnreadableException("has the fill value " + text + ", which is no number", e);
      }
    }
  }

  private static ZarrArray.Shards shards(JsonNode config, long[] outer, long[] inner) {
    long[] counts = new long[outer.length];
    for (int d = 0; d < outer.length; d++) {
      if (d >= inner.length || inner[d] < 1 || outer[d] % inner[d] != 0) {
        throw new UnreadableException("is damaged: shards are no whole number of chunks");
      }
      counts[d] = outer[d] / inner[d];
    }
    List<ZarrCodec> codecs = Pipeline.of(config.path("index_codecs"), outer.length + 1).codecs;
    ZarrArray.Shards shards = new ZarrArray.Shards(counts, codecs, 0, false);
    int bytes = Math.multiplyExact(shards.chunks(), 16) + 4 * codecs.size();
    boolean atEnd = !config.path("index_location").asText("end").equals("start");
    return new ZarrArray.Shards(counts, codecs, bytes, atEnd);
  }

  /** The codecs of version 3: an order of dimensions, an order of bytes, and compressors. */
  private record Pipeline(int[] permutation, ByteOrder order, List<ZarrCodec> codecs) {
    static Pipeline of(JsonNode configs, int rank) {
      int[] permutation = new int[rank];
      Arrays.setAll(permutation, d -> d);
      ByteOrder order = ByteOrder.LITTLE_ENDIAN;
      List<JsonNode> compressors = new ArrayList<>();
      for (JsonNode config : configs) {
        String codec = config.path("name").asText();
        if (codec.equals("transpose")) {
          int[] before = permutation;
          long[] by = longs(config.path("configuration").path("order"));
          int[] after = new int[rank];
          Arrays.setAll(after, d -> before[(int) by[d]]);
          permutation = after;
        } else if (codec.equals("bytes")) {
          String endian = config.path("configuration").path("endian").asText("little");
          order = endian.equals("big") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
        } else if (codec.equals("sharding_indexed")) {
          throw new UnreadableException("has shards behind other codecs, which are not read");
        } else {
          compressors.add(config);
        }
      }
      return new Pipeline(permutation, order, ZarrCodec.ofVersion3(compressors));
    }
  }

  private ZarrArray array(
      String folder,
      ZarrType type,
      ByteOrder order,
      long[] shape,
      long[] chunk,
      int[] permutation,
      List<ZarrCodec> codecs,
      JsonNode fill,
      ZarrArray.Keys keys,
      ZarrArray.@Nullable Shards shards,
      JsonNode dimensionNames) {
    if (chunk.length != shape.length || Arrays.stream(chunk).anyMatch(length -> length < 1)) {
      throw new UnreadableException(
          "is damaged: chunks "
              + Arrays.toString(chunk)
              + " of the shape "
              + Arrays.toString(shape));
    }
    long[] strides = new long[shape.length];
    long stride = 1;
    for (int d = shape.length - 1; d >= 0; d--) {
      strides[permutation[d]] = stride;
      stride = Math.multiplyExact(stride, chunk[permutation[d]]);
    }
    Variable variable =
        new Variable(
            name, type.label(), dimensions(shape, dimensionNames), Packing.describing(attributes));
    return new ZarrArray(
        number,
        folder,
        variable,
        type,
        order,
        Packing.of(attributes, null, type.stored()),
        shape,
        chunk,
        strides,
        codecs,
        // Rounded as the marker of missing values is.
        fill.isNull() || fill.isMissingNode() ? 0 : type.stored().stored(number(fill, type)),
        keys,
        shards);
  }

  /** Those of groups have the group's path before them, so that groups do not share any. */
  private List<Dimension> dimensions(long[] shape, JsonNode names) {
    String group = name.substring(0, name.lastIndexOf('/') + 1);
    List<Dimension> dimensions = new ArrayList<>();
    for (int d = 0; d < shape.length; d++) {
      String own = names.path(d).isTextual() ? names.path(d).asText() : "dim_" + d;
      dimensions.add(new Dimension(group + own, shape[d]));
    }
    return dimensions;
  }

  private static long[] longs(JsonNode array) {
    long[] values = new long[array.size()];
    for (int i = 0; i < values.length; i++) {
      if (!array.get(i).canConvertToLong() || array.get(i).longValue() < 0) {
        throw new UnreadableException("is damaged: it has the lengths " + array);
      }
      values[i] = array.get(i).longValue();
    }
    return values;
  }

  private static double number(JsonNode fill, ZarrType type) {
    if (fill.isBoolean()) {
      return fill.booleanValue() ? 1 : 0;
    }
    if (fill.isNumber()) {
      return fill.doubleValue();
    }
    String text = fill.asText();
    if (text.startsWith("0x")) {
      ByteBuffer bits = ByteBuffer.allocate(Long.BYTES);
      bits.putLong(Long.parseUnsignedLong(text.substring(2), 16) << (Long.SIZE - 8 * type.bytes()));
      return type.get(bits, 0);
    }
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new UnreadableException("has the fill value " + fill + ", which is no number", e);
    }
  }
}
