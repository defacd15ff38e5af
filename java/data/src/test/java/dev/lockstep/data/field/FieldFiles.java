package dev.lockstep.data.field;

import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Small files whose values can be told by hand, and data sets of them. */
final class FieldFiles {
  private static final double FILL = 9.969209968386869e36;

  /** The length of each month of a year without leap days. */
  private static final int[] MONTHS = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  private final List<Variable> variables = new ArrayList<>();
  private final List<double[]> values = new ArrayList<>();
  private final List<Dimension> dimensions = new ArrayList<>();

  /** Months from January 1990 on at their middle, latitudes −60, 0, 60, longitudes 0, 120, 240. */
  static FieldFiles months(int count) {
    double[] middles = new double[count];
    double day = 0;
    for (int m = 0; m < count; m++) {
      middles[m] = day + MONTHS[m % 12] / 2.0;
      day += MONTHS[m % 12];
    }
    return new FieldFiles()
        .with("time", middles, Map.of("units", "days since 1990-01-01", "calendar", "noleap"))
        .with("lat", new double[] {-60, 0, 60}, Map.of("units", "degrees_north"))
        .with("lon", new double[] {0, 120, 240}, Map.of("units", "degrees_east"));
  }

  /** Adds a dimension with its coordinates. */
  FieldFiles with(String name, double[] coordinates, Map<String, String> attributes) {
    dimensions.add(new Dimension(name, coordinates.length));
    return add(name, List.of(name), attributes, coordinates);
  }

  /** Value of a variable by its indices. */
  interface Formula {
    double at(int[] index);
  }

  /** Adds a variable. */
  FieldFiles with(String name, List<String> along, Formula formula) {
    return with(name, along, Map.of(), formula);
  }

  FieldFiles with(
      String name, List<String> along, Map<String, String> attributes, Formula formula) {
    int[] lengths = along.stream().mapToInt(d -> (int) dimension(d).length()).toArray();
    double[] all = new double[Arrays.stream(lengths).reduce(1, (a, b) -> a * b)];
    int[] index = new int[lengths.length];
    for (int i = 0; i < all.length; i++) {
      int left = i;
      for (int d = lengths.length - 1; d >= 0; d--) {
        index[d] = left % lengths[d];
        left /= lengths[d];
      }
      all[i] = formula.at(index);
    }
    return add(name, along, attributes, all);
  }

  private FieldFiles add(
      String name, List<String> along, Map<String, String> attributes, double[] all) {
    Map<String, Object> own = new HashMap<>(attributes);
    own.put("_FillValue", new double[] {FILL});
    variables.add(new Variable(name, "double", along.stream().map(this::dimension).toList(), own));
    values.add(all);
    return this;
  }

  private Dimension dimension(String name) {
    return dimensions.stream().filter(d -> d.name().equals(name)).findFirst().orElseThrow();
  }

  /** Writes NetCDF. */
  Path write(Path file) {
    try (NetcdfWriter writer = NetcdfWriter.create(file, variables, Map.of("title", "test"))) {
      for (int v = 0; v < values.size(); v++) {
        writer.write(variables.get(v).name(), 0, values.get(v), 0, values.get(v).length);
      }
      writer.finish();
    }
    return file;
  }

  /** Opens a data section, as YAML says it. */
  static FieldDataset open(String... yaml) {
    return (FieldDataset) DataFiles.open(Yaml.data(yaml));
  }

  static double[] features(FieldDataset data, long sample) {
    double[] features = new double[data.featureNames().size() * data.cells()];
    double[] targets = new double[data.targetNames().size() * data.cells()];
    data.read(new long[] {sample}, 0, 1, features, targets);
    return features;
  }

  static double[] targets(FieldDataset data, long sample) {
    double[] features = new double[data.featureNames().size() * data.cells()];
    double[] targets = new double[data.targetNames().size() * data.cells()];
    data.read(new long[] {sample}, 0, 1, features, targets);
    return targets;
  }
}
