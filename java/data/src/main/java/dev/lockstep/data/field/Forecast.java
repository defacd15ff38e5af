package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import dev.lockstep.data.netcdf.NetcdfWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The samples of a file that a network for fields predicts from, and the CF NetCDF file that its
 * outputs go to: on the file's own grid, with its coordinates; forecasts have a dimension {@code
 * lead}, or {@code forecast_lead} where that name is taken. Not thread-safe.
 */
public final class Forecast implements AutoCloseable {
  private static final double FILL = 9.9692099683868690e+36; // NC_FILL_FLOAT and NC_FILL_DOUBLE

  private final FieldDataset dataset;
  private final FieldRecipe recipe;
  private final Grid grid;
  private final List<@Nullable Climatology> climatologies = new ArrayList<>();
  private final List<@Nullable BitSet> known = new ArrayList<>();
  private final List<Integer> leads;
  private final String lead;

  private Forecast(FieldDataset dataset, FieldRecipe recipe) {
    this.dataset = dataset;
    this.recipe = recipe;
    grid = dataset.grid().stepping(recipe.stepSeconds());
    lead = leadName(recipe, grid);
    Map<String, double[]> means = recipe.climatologyValues();
    for (FieldRecipe.Target target : recipe.targets()) {
      double[] own = means.get(target.source());
      climatologies.add(
          own != null && target.normalization() == Normalization.ANOMALY
              ? new Climatology(recipe.seasons(), grid.lanes(), grid.cells(), own)
              : null);
      known.add(recipe.knownCells(target));
    }
    leads = List.copyOf(new TreeSet<>(recipe.targets().stream().map(t -> t.lead()).toList()));
  }

  /**
   * Opens the samples of files.
   *
   * @param path as {@code data.path}: files, or names with {@code *}
   * @throws IllegalArgumentException if they lie on another grid, or lack what the model needs
   * @throws dev.lockstep.data.DataException if a file cannot be read, or has no complete sample
   */
  public static Forecast open(FieldRecipe recipe, List<String> path, Format format) {
    ArrayFile file = DataFiles.openJoined(path, format, recipe.samples().get(0));
    try {
      long half = Runtime.getRuntime().maxMemory() / 2;
      return new Forecast(
          new FieldDataset(file, recipe.config(path, format), half, recipe), recipe);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The samples, without targets. */
  public FieldDataset dataset() {
    return dataset;
  }

  /**
   * Turns a network's outputs for a sample into the variables' own numbers, in place; NaN where the
   * target was never known in training.
   *
   * @param row channels × cells from {@code at} on
   */
  public void restore(long sample, double[] row, int at) {
    long point = dataset.point(sample);
    int step = grid.stepOf(point);
    int lane = grid.laneOf(point);
    int cells = grid.cells();
    for (int t = 0; t < recipe.targets().size(); t++) {
      FieldRecipe.Target target = recipe.targets().get(t);
      Climatology climatology = climatologies.get(t);
      int from = at + t * cells;
      if (climatology != null) {
        climatology.add(1, grid, step + target.lead(), lane, row, from);
      }
      BitSet cellsKnown = known.get(t);
      for (int c = 0; c < cells; c++) {
        if (target.normalization() == Normalization.LOG1P) {
          row[from + c] = Math.expm1(row[from + c]);
        }
        if (cellsKnown != null && !cellsKnown.get(lane * cells + c)) {
          row[from + c] = Double.NaN;
        }
      }
    }
  }

  /**
   * Starts the file of the predictions, all missing.
   *
   * @param attributes of the file, such as its history
   */
  public NetcdfWriter create(Path file, Map<String, Object> attributes) {
    List<Variable> variables = new ArrayList<>();
    Map<String, Axis> axes = new LinkedHashMap<>();
    grid.axes().forEach(axis -> axes.put(axis.name(), axis));
    axes.putAll(grid.others());
    List<String> used = new ArrayList<>();
    for (FieldRecipe.Target target : outputs().values()) {
      List<Dimension> dimensions = dimensions(target, axes);
      dimensions.forEach(dimension -> used.add(dimension.name()));
      Map<String, Object> own = new HashMap<>(target.attributes());
      own.put("_FillValue", new double[] {FILL});
      String type = target.type().equals("double") ? "double" : "float";
      variables.add(new Variable(target.variable(), type, dimensions, own));
    }
    if (hasLeads()) {
      Map<String, Object> own = new HashMap<>();
      own.put("units", "1");
      own.put("long_name", "steps ahead of " + grid.samples().get(Math.max(0, grid.step())).name());
      variables.add(
          0, new Variable(lead, "double", List.of(new Dimension(lead, leads.size())), own));
    }
    axes.values().stream()
        .filter(axis -> used.contains(axis.name()) && axis.values().length > 0)
        .forEach(axis -> variables.add(0, coordinate(axis)));
    Map<String, Object> all = new HashMap<>(attributes);
    all.put("Conventions", "CF-1.11");
    NetcdfWriter writer = NetcdfWriter.create(file, variables, all);
    axes.values().stream()
        .filter(axis -> used.contains(axis.name()) && axis.values().length > 0)
        .forEach(axis -> writer.write(axis.name(), 0, axis.values(), 0, axis.length()));
    if (hasLeads()) {
      double[] steps = leads.stream().mapToDouble(Integer::doubleValue).toArray();
      writer.write(lead, 0, steps, 0, steps.length);
    }
    return writer;
  }

  private static String leadName(FieldRecipe recipe, Grid grid) {
    Set<String> taken = new HashSet<>(grid.others().keySet());
    grid.axes().forEach(axis -> taken.add(axis.name()));
    recipe.targets().forEach(target -> taken.add(target.variable()));
    String name = "lead";
    while (taken.contains(name)) {
      name = "forecast_" + name;
    }
    return name;
  }

  private boolean hasLeads() {
    return leads.size() > 1 || leads.get(0) != 0;
  }

  /** The first channel of each variable. */
  private Map<String, FieldRecipe.Target> outputs() {
    Map<String, FieldRecipe.Target> first = new LinkedHashMap<>();
    recipe.targets().forEach(target -> first.putIfAbsent(target.variable(), target));
    return first;
  }

  private List<Dimension> dimensions(FieldRecipe.Target target, Map<String, Axis> axes) {
    List<Dimension> dimensions = new ArrayList<>();
    grid.samples().forEach(axis -> dimensions.add(new Dimension(axis.name(), axis.length())));
    if (hasLeads()) {
      dimensions.add(new Dimension(lead, leads.size()));
    }
    for (String other : target.others()) {
      Integer length = recipe.lengths().get(other);
      dimensions.add(new Dimension(other, length == null ? 1 : length));
    }
    grid.inside().forEach(axis -> dimensions.add(new Dimension(axis.name(), axis.length())));
    return dimensions;
  }

  /** With the file's attributes, but those of how it stores its numbers. */
  private static Variable coordinate(Axis axis) {
    Map<String, Object> attributes = new HashMap<>();
    if (axis.coordinate() != null) {
      for (String name :
          List.of("units", "calendar", "long_name", "standard_name", "axis", "positive")) {
        String text = Axis.text(axis.coordinate(), name);
        if (!text.isEmpty()) {
          attributes.put(name, text);
        }
      }
    }
    return new Variable(
        axis.name(), "double", List.of(new Dimension(axis.name(), axis.length())), attributes);
  }

  /** Writes a sample's restored outputs, channels × cells from {@code at} on. */
  public void write(NetcdfWriter writer, long sample, double[] row, int at) {
    long point = dataset.point(sample);
    int cells = grid.cells();
    int leadCount = leads.size();
    Map<String, Map<Integer, Integer>> seen = new HashMap<>();
    for (int t = 0; t < recipe.targets().size(); t++) {
      FieldRecipe.Target target = recipe.targets().get(t);
      // Channels of one variable and lead follow each other in C order of its other dimensions.
      int other =
          seen.computeIfAbsent(target.variable(), v -> new HashMap<>())
                  .merge(target.lead(), 1, Integer::sum)
              - 1;
      long others = 1;
      for (String name : target.others()) {
        others *= recipe.lengths().getOrDefault(name, 1);
      }
      long place = (point * leadCount + leads.indexOf(target.lead())) * others + other;
      writer.write(target.variable(), place * cells, row, at + t * cells, cells);
    }
  }

  @Override
  public void close() {
    dataset.close();
  }
}
