package dev.lockstep.cli;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Files of monthly sea surface temperatures of 1990 to 1992 on 4 × 6 cells, one of them land. */
final class MonthlyTemperatures {
  static final int MONTHS = 36;
  static final int ROWS = 4;
  static final int COLUMNS = 6;
  static final int CELLS = ROWS * COLUMNS;

  /** The cell that is land: its temperature is missing in all months. */
  static final int LAND = 7;

  static final double[] LATITUDES = {-45, -15, 15, 45};
  static final double[] LONGITUDES = {0, 60, 120, 180, 240, 300};
  static final double DAYS = 365 / 12.0;

  private MonthlyTemperatures() {}

  /** Temperatures at a month, counted from 0, and a cell. */
  interface Temperatures {
    double at(int month, int cell);
  }

  static double temperature(int month, int cell) {
    if (cell == LAND) {
      return Double.NaN;
    }
    return 15 + 8 * Math.sin(2 * Math.PI * month / 12) + cell * 0.1 + Math.sin(month * 1.7 + cell);
  }

  static Path write(Path file, String units, double[] latitudes, double days) {
    return write(file, units, latitudes, days, MONTHS, MonthlyTemperatures::temperature);
  }

  static Path write(
      Path file, String units, double[] latitudes, double days, int months, Temperatures values) {
    Dimension time = new Dimension("time", months);
    Dimension lat = new Dimension("lat", ROWS);
    Dimension lon = new Dimension("lon", COLUMNS);
    Map<String, Object> sst = new HashMap<>();
    sst.put("units", units);
    sst.put("long_name", "sea surface temperature");
    sst.put("_FillValue", new double[] {-999});
    List<Variable> variables =
        List.of(
            new Variable(
                "time",
                "double",
                List.of(time),
                Map.of("units", "days since 1990-01-01", "calendar", "noleap")),
            new Variable("lat", "double", List.of(lat), Map.of("units", "degrees_north")),
            new Variable("lon", "double", List.of(lon), Map.of("units", "degrees_east")),
            new Variable("sst", "double", List.of(time, lat, lon), sst),
            new Variable("basin", "double", List.of(lat, lon), Map.of()),
            new Variable("wind", "double", List.of(time, lat, lon), Map.of()));
    try (NetcdfWriter writer = NetcdfWriter.create(file, variables, Map.of())) {
      for (int month = 0; month < months; month++) {
        int m = month;
        double[] map = new double[CELLS];
        Arrays.setAll(map, cell -> values.at(m, cell));
        writer.write("sst", (long) month * CELLS, map, 0, CELLS);
        Arrays.setAll(map, cell -> Math.cos(m + 2.0 * cell));
        writer.write("wind", (long) month * CELLS, map, 0, CELLS);
        writer.write("time", month, new double[] {(month + 0.5) * days}, 0, 1);
      }
      double[] basin = new double[CELLS];
      Arrays.setAll(basin, cell -> cell / COLUMNS + cell % COLUMNS > 3 ? 1 : 0);
      writer.write("basin", 0, basin, 0, CELLS);
      writer.write("lat", 0, latitudes, 0, ROWS);
      writer.write("lon", 0, LONGITUDES, 0, COLUMNS);
      writer.finish();
    }
    return file;
  }

  static double[] values(Path file, String name) {
    try (ArrayFile opened = DataFiles.openJoined(List.of(file.toString()), Format.AUTO, "time")) {
      Variable variable =
          opened.variables().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
      double[] values = new double[(int) variable.size()];
      opened.read(variable, 0, values.length, values);
      return values;
    }
  }
}
