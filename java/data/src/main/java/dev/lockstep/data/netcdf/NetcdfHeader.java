package dev.lockstep.data.netcdf;

import dev.lockstep.data.Packing;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The header of a NetCDF classic file, after the grammar in "The NetCDF Classic Format
 * Specification" (NetCDF User's Guide, appendix B) and its CDF-5 extension by PnetCDF. CDF-1 has
 * 32-bit lengths and offsets, CDF-2 64-bit offsets, CDF-5 64-bit both.
 */
final class NetcdfHeader {
  private static final int ABSENT = 0;
  private static final int DIMENSION_LIST = 10;
  private static final int VARIABLE_LIST = 11;
  private static final int ATTRIBUTE_LIST = 12;
  private static final int MAX_RANK = 1024;

  private final ByteReader in;
  private final int version;
  private final List<RawVariable> variables = new ArrayList<>();
  private Map<String, Object> attributes = Map.of();
  private long records;
  private int recordDimension = -1;

  /** A variable as the header states it; {@code begin} is its first byte in the file. */
  record RawVariable(
      Variable variable,
      Map<String, Object> attributes,
      NetcdfType type,
      boolean isRecord,
      long begin) {}

  private NetcdfHeader(ByteReader in, int version) {
    this.in = in;
    this.version = version;
  }

  /** Parses the header; {@code in} stands after the magic bytes "CDF". */
  static NetcdfHeader parse(ByteReader in) {
    int version = in.readByte();
    if (version != 1 && version != 2 && version != 5) {
      throw in.error("is NetCDF classic of the unknown version " + version);
    }
    NetcdfHeader header = new NetcdfHeader(in, version);
    header.parseBody();
    return header;
  }

  int version() {
    return version;
  }

  List<RawVariable> variables() {
    return variables;
  }

  Map<String, Object> attributes() {
    return attributes;
  }

  /** The length of the record dimension, or -1 if the writer left it to the file's size. */
  long records() {
    return records;
  }

  private void parseBody() {
    records = version == 5 ? in.readLong() : in.readInt();
    if (records < -1) {
      throw in.error("has the impossible number of records " + records);
    }
    List<Dimension> dimensions = parseDimensions();
    attributes = parseAttributes();
    long count = listLength(VARIABLE_LIST, "variables");
    for (long i = 0; i < count; i++) {
      variables.add(parseVariable(dimensions));
    }
  }

  private List<Dimension> parseDimensions() {
    long count = listLength(DIMENSION_LIST, "dimensions");
    List<Dimension> dimensions = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      String name = parseName();
      long length = parseCount("dimension " + name);
      if (length == 0) {
        if (recordDimension >= 0) {
          throw in.error("has two record dimensions, the second is " + name);
        }
        recordDimension = i;
      }
      dimensions.add(new Dimension(name, length));
    }
    return dimensions;
  }

  private Map<String, Object> parseAttributes() {
    long count = listLength(ATTRIBUTE_LIST, "attributes");
    Map<String, Object> attributes = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      String name = parseName();
      NetcdfType type = parseType("attribute " + name);
      long length = parseCount("attribute " + name);
      in.require(length, type.size, "attribute " + name);
      Object value = type == NetcdfType.CHAR ? parseText((int) length) : parseNumbers(type, length);
      in.align();
      attributes.put(name, value);
    }
    return attributes;
  }

  private String parseText(int length) {
    String text = in.readText(length);
    int end = text.indexOf('\0');
    return end < 0 ? text : text.substring(0, end);
  }

  /** Integers keep all of their bits, except unsigned ones from 2⁶³ on. */
  private Object parseNumbers(NetcdfType type, long length) {
    double[] numbers = new double[(int) length];
    long[] integers = new long[numbers.length];
    boolean exact = !type.isFloating();
    for (int i = 0; i < numbers.length; i++) {
      ByteBuffer bytes = in.take(type.size);
      numbers[i] = type.get(bytes, 0);
      integers[i] = type.size == Long.BYTES ? bytes.getLong(0) : (long) numbers[i];
      exact &= type != NetcdfType.UINT64 || integers[i] >= 0;
    }
    return exact ? integers : numbers;
  }

  private RawVariable parseVariable(List<Dimension> all) {
    String name = parseName();
    long rank = parseCount("variable " + name);
    if (rank > MAX_RANK) {
      throw in.error(
          "gives variable " + name + " " + rank + " dimensions; the limit is " + MAX_RANK);
    }
    List<Dimension> dimensions = new ArrayList<>();
    boolean isRecord = false;
    for (int i = 0; i < rank; i++) {
      long id = version == 5 ? in.readLong() : in.readInt();
      if (id < 0 || id >= all.size()) {
        throw in.error("gives variable " + name + " the unknown dimension " + id);
      }
      if (id == recordDimension && i > 0) {
        throw in.error("has the record dimension of variable " + name + " in place " + i);
      }
      isRecord |= id == recordDimension;
      dimensions.add(all.get((int) id));
    }
    Map<String, Object> attributes = parseAttributes();
    NetcdfType type = parseType("variable " + name);
    // The stored size overflows for large variables, so the specification has readers recompute it.
    in.skip(version == 5 ? 8 : 4);
    long begin = version == 1 ? Integer.toUnsignedLong(in.readInt()) : in.readLong();
    if (begin < 0) {
      throw in.error("places variable " + name + " at the negative offset " + begin);
    }
    return new RawVariable(
        new Variable(name, type.label, dimensions, Packing.describing(attributes)),
        attributes,
        type,
        isRecord,
        begin);
  }

  private long listLength(int expectedTag, String what) {
    int tag = in.readInt();
    long count = parseCount("list of " + what);
    if (tag != expectedTag && !(tag == ABSENT && count == 0)) {
      throw in.error("has tag " + tag + " where the list of " + what + " should start");
    }
    // Even the smallest element takes a name length and a length or type.
    in.require(count, 8, "list of " + what);
    return count;
  }

  private String parseName() {
    long length = parseCount("name");
    in.require(length, 1, "name");
    String name = in.readText((int) length);
    in.align();
    return name;
  }

  private NetcdfType parseType(String what) {
    int code = in.readInt();
    @Nullable NetcdfType type = NetcdfType.ofCode(code);
    if (type == null || (version != 5 && code > NetcdfType.DOUBLE.code)) {
      throw in.error("gives " + what + " the unknown type " + code);
    }
    return type;
  }

  private long parseCount(String what) {
    long count = version == 5 ? in.readLong() : in.readInt();
    if (count < 0) {
      throw in.error("has the negative length " + count + " for " + what);
    }
    return count;
  }
}
