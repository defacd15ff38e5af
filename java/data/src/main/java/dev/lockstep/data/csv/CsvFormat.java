package dev.lockstep.data.csv;

import dev.lockstep.data.TableFormat;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;

/** Writes tables as CSV; {@link Double#toString} gives back the same bits when it is read. */
public final class CsvFormat implements TableFormat {
  @Override
  public void writeHeader(OutputStream out, List<String> names, long rows) throws IOException {
    out.write(line(names).getBytes(StandardCharsets.UTF_8));
  }

  /** The line of these words, quoted where that is needed, with its line feed. */
  public static String line(List<String> words) {
    return words.stream().map(CsvFormat::quoted).collect(Collectors.joining(",")) + "\n";
  }

  private static String quoted(String name) {
    boolean plain = name.chars().noneMatch(c -> c == ',' || c == '"' || c == '\n' || c == '\r');
    return plain ? name : '"' + name.replace("\"", "\"\"") + '"';
  }

  @Override
  public void writeRow(OutputStream out, double[] values, int at, int columns) throws IOException {
    StringBuilder row = new StringBuilder();
    for (int c = 0; c < columns; c++) {
      row.append(c == 0 ? "" : ",");
      row.append(Double.isNaN(values[at + c]) ? "NaN" : Double.toString(values[at + c]));
    }
    out.write(row.append('\n').toString().getBytes(StandardCharsets.US_ASCII));
  }
}
