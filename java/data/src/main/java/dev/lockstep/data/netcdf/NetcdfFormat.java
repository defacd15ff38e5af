package dev.lockstep.data.netcdf;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.TableFormat;
import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * Writes tables as NetCDF classic, CDF-5: one double variable for each column along the record
 * dimension. The records of all variables lie next to each other, so a row is written as it comes.
 */
public final class NetcdfFormat implements TableFormat {
  private static final int DIMENSION_LIST = 10;
  private static final int VARIABLE_LIST = 11;
  private static final int ATTRIBUTE_LIST = 12;
  private static final double FILL = 9.9692099683868690e+36; // NC_FILL_DOUBLE

  @Override
  public void writeHeader(OutputStream out, List<String> names, long rows) throws IOException {
    long headerBytes = header(names, rows, 0).length;
    out.write(header(names, rows, headerBytes));
  }

  private static byte[] header(List<String> names, long rows, long begin) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    out.writeBytes("CDF");
    out.writeByte(5);
    out.writeLong(rows);
    out.writeInt(DIMENSION_LIST);
    out.writeLong(1);
    writeName(out, ArrayFile.SAMPLES);
    out.writeLong(0); // a length of zero marks the record dimension
    writeNoAttributes(out);
    out.writeInt(VARIABLE_LIST);
    out.writeLong(names.size());
    for (int i = 0; i < names.size(); i++) {
      writeName(out, names.get(i));
      out.writeLong(1); // rank
      out.writeLong(0); // the record dimension
      writeFillValue(out);
      out.writeInt(NetcdfType.DOUBLE.code);
      out.writeLong(Double.BYTES);
      out.writeLong(begin + (long) i * Double.BYTES);
    }
    return bytes.toByteArray();
  }

  private static void writeName(DataOutputStream out, String name) throws IOException {
    byte[] text = name.getBytes(StandardCharsets.UTF_8);
    out.writeLong(text.length);
    out.write(text);
    out.write(new byte[-text.length & 3]);
  }

  /** Readers such as xarray take only what {@code _FillValue} says for missing. */
  private static void writeFillValue(DataOutputStream out) throws IOException {
    out.writeInt(ATTRIBUTE_LIST);
    out.writeLong(1);
    writeName(out, "_FillValue");
    out.writeInt(NetcdfType.DOUBLE.code);
    out.writeLong(1);
    out.writeDouble(FILL);
  }

  private static void writeNoAttributes(DataOutputStream out) throws IOException {
    out.writeInt(0);
    out.writeLong(0);
  }

  @Override
  public void writeRow(OutputStream out, double[] values, int at, int columns) throws IOException {
    ByteBuffer row = ByteBuffer.allocate(columns * Double.BYTES);
    for (int c = 0; c < columns; c++) {
      row.putDouble(Double.isNaN(values[at + c]) ? FILL : values[at + c]);
    }
    out.write(row.array());
  }
}
