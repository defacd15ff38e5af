package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.io.BufferedInputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;

/**
 * An array in the IDX format of the MNIST files, gzipped or not: two zero bytes, a type, the number
 * of dimensions, each length in 32 bits, the values; big-endian. The name ends in {@code -ubyte},
 * {@code .idx} or these and {@code .gz}. The whole array is held in memory.
 *
 * <p>These data sets keep the classes of {@code train-images-idx3-ubyte} in a file {@code
 * train-labels-idx1-ubyte} beside it; where there is one, it is the variable {@code labels}.
 */
final class IdxFile implements ArrayFile {
  private final String location;
  private final List<Stored> arrays;

  private IdxFile(String location, List<Stored> arrays) {
    this.location = location;
    this.arrays = arrays;
  }

  /** An array and its bytes. */
  private record Stored(Variable variable, int type, ByteBuffer values) {}

  static boolean is(Path path) {
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    return plain.endsWith("-ubyte") || plain.endsWith(".idx");
  }

  static IdxFile open(Path path) {
    Stored values = read(path, "values");
    Optional<Path> labels = labelsOf(path);
    if (labels.isEmpty()) {
      return new IdxFile(path.toString(), List.of(values));
    }
    Stored classes = read(labels.get(), "labels");
    long samples = values.variable().dimensions().get(0).length();
    long labelled = classes.variable().dimensions().get(0).length();
    if (samples != labelled) {
      throw new DataException(
          path.toString(),
          "has " + samples + " samples, but " + labels.get() + " has " + labelled + " labels");
    }
    return new IdxFile(path.toString(), List.of(values, classes));
  }

  private static Optional<Path> labelsOf(Path images) {
    String name = images.getFileName().toString();
    String labels = name.replace("images-idx3", "labels-idx1");
    if (labels.equals(name)) {
      return Optional.empty();
    }
    String plain = labels.endsWith(".gz") ? labels.substring(0, labels.length() - 3) : labels;
    return Stream.of(labels, plain, plain + ".gz")
        .map(images::resolveSibling)
        .filter(Files::isRegularFile)
        .findFirst();
  }

  private static Stored read(Path path, String name) {
    String location = path.toString();
    try (InputStream file = new BufferedInputStream(Files.newInputStream(path), 1 << 16);
        DataInputStream in =
            new DataInputStream(
                location.endsWith(".gz") ? new GZIPInputStream(file, 1 << 16) : file)) {
      if (in.readUnsignedShort() != 0) {
        throw new DataException(location, "is not IDX: its first two bytes are not 0");
      }
      int type = in.readUnsignedByte();
      int bytes = bytesOf(type, location);
      int rank = in.readUnsignedByte();
      List<Dimension> dimensions = new ArrayList<>();
      long size = 1;
      for (int i = 0; i < rank; i++) {
        long length = Integer.toUnsignedLong(in.readInt());
        dimensions.add(new Dimension(i == 0 ? SAMPLES : "", length));
        size = Math.multiplyExact(size, length);
      }
      if (rank == 0 || size > Integer.MAX_VALUE / bytes) {
        throw new DataException(
            location,
            "has " + size + " values in " + rank + " dimensions; 1 to 2^31 bytes are read");
      }
      byte[] content = in.readNBytes((int) size * bytes);
      if (content.length < size * bytes) {
        throw new EOFException();
      }
      Variable variable = new Variable(name, label(type), dimensions, Map.of());
      return new Stored(variable, type, ByteBuffer.wrap(content));
    } catch (EOFException e) {
      throw new DataException(location, "ends before its last value", e);
    } catch (IOException e) {
      throw DataException.cannotOpen(path, e);
    } catch (ArithmeticException e) {
      throw new DataException(location, "has dimensions whose product is too large", e);
    }
  }

  private static int bytesOf(int type, String location) {
    return switch (type) {
      case 0x08, 0x09 -> 1;
      case 0x0B -> 2;
      case 0x0C, 0x0D -> 4;
      case 0x0E -> 8;
      default -> throw new DataException(location, "is not IDX: there is no type " + type);
    };
  }

  private static String label(int type) {
    return switch (type) {
      case 0x08 -> "ubyte";
      case 0x09 -> "byte";
      case 0x0B -> "short";
      case 0x0C -> "int";
      case 0x0D -> "float";
      default -> "double";
    };
  }

  @Override
  public String location() {
    return location;
  }

  @Override
  public String format() {
    return "IDX";
  }

  @Override
  public List<Variable> variables() {
    return arrays.stream().map(Stored::variable).toList();
  }

  @Override
  public List<Variable> classes() {
    return arrays.stream().skip(1).map(Stored::variable).toList();
  }

  @Override
  public void read(Variable variable, long from, int count, double[] out) {
    Stored array =
        arrays.stream()
            .filter(candidate -> candidate.variable().equals(variable))
            .findFirst()
            .orElseThrow(() -> new IllegalArgumentException("no variable " + variable.name()));
    ByteBuffer values = array.values();
    int first = (int) from;
    for (int i = 0; i < count; i++) {
      out[i] =
          switch (array.type()) {
            case 0x08 -> Byte.toUnsignedInt(values.get(first + i));
            case 0x09 -> values.get(first + i);
            case 0x0B -> values.getShort(2 * (first + i));
            case 0x0C -> values.getInt(4 * (first + i));
            case 0x0D -> values.getFloat(4 * (first + i));
            default -> values.getDouble(8 * (first + i));
          };
    }
  }

  @Override
  public int blockLength(Variable ignored) {
    return 1 << 16;
  }

  @Override
  public void close() {}
}
