package dev.lockstep.data.netcdf;

import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.files.FreeSpace;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;

/**
 * Writes arrays as NetCDF classic, in any order: CDF-2, or CDF-5 where a variable takes 2 GiB or
 * more. What is never written is missing. Not thread-safe.
 *
 * <p>The file appears under its name when {@link #finish} is called: until then it is called {@code
 * .part}, and {@link #close} deletes it.
 */
public final class NetcdfWriter implements ArrayWriter {
  private static final int BUFFER_BYTES = 1 << 16;
  private static final long LARGE = 1L << 31;

  private final Path file;
  private final Path part;
  private final FileChannel channel;
  private final Map<String, Place> places = new LinkedHashMap<>();
  private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
  private boolean finished;

  private record Place(NetcdfType type, long begin, long values, double fill) {}

  private NetcdfWriter(Path file, Path part, FileChannel channel) {
    this.file = file;
    this.part = part;
    this.channel = channel;
  }

  /**
   * Starts a file with all values missing.
   *
   * @param variables of the types "float", "double" and "int"; those that may have missing values
   *     have an attribute {@code _FillValue}. Attributes are {@code double[]} or text
   * @param attributes of the whole file
   * @throws DataException if it cannot be written, or does not fit the disk
   */
  public static NetcdfWriter create(
      Path file, List<Variable> variables, Map<String, Object> attributes) {
    List<Dimension> dimensions =
        variables.stream().flatMap(v -> v.dimensions().stream()).distinct().toList();
    long[] sizes = new long[variables.size()];
    long total = 0;
    int version = 2;
    for (int v = 0; v < sizes.length; v++) {
      int bytes = NetcdfType.ofLabel(variables.get(v).type()).size;
      sizes[v] = Math.addExact(Math.multiplyExact(variables.get(v).size(), bytes), 3) & ~3L;
      version = sizes[v] >= LARGE ? 5 : version;
      total = Math.addExact(total, sizes[v]);
    }
    requireRoom(file, total);
    NetcdfHeaderBytes header = new NetcdfHeaderBytes(version);
    long[] begins = new long[sizes.length];
    long at = header.of(0, dimensions, attributes, variables, sizes, begins).length;
    for (int v = 0; v < sizes.length; v++) {
      begins[v] = at;
      at += sizes[v];
    }
    Path part = file.resolveSibling(file.getFileName() + ".part");
    try {
      FileChannel channel =
          FileChannel.open(
              part,
              StandardOpenOption.CREATE,
              StandardOpenOption.TRUNCATE_EXISTING,
              StandardOpenOption.WRITE);
      NetcdfWriter writer = new NetcdfWriter(file, part, channel);
      try {
        writer.put(
            ByteBuffer.wrap(header.of(0, dimensions, attributes, variables, sizes, begins)), 0);
        for (int v = 0; v < sizes.length; v++) {
          writer.begin(variables.get(v), begins[v], sizes[v]);
        }
      } catch (RuntimeException | IOException e) {
        writer.close();
        throw e;
      }
      return writer;
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private static void requireRoom(Path file, long bytes) {
    Path folder = file.toAbsolutePath().getParent();
    if (folder != null && Files.isDirectory(folder) && bytes > FreeSpace.of(folder)) {
      throw new DataException(
          file.toString(),
          String.format(
              Locale.ROOT,
              "would take %.3g bytes, but its disk has only %.3g free",
              (double) bytes,
              (double) FreeSpace.of(folder)));
    }
  }

  /** Fills a variable with its marker of missing values, padding included. */
  private void begin(Variable variable, long begin, long bytes) throws IOException {
    NetcdfType type = NetcdfType.ofLabel(variable.type());
    Object marker = variable.attributes().get("_FillValue");
    double fill = marker instanceof double[] numbers ? numbers[0] : Double.NaN;
    places.put(variable.name(), new Place(type, begin, variable.size(), fill));
    buffer.clear();
    for (int i = 0; i < BUFFER_BYTES; i += type.size) {
      type.put(buffer, i, fill);
    }
    for (long done = 0; done < bytes; done += BUFFER_BYTES) {
      buffer.clear().limit((int) Math.min(BUFFER_BYTES, bytes - done));
      put(buffer, begin + done);
    }
  }

  @Override
  public void write(String variable, long from, double[] values, int at, int count) {
    Place place = places.get(variable);
    if (place == null) {
      throw new IllegalArgumentException(file + " has no variable " + variable);
    }
    Objects.checkFromIndexSize(from, count, place.values);
    Objects.checkFromIndexSize(at, count, values.length);
    int most = BUFFER_BYTES / place.type.size;
    try {
      for (int done = 0; done < count; done += most) {
        int piece = Math.min(most, count - done);
        buffer.clear();
        for (int i = 0; i < piece; i++) {
          double value = values[at + done + i];
          place.type.put(buffer, i * place.type.size, Double.isNaN(value) ? place.fill : value);
        }
        buffer.clear().limit(piece * place.type.size);
        put(buffer, place.begin + (from + done) * place.type.size);
      }
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private void put(ByteBuffer bytes, long position) throws IOException {
    long at = position;
    while (bytes.hasRemaining()) {
      at += channel.write(bytes, at);
    }
  }

  @Override
  public void finish() {
    try {
      channel.force(true);
      channel.close();
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      finished = true;
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  @Override
  public void close() {
    try {
      channel.close();
      if (!finished) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw cannotWrite(file, e);
    }
  }

  private static DataException cannotWrite(Path file, IOException cause) {
    return new DataException(
        file.toString(), "cannot be written; check the folder and the space left", cause);
  }
}
