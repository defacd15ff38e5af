package dev.lockstep.data.npy;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The header of an NPY file, versions 1 to 3 (numpy.lib.format): magic, version, length, and a
 * Python dictionary with type, order and shape.
 *
 * @param type of the elements
 * @param fortranOrder whether the first dimension varies fastest
 * @param shape the lengths of the dimensions
 * @param dataStart bytes before the first element
 */
record NpyHeader(NpyType type, boolean fortranOrder, List<Long> shape, long dataStart) {
  private static final byte[] MAGIC = {(byte) 0x93, 'N', 'U', 'M', 'P', 'Y'};
  private static final int MAX_HEADER_BYTES = 1 << 20;
  private static final Pattern TYPE =
      Pattern.compile("['\"]descr['\"]\\s*:\\s*['\"]([^'\"]*)['\"]");
  private static final Pattern ORDER =
      Pattern.compile("['\"]fortran_order['\"]\\s*:\\s*(True|False)");
  private static final Pattern SHAPE =
      Pattern.compile("['\"]shape['\"]\\s*:\\s*\\(\\s*((?:\\d+L?\\s*,\\s*)*(?:\\d+L?\\s*)?)\\)");

  /** Whether an array follows; the stream, which supports marks, stays where it is. */
  static boolean startsLikeOne(InputStream in) throws IOException {
    in.mark(MAGIC.length);
    byte[] start = in.readNBytes(MAGIC.length);
    in.reset();
    return Arrays.equals(start, MAGIC);
  }

  /** Reads a header from the start of a stream; {@code location} is for messages. */
  static NpyHeader read(InputStream in, String location) throws IOException {
    byte[] start = in.readNBytes(8);
    for (int i = 0; i < MAGIC.length; i++) {
      if (start.length < 8 || start[i] != MAGIC[i]) {
        throw new DataException(location, "does not start as an NPY file does; check the file");
      }
    }
    int version = start[6];
    if (version < 1 || version > 3) {
      throw new DataException(location, "is NPY of the unknown version " + version);
    }
    int lengthBytes = version == 1 ? 2 : 4;
    byte[] length = in.readNBytes(lengthBytes);
    long headerBytes = 0;
    for (int i = length.length - 1; i >= 0; i--) {
      headerBytes = headerBytes << 8 | Byte.toUnsignedInt(length[i]);
    }
    if (length.length < lengthBytes || headerBytes > MAX_HEADER_BYTES) {
      throw new DataException(
          location, "has an NPY header of " + headerBytes + " bytes (byte 8); the file is damaged");
    }
    byte[] header = in.readNBytes((int) headerBytes);
    if (header.length < headerBytes) {
      throw new DataException(
          location, "ends inside its header at byte " + (8 + lengthBytes + header.length));
    }
    return parse(
        new String(header, StandardCharsets.UTF_8), 8 + lengthBytes + headerBytes, location);
  }

  private static NpyHeader parse(String dictionary, long dataStart, String location) {
    String descr = find(TYPE, dictionary, "type (a structured type is not supported)", location);
    NpyType type = NpyType.of(descr);
    if (type == null) {
      throw new DataException(
          location,
          "holds elements of type "
              + descr
              + meaning(descr)
              + "; only real numbers and booleans are read");
    }
    boolean fortran = find(ORDER, dictionary, "order", location).equals("True");
    List<Long> shape = new ArrayList<>();
    for (String length : find(SHAPE, dictionary, "shape", location).split(",", -1)) {
      String digits = length.strip().replace("L", "");
      if (digits.length() > 18) {
        throw new DataException(location, "has a dimension of impossible length " + digits);
      }
      if (!digits.isEmpty()) {
        shape.add(Long.parseLong(digits));
      }
    }
    NpyHeader header = new NpyHeader(type, fortran, List.copyOf(shape), dataStart);
    try {
      Math.addExact(dataStart, Math.multiplyExact(header.variable("").size(), (long) type.size()));
    } catch (ArithmeticException e) {
      throw new DataException(location, "has the impossible shape " + shape, e);
    }
    return header;
  }

  /** What the letter of a type stands for, in brackets; empty for what is seldom. */
  private static String meaning(String descr) {
    char kind = descr.length() < 2 ? ' ' : descr.charAt(1);
    return switch (kind) {
      case 'U', 'S', 'a' -> " (text)";
      case 'O' -> " (Python objects)";
      case 'M', 'm' -> " (dates or durations)";
      case 'c' -> " (complex numbers)";
      case 'V' -> " (records)";
      default -> "";
    };
  }

  private static String find(Pattern pattern, String dictionary, String what, String location) {
    Matcher matcher = pattern.matcher(dictionary);
    if (!matcher.find()) {
      throw new DataException(
          location, "states no readable " + what + " in its NPY header " + dictionary.strip());
    }
    return matcher.group(1);
  }

  /** The dimensions as stored: the first is that of samples, the others are columns. */
  Variable variable(String name) {
    List<Dimension> dimensions = new ArrayList<>();
    for (int d = 0; d < shape.size(); d++) {
      dimensions.add(new Dimension(d == 0 ? ArrayFile.SAMPLES : "", shape.get(d)));
    }
    if (fortranOrder) {
      Collections.reverse(dimensions);
    }
    return new Variable(name, type.label(), dimensions, Map.of());
  }

  /** Bytes of header and elements. */
  long fileBytes() {
    return dataStart + variable("").size() * type.size();
  }
}
