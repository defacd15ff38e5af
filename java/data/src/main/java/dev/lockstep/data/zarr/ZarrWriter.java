package dev.lockstep.data.zarr;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.files.DurableFiles;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import java.util.zip.DeflaterOutputStream;

/**
 * Writes arrays as a Zarr store of version 2 with consolidated metadata: a folder of chunks that
 * are compressed by zlib. Chunks are pieces of the array in C order, and an array is written from
 * its beginning to its end; what is left out is missing. Not thread-safe.
 *
 * <p>The folder appears under its name when {@link #finish} is called: until then it is called
 * {@code .part}, and {@link #close} deletes it.
 */
public final class ZarrWriter implements ArrayWriter {
  /** Values of a chunk at most: 2 MiB of doubles. */
  static final int CHUNK_VALUES = 1 << 18;

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Path folder;
  private final Path part;
  private final Map<String, Output> outputs = new LinkedHashMap<>();
  private boolean finished;

  private ZarrWriter(Path folder, Path part) {
    this.folder = folder;
    this.part = part;
  }

  /**
   * Starts a store with all values missing.
   *
   * @param folder where to; there is nothing of that name, or a Zarr store, which is replaced
   * @param variables of the types "float" and "double". Attributes are {@code double[]} or text; a
   *     {@code _FillValue} becomes the array's fill value
   * @param attributes of the whole store
   * @throws DataException if it cannot be written
   */
  public static ZarrWriter create(
      Path folder, List<Variable> variables, Map<String, Object> attributes) {
    return create(folder, variables, attributes, CHUNK_VALUES);
  }

  static ZarrWriter create(
      Path folder, List<Variable> variables, Map<String, Object> attributes, int chunkValues) {
    if (Files.exists(folder) && !Files.exists(folder.resolve(".zgroup"))) {
      throw new DataException(
          folder.toString(), "is there and is no Zarr store of version 2; take another name");
    }
    Path part = folder.resolveSibling(folder.getFileName() + ".part");
    ZarrWriter writer = new ZarrWriter(folder, part);
    try {
      DurableFiles.deleteTree(part);
      Files.createDirectory(part);
      writer.begin(variables, attributes, chunkValues);
    } catch (IOException e) {
      throw writer.cannotWrite(e);
    }
    return writer;
  }

  /** One array and its open chunk. */
  private static final class Output {
    private final Variable variable;
    private final int bytes;
    private final long[] shape;
    private final long[] chunk;
    private final double[] values;
    private long open = -1;

    Output(Variable variable, int chunkValues) {
      this.variable = variable;
      bytes = variable.type().equals("float") ? Float.BYTES : Double.BYTES;
      shape = variable.dimensions().stream().mapToLong(Dimension::length).toArray();
      chunk = new long[shape.length];
      int left = Math.max(1, chunkValues);
      for (int d = shape.length - 1; d >= 0; d--) {
        chunk[d] = Math.max(1, Math.min(shape[d], left));
        // Only the slowest dimension of a chunk may be cut: its values follow each other.
        left = chunk[d] < shape[d] ? 1 : (int) Math.max(1, left / chunk[d]);
      }
      values = new double[(int) Arrays.stream(chunk).reduce(1, (a, b) -> a * b)];
      Arrays.fill(values, Double.NaN);
    }

    /** The number of a position's chunk, in order, and where in the chunk it lies. */
    long chunkOf(long position, int[] place) {
      long number = 0;
      long within = 0;
      long below = variable.size();
      long left = position;
      for (int d = 0; d < shape.length; d++) {
        below /= shape[d];
        long index = left / below;
        left %= below;
        number = number * ((shape[d] + chunk[d] - 1) / chunk[d]) + index / chunk[d];
        within = within * chunk[d] + index % chunk[d];
      }
      place[0] = (int) within;
      return number;
    }

    String key(long number) {
      String key = "";
      long left = number;
      for (int d = shape.length - 1; d >= 0; d--) {
        long along = (shape[d] + chunk[d] - 1) / chunk[d];
        key = left % along + (key.isEmpty() ? "" : ".") + key;
        left /= along;
      }
      return key.isEmpty() ? "0" : key;
    }
  }

  private void begin(List<Variable> variables, Map<String, Object> attributes, int chunkValues)
      throws IOException {
    Map<String, ObjectNode> metadata = new TreeMap<>();
    metadata.put(".zgroup", JsonNodeFactory.instance.objectNode().put("zarr_format", 2));
    metadata.put(".zattrs", json(attributes));
    for (Variable variable : variables) {
      Output output = new Output(variable, chunkValues);
      outputs.put(variable.name(), output);
      Files.createDirectories(part.resolve(variable.name()));
      metadata.put(variable.name() + "/.zarray", array(output));
      ObjectNode own = json(variable.attributes());
      own.remove("_FillValue");
      ArrayNode names = own.putArray("_ARRAY_DIMENSIONS");
      variable.dimensions().forEach(dimension -> names.add(dimension.name()));
      metadata.put(variable.name() + "/.zattrs", own);
    }
    ObjectNode all = JsonNodeFactory.instance.objectNode().put("zarr_consolidated_format", 1);
    for (Map.Entry<String, ObjectNode> entry : metadata.entrySet()) {
      Files.write(part.resolve(entry.getKey()), JSON.writeValueAsBytes(entry.getValue()));
      all.withObject("/metadata").set(entry.getKey(), entry.getValue());
    }
    Files.write(part.resolve(".zmetadata"), JSON.writeValueAsBytes(all));
  }

  private static ObjectNode array(Output output) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    ArrayNode shape = json.putArray("shape");
    Arrays.stream(output.shape).forEach(shape::add);
    ArrayNode chunks = json.putArray("chunks");
    Arrays.stream(output.chunk).forEach(chunks::add);
    json.put("dtype", "<f" + output.bytes);
    json.putObject("compressor").put("id", "zlib").put("level", 1);
    json.put("fill_value", "NaN").put("order", "C").putNull("filters");
    json.put("dimension_separator", ".").put("zarr_format", 2);
    return json;
  }

  private static ObjectNode json(Map<String, Object> attributes) {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    new TreeMap<>(attributes)
        .forEach(
            (name, value) -> {
              if (value instanceof double[] numbers) {
                ArrayNode array = json.putArray(name);
                Arrays.stream(numbers).forEach(array::add);
              } else {
                json.put(name, String.valueOf(value));
              }
            });
    return json;
  }

  @Override
  public void write(String variable, long from, double[] values, int at, int count) {
    Output output = outputs.get(variable);
    if (output == null) {
      throw new IllegalArgumentException(folder + " has no variable " + variable);
    }
    Objects.checkFromIndexSize(from, count, output.variable.size());
    Objects.checkFromIndexSize(at, count, values.length);
    int[] place = new int[1];
    try {
      for (int i = 0; i < count; i++) {
        long chunk = output.chunkOf(from + i, place);
        if (chunk < output.open) {
          throw new IllegalStateException(
              variable + " is written from its beginning to its end, not at " + (from + i));
        }
        if (chunk != output.open) {
          flush(output);
          output.open = chunk;
        }
        output.values[place[0]] = values[at + i];
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private void flush(Output output) throws IOException {
    if (output.open < 0) {
      return;
    }
    ByteBuffer bytes =
        ByteBuffer.allocate(output.values.length * output.bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (double value : output.values) {
      if (output.bytes == Float.BYTES) {
        bytes.putFloat((float) value);
      } else {
        bytes.putDouble(value);
      }
    }
    Arrays.fill(output.values, Double.NaN);
    ByteArrayOutputStream packed = new ByteArrayOutputStream();
    try (DeflaterOutputStream zlib = new DeflaterOutputStream(packed)) {
      zlib.write(bytes.array());
    }
    Path file = part.resolve(output.variable.name()).resolve(output.key(output.open));
    Files.write(file, packed.toByteArray());
  }

  @Override
  public void finish() {
    try {
      for (Output output : outputs.values()) {
        flush(output);
      }
      DurableFiles.deleteTree(folder);
      Files.move(part, folder);
      finished = true;
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  @Override
  public void close() {
    try {
      if (!finished) {
        DurableFiles.deleteTree(part);
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private DataException cannotWrite(IOException cause) {
    return new DataException(
        folder.toString(), "cannot be written; check the folder and the space left", cause);
  }
}
