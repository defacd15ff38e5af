package dev.lockstep.data.field;

import dev.lockstep.data.CfTime;
import dev.lockstep.data.DataException;
import dev.lockstep.data.csv.CsvFormat;
import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * Predictions as CSV: a line for each sample, lead and cell with its coordinates (times by ISO
 * 8601), and a column for each channel; what is missing is empty. The order of samples is that in
 * which they are written.
 */
final class ForecastTable implements ForecastWriter {
  private final Forecast forecast;
  private final Grid grid;
  private final Path file;
  private final Path part;
  private final BufferedWriter out;
  private final List<String> columns;
  private boolean finished;

  ForecastTable(Forecast forecast, Path file) {
    this.forecast = forecast;
    this.file = file;
    grid = forecast.grid();
    columns = forecast.outputs().stream().map(FieldRecipe.Target::column).distinct().toList();
    part = file.resolveSibling(file.getFileName() + ".part");
    try {
      out = Files.newBufferedWriter(part);
      List<String> header = new ArrayList<>();
      grid.samples().forEach(axis -> header.add(axis.name()));
      if (forecast.hasLeads()) {
        header.add(forecast.lead());
      }
      grid.inside().forEach(axis -> header.add(axis.name()));
      header.addAll(columns);
      out.write(CsvFormat.line(header));
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  @Override
  public void write(long sample, double[] row, int at) {
    long point = forecast.dataset().point(sample);
    StringBuilder place = new StringBuilder();
    for (int d = 0; d < grid.samples().size(); d++) {
      place.append(coordinate(grid.samples().get(d), grid.indexOf(point, d))).append(',');
    }
    int cells = grid.cells();
    Map<Integer, int[]> starts = starts(at);
    try {
      for (Map.Entry<Integer, int[]> lead : starts.entrySet()) {
        for (int cell = 0; cell < cells; cell++) {
          out.append(place);
          if (forecast.hasLeads()) {
            out.append(lead.getKey().toString()).append(',');
          }
          appendCell(cell);
          String separator = "";
          for (int start : lead.getValue()) {
            out.append(separator).append(start < 0 ? "" : number(row[start + cell]));
            separator = ",";
          }
          out.append('\n');
        }
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  /** Of each lead where the cells of each column begin; negative for one without it. */
  private Map<Integer, int[]> starts(int at) {
    Map<Integer, int[]> starts = new TreeMap<>();
    for (int t = 0; t < forecast.outputs().size(); t++) {
      FieldRecipe.Target target = forecast.outputs().get(t);
      int[] ofLead =
          starts.computeIfAbsent(
              target.lead(),
              lead -> {
                int[] none = new int[columns.size()];
                Arrays.fill(none, -1);
                return none;
              });
      ofLead[columns.indexOf(target.column())] = at + t * grid.cells();
    }
    return starts;
  }

  private void appendCell(int cell) throws IOException {
    int below = grid.cells();
    int left = cell;
    for (Axis axis : grid.inside()) {
      below /= axis.length();
      out.append(coordinate(axis, left / below)).append(',');
      left %= below;
    }
  }

  private static String coordinate(Axis axis, int index) {
    if (axis.time() != null) {
      CfTime.Date date = axis.date(index);
      // A time within half a second of midnight stays in its day.
      int second = (int) Math.min(86_399, Math.round(date.secondOfDay()));
      return String.format(
          Locale.ROOT,
          "%04d-%02d-%02dT%02d:%02d:%02d",
          date.year(),
          date.month(),
          date.day(),
          second / 3600,
          second / 60 % 60,
          second % 60);
    }
    return axis.values().length > 0
        ? Double.toString(axis.values()[index])
        : Integer.toString(axis.start() + index);
  }

  private static String number(double value) {
    return Double.isNaN(value) ? "" : Double.toString(value);
  }

  @Override
  public void finish() {
    try {
      out.close();
      Files.move(part, file, StandardCopyOption.REPLACE_EXISTING);
      finished = true;
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  @Override
  public void close() {
    try {
      out.close();
      if (!finished) {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      throw cannotWrite(e);
    }
  }

  private DataException cannotWrite(IOException cause) {
    return new DataException(
        file.toString(), "cannot be written; check the folder and the space left", cause);
  }
}
