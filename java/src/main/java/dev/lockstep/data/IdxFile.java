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
import java.util.zip.GZIPInputStream;

/**
 * One array in the IDX format of the MNIST files, gzipped or not: two zero bytes, a type, the
 * number of dimensions, each length in 32 bits, the values; big-endian. The name ends in {@code
 * -ubyte}, {@code .idx} or these and {@code .gz}. The whole array is held in memory.
 */
final class IdxFile implements ArrayFile {
  private final String location;
  private final Variable variable;
  private final ByteBuffer values;
  private final int type;

  private IdxFile(String location, Variable variable, int type, ByteBuffer values) {
    this.location = location;
    this.variable = variable;
    this.type = type;
    this.values = values;
  }

  static boolean is(Path path) {
    String name = path.getFileName().toString().toLowerCase(Locale.ROOT);
    String plain = name.endsWith(".gz") ? name.substring(0, name.length() - 3) : name;
    return plain.endsWith("-ubyte") || plain.endsWith(".idx");
  }

  static IdxFile open(Path path) {
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
      Variable variable = new Variable("values", label(type), dimensions, Map.of());
      return new IdxFile(location, variable, type, ByteBuffer.wrap(content));
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
    return List.of(variable);
  }

  @Override
  public void read(Variable ignored, long from, int count, double[] out) {
    int first = (int) from;
    for (int i = 0; i < count; i++) {
      out[i] =
          switch (type) {
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
