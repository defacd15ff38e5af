package dev.lockstep.data.npy;

import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import java.io.BufferedOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * Writes named NumPy arrays of float32 and float64 in any order; what is never written is NaN. Each
 * array is a file of its own beside the archive until {@link #finish} packs them. Not thread-safe.
 */
public final class NpzWriter implements ArrayWriter {
  private static final int BUFFER_VALUES = 1 << 13;

  private final Path file;
  private final Path part;
  private final Map<String, Output> outputs = new LinkedHashMap<>();
  private boolean finished;

  private record Output(Path file, FileChannel channel, Variable variable, int start) {
    int bytes() {
      return variable.type().equals("float") ? Float.BYTES : Double.BYTES;
    }
  }

  private NpzWriter(Path file) {
    this.file = file;
    part = file.resolveSibling(file.getFileName() + ".part");
  }

  /**
   * Starts an archive.
   *
   * @param variables of the types "float" and "double"
   * @throws DataException if it cannot be written
   */
  public static NpzWriter create(Path file, List<Variable> variables) {
    NpzWriter writer = new NpzWriter(file);
    try {
      for (Variable variable : variables) {
        writer.begin(variable);
      }
    } catch (IOException e) {
      writer.close();
      throw writer.cannotWrite(e);
    }
    return writer;
  }

  private void begin(Variable variable) throws IOException {
    Path array = file.resolveSibling(file.getFileName() + "." + outputs.size() + ".part");
    FileChannel channel =
        FileChannel.open(
            array,
            StandardOpenOption.CREATE,
            StandardOpenOption.TRUNCATE_EXISTING,
            StandardOpenOption.WRITE);
    String type = variable.type().equals("float") ? "<f4" : "<f8";
    long[] shape = variable.dimensions().stream().mapToLong(Variable.Dimension::length).toArray();
    byte[] header = NpyFormat.header(type, shape);
    Output output = new Output(array, channel, variable, header.length);
    outputs.put(variable.name(), output);
    put(channel, ByteBuffer.wrap(header), 0);
    double[] missing = new double[BUFFER_VALUES];
    Arrays.fill(missing, Double.NaN);
    for (long at = 0; at < variable.size(); at += BUFFER_VALUES) {
      int count = (int) Math.min(BUFFER_VALUES, variable.size() - at);
      write(variable.name(), at, missing, 0, count);
    }
  }

  @Override
  public void write(String variable, long from, double[] values, int at, int count) {
    Output output = outputs.get(variable);
    if (output == null) {
      throw new IllegalArgumentException(file + " has no variable " + variable);
    }
    Objects.checkFromIndexSize(from, count, output.variable.size());
    Objects.checkFromIndexSize(at, count, values.length);
    int bytes = output.bytes();
    ByteBuffer buffer = ByteBuffer.allocate(count * bytes).order(ByteOrder.LITTLE_ENDIAN);
    for (int i = 0; i < count; i++) {
      if (bytes == Float.BYTES) {
        buffer.putFloat((float) values[at + i]);
      } else {
        buffer.putDouble(values[at + i]);
      }
    }
    try {
      put(output.channel, buffer.flip(), output.start + from * bytes);
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private static void put(FileChannel channel, ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  @Override
  public void finish() {
    try {
      try (ZipOutputStream zip =
          new ZipOutputStream(new BufferedOutputStream(Files.newOutputStream(part)))) {
        for (Map.Entry<String, Output> output : outputs.entrySet()) {
          output.getValue().channel.close();
          zip.putNextEntry(new ZipEntry(output.getKey() + ".npy"));
          Files.copy(output.getValue().file, zip);
          zip.closeEntry();
        }
      }
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      finished = true;
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  @Override
  public void close() {
    try {
      for (Output output : outputs.values()) {
        output.channel.close();
        Files.deleteIfExists(output.file);
      }
      if (!finished) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private DataException cannotWrite(IOException cause) {
    return new DataException(
        file.toString(), "cannot be written; check the folder and the space left", cause);
  }
}
