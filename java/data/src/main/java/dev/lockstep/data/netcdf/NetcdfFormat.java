package dev.lockstep.data.netcdf;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.TableFormat;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Writes tables as NetCDF classic, CDF-5: one double variable for each column along the record
 * dimension. The records of all variables lie next to each other, so a row is written as it comes.
 */
public final class NetcdfFormat implements TableFormat {
  private static final double FILL = 9.9692099683868690e+36; // NC_FILL_DOUBLE

  @Override
  public void writeHeader(OutputStream out, List<String> names, long rows) throws IOException {
    int headerBytes = header(names, rows, 0).length;
    out.write(header(names, rows, headerBytes));
  }

  private static byte[] header(List<String> names, long rows, long begin) {
    // A length of zero marks the record dimension.
    List<Dimension> records = List.of(new Dimension(ArrayFile.SAMPLES, 0));
    // Readers such as xarray take only what _FillValue says for missing.
    Map<String, Object> attributes = Map.of("_FillValue", new double[] {FILL});
    List<Variable> variables =
        names.stream()
            .map(name -> new Variable(name, NetcdfType.DOUBLE.label, records, attributes))
            .toList();
    long[] sizes = new long[names.size()];
    long[] begins = new long[names.size()];
    Arrays.fill(sizes, Double.BYTES);
    Arrays.setAll(begins, i -> begin + (long) i * Double.BYTES);
    return new NetcdfHeaderBytes(5).of(rows, records, Map.of(), variables, sizes, begins);
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
