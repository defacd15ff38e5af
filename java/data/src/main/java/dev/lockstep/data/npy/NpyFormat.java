package dev.lockstep.data.npy;

import dev.lockstep.data.TableFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/** Writes tables as NPY version 1, little-endian float64, rows first. */
public final class NpyFormat implements TableFormat {
  /** The elements start at a multiple of this many bytes (numpy.lib.format.ARRAY_ALIGN). */
  private static final int ALIGNMENT = 64;

  private static final int PREFIX_BYTES = 10;

  @Override
  public void writeHeader(OutputStream out, List<String> names, long rows) throws IOException {
    out.write(header("<f8", new long[] {rows, names.size()}));
  }

  /** All bytes before the first element of an array in C order. */
  static byte[] header(String type, long[] shape) {
    String lengths =
        Arrays.stream(shape).mapToObj(Long::toString).collect(Collectors.joining(", "))
            + (shape.length == 1 ? "," : "");
    String dictionary =
        "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + lengths + "), }";
    int unpadded = PREFIX_BYTES + dictionary.length() + 1;
    int padded = (unpadded + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    byte[] text =
        (dictionary + " ".repeat(padded - unpadded) + "\n").getBytes(StandardCharsets.US_ASCII);
    ByteBuffer header =
        ByteBuffer.allocate(PREFIX_BYTES + text.length).order(ByteOrder.LITTLE_ENDIAN);
    header.put((byte) 0x93).put("NUMPY".getBytes(StandardCharsets.US_ASCII));
    header.put((byte) 1).put((byte) 0).putShort((short) text.length).put(text);
    return header.array();
  }

  @Override
  public void writeRow(OutputStream out, double[] values, int at, int columns) throws IOException {
    ByteBuffer row = ByteBuffer.allocate(columns * Double.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    row.asDoubleBuffer().put(values, at, columns);
    out.write(row.array());
  }
}
