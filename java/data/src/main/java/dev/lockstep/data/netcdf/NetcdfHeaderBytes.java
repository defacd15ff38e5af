package dev.lockstep.data.netcdf;

import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Encodes a header of NetCDF classic (NetCDF User's Guide, appendix B). Counts take four bytes in
 * CDF-2 and eight in CDF-5.
 *
 * @param version 2 or 5
 */
record NetcdfHeaderBytes(int version) {
  private static final int DIMENSION_LIST = 10;
  private static final int VARIABLE_LIST = 11;
  private static final int ATTRIBUTE_LIST = 12;

  /**
   * The header.
   *
   * @param records the length of the record dimension; 0 without one
   * @param dimensions the record dimension has length 0
   * @param variables their dimensions are among {@code dimensions}, their types those of {@link
   *     NetcdfType#label}
   * @param sizes bytes of each variable, or of one record of it
   * @param begins where each variable's values begin
   */
  byte[] of(
      long records,
      List<Dimension> dimensions,
      Map<String, Object> attributes,
      List<Variable> variables,
      long[] sizes,
      long[] begins) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeBytes("CDF");
      out.writeByte(version);
      count(out, records);
      list(out, DIMENSION_LIST, dimensions.size());
      for (Dimension dimension : dimensions) {
        name(out, dimension.name());
        count(out, dimension.length());
      }
      attributes(out, attributes, NetcdfType.DOUBLE);
      list(out, VARIABLE_LIST, variables.size());
      for (int v = 0; v < sizes.length; v++) {
        Variable variable = variables.get(v);
        NetcdfType type = NetcdfType.ofLabel(variable.type());
        name(out, variable.name());
        count(out, variable.dimensions().size());
        for (Dimension dimension : variable.dimensions()) {
          count(out, dimensions.indexOf(dimension));
        }
        attributes(out, variable.attributes(), type);
        out.writeInt(type.code);
        count(out, sizes[v]);
        out.writeLong(begins[v]);
      }
    } catch (IOException e) {
      throw new IllegalStateException("a stream into memory failed", e);
    }
    return bytes.toByteArray();
  }

  private void list(DataOutputStream out, int tag, int length) throws IOException {
    out.writeInt(length == 0 ? 0 : tag);
    count(out, length);
  }

  private void count(DataOutputStream out, long count) throws IOException {
    if (version == 5) {
      out.writeLong(count);
    } else {
      out.writeInt((int) count);
    }
  }

  private void name(DataOutputStream out, String name) throws IOException {
    text(out, name.getBytes(StandardCharsets.UTF_8));
  }

  private void text(DataOutputStream out, byte[] text) throws IOException {
    count(out, text.length);
    out.write(text);
    out.write(new byte[-text.length & 3]);
  }

  /** By name. Markers of missing values are of the variable's type, other numbers doubles. */
  private void attributes(DataOutputStream out, Map<String, Object> attributes, NetcdfType own)
      throws IOException {
    list(out, ATTRIBUTE_LIST, attributes.size());
    for (Map.Entry<String, Object> attribute : new TreeMap<>(attributes).entrySet()) {
      name(out, attribute.getKey());
      if (attribute.getValue() instanceof double[] numbers) {
        boolean marker = attribute.getKey().equals("_FillValue");
        NetcdfType type = marker ? own : NetcdfType.DOUBLE;
        out.writeInt(type.code);
        count(out, numbers.length);
        byte[] bytes = new byte[numbers.length * type.size + 3 & ~3];
        for (int i = 0; i < numbers.length; i++) {
          type.put(ByteBuffer.wrap(bytes), i * type.size, numbers[i]);
        }
        out.write(bytes);
      } else {
        out.writeInt(NetcdfType.CHAR.code);
        text(out, attribute.getValue().toString().getBytes(StandardCharsets.UTF_8));
      }
    }
  }
}
