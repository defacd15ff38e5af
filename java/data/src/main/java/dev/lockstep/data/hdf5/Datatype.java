package dev.lockstep.data.hdf5;

import dev.lockstep.data.UnreadableException;
import dev.lockstep.data.hdf5.NumberFormat.FloatFields;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A datatype message (specification, IV.A.2.d).
 *
 * @param kind its class
 * @param size bytes of one element
 * @param label for people: the names that NetCDF uses for numbers
 * @param number how its numbers are laid out; null if it has none
 * @param base the elements of a type of variable length
 */
record Datatype(
    Kind kind, int size, String label, @Nullable NumberFormat number, @Nullable Datatype base) {
  /** What the elements are. */
  enum Kind {
    NUMBER,
    TEXT,
    VARIABLE_TEXT,
    VARIABLE_SEQUENCE,
    REFERENCE,
    OTHER
  }

  private static final int MAX_NESTING = 32;

  static Datatype parse(ByteBuffer bytes) {
    return parse(bytes, MAX_NESTING);
  }

  private static Datatype parse(ByteBuffer bytes, int nesting) {
    if (nesting == 0) {
      throw new UnreadableException("is damaged: its type is nested too deeply");
    }
    int first = Byte.toUnsignedInt(bytes.get());
    int flags = Byte.toUnsignedInt(bytes.get()) | Byte.toUnsignedInt(bytes.get()) << 8;
    bytes.get();
    int size = bytes.getInt();
    if (size <= 0) {
      throw new UnreadableException("is damaged: its type has " + size + " bytes");
    }
    return switch (first & 0xF) {
      case 0, 4 -> integer(bytes, flags, size, (first & 0xF) == 0 && (flags & 8) != 0);
      case 1 -> floating(bytes, flags, size);
      case 2 -> other(size, "time");
      case 3 -> new Datatype(Kind.TEXT, size, "text", null, null);
      case 5 -> other(size, "opaque");
      case 6 -> other(size, compoundLabel(bytes, first >> 4, flags));
      case 7 -> new Datatype(Kind.REFERENCE, size, "reference", null, null);
      case 8 -> enumeration(bytes, first >> 4, flags, size, nesting);
      case 9 -> variable(bytes, flags, size, nesting);
      case 10 -> other(size, "array");
      case 11 -> other(size, "complex");
      default -> other(size, "type of the unknown class " + (first & 0xF));
    };
  }

  private static Datatype other(int size, String label) {
    return new Datatype(Kind.OTHER, size, label, null, null);
  }

  private static Datatype integer(ByteBuffer bytes, int flags, int size, boolean signed) {
    int bitOffset = Short.toUnsignedInt(bytes.getShort());
    int precision = Short.toUnsignedInt(bytes.getShort());
    if (size > Long.BYTES) {
      return other(size, "integer of " + size + " bytes");
    }
    if (precision == 0 || bitOffset + precision > size * Byte.SIZE) {
      throw new UnreadableException("is damaged: its integers have " + precision + " bits");
    }
    String label =
        switch (size) {
          case 1 -> "byte";
          case 2 -> "short";
          case 3, 4 -> "int";
          default -> "int64";
        };
    ByteOrder order = (flags & 1) != 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    return new Datatype(
        Kind.NUMBER,
        size,
        signed ? label : "u" + label,
        new NumberFormat(size, order, bitOffset, precision, signed, null),
        null);
  }

  private static Datatype floating(ByteBuffer bytes, int flags, int size) {
    int bitOffset = Short.toUnsignedInt(bytes.getShort());
    int precision = Short.toUnsignedInt(bytes.getShort());
    int exponentAt = Byte.toUnsignedInt(bytes.get());
    int exponentBits = Byte.toUnsignedInt(bytes.get());
    int mantissaAt = Byte.toUnsignedInt(bytes.get());
    int mantissaBits = Byte.toUnsignedInt(bytes.get());
    long bias = Integer.toUnsignedLong(bytes.getInt());
    boolean vax = (flags & 0x41) == 0x41;
    if (size > Double.BYTES || mantissaBits > 52 || exponentBits > 11 || vax) {
      return other(size, vax ? "VAX floating point" : "floating point of " + size + " bytes");
    }
    ByteOrder order = (flags & 1) != 0 ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN;
    boolean implied = (flags >> 4 & 3) == 2;
    FloatFields fields =
        new FloatFields(
            flags >> 8 & 0xFF, exponentAt, exponentBits, mantissaAt, mantissaBits, bias, implied);
    String label = fields.isSingle() ? "float" : fields.isDouble() ? "double" : "float" + 8 * size;
    return new Datatype(
        Kind.NUMBER,
        size,
        label,
        new NumberFormat(size, order, bitOffset, precision, true, fields),
        null);
  }

  /** Names the members, so that people know what is in there. */
  private static String compoundLabel(ByteBuffer bytes, int version, int members) {
    List<String> names = new ArrayList<>();
    if (members > 0) {
      // Only the first name has a place that does not depend on the types before it.
      names.add(name(bytes, version));
    }
    return "compound of " + members + " members (" + names.get(0) + (members > 1 ? ", …)" : ")");
  }

  /** A name that ends in zero; padded to eight bytes before version 3. */
  private static String name(ByteBuffer bytes, int version) {
    int start = bytes.position();
    int length = 0;
    while (bytes.get() != 0) {
      length++;
    }
    byte[] text = new byte[length];
    bytes.get(start, text);
    if (version < 3) {
      bytes.position(start + (length + 8 & ~7));
    }
    return new String(text, StandardCharsets.UTF_8);
  }

  /** Enumerations are their numbers; that of h5py's booleans is told by its two names. */
  private static Datatype enumeration(
      ByteBuffer bytes, int version, int members, int size, int nesting) {
    Datatype numbers = parse(bytes, nesting - 1);
    List<String> names = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      names.add(name(bytes, version));
    }
    boolean bool = names.equals(List.of("FALSE", "TRUE"));
    return new Datatype(numbers.kind, size, bool ? "bool" : "enum", numbers.number, null);
  }

  private static Datatype variable(ByteBuffer bytes, int flags, int size, int nesting) {
    Datatype base = parse(bytes, nesting - 1);
    boolean text = (flags & 0xF) == 1;
    return text
        ? new Datatype(Kind.VARIABLE_TEXT, size, "text", null, base)
        : new Datatype(Kind.VARIABLE_SEQUENCE, size, "sequences of varying length", null, base);
  }
}
