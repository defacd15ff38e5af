package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig.Format;
import dev.lockstep.data.DataFiles;
import dev.lockstep.data.Normalization;
import dev.lockstep.data.netcdf.NetcdfWriter;
import dev.lockstep.data.npy.NpzWriter;
import dev.lockstep.data.zarr.ZarrWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The samples of a file that a network for fields predicts from, and how its outputs lie on the
 * file's own grid; forecasts have a dimension {@code lead}, or {@code forecast_lead} where that
 * name is taken. Not thread-safe.
 */
public final class Forecast implements AutoCloseable {
  private final FieldDataset dataset;
  private final FieldRecipe recipe;
  private final Grid grid;
  private final List<@Nullable Climatology> climatologies = new ArrayList<>();
  private final List<@Nullable BitSet> known = new ArrayList<>();
  private final int steps;

  /** What a row holds: the targets, of each step when there are several. */
  private final List<FieldRecipe.Target> outputs = new ArrayList<>();

  private final List<Integer> leads;
  private final String lead;

  private Forecast(FieldDataset dataset, FieldRecipe recipe, int steps) {
    this.dataset = dataset;
    this.recipe = recipe;
    this.steps = steps;
    grid = dataset.grid();
    for (int step = 0; step < steps; step++) {
      for (FieldRecipe.Target target : recipe.targets()) {
        outputs.add(target.ahead(step));
      }
    }
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
    leads = List.copyOf(new TreeSet<>(outputs.stream().map(t -> t.lead()).toList()));
  }

  /**
   * Opens the samples of files.
   *
   * @param path as {@code data.path}: files, or names with {@code *}
   * @param steps how often the network is applied, to its own predictions from the second time on
   * @throws IllegalArgumentException if they lie on another grid, or lack what the model needs
   * @throws dev.lockstep.data.DataException if a file cannot be read, or has no complete sample
   */
  public static Forecast open(FieldRecipe recipe, List<String> path, Format format, int steps) {
    if (steps < 1) {
      throw new IllegalArgumentException("a forecast has 1 step or more, not " + steps);
    }
    ArrayFile file = DataFiles.openJoined(path, format, recipe.samples().get(0));
    try {
      long half = Runtime.getRuntime().maxMemory() / 2;
      return new Forecast(
          new FieldDataset(file, recipe.config(path, format), half, recipe), recipe, steps);
    } catch (RuntimeException e) {
      file.close();
      throw e;
    }
  }

  /** The samples, without targets. */
  public FieldDataset dataset() {
    return dataset;
  }

  /** Steps of each sample. */
  public int steps() {
    return steps;
  }

  /** Numbers that {@link ForecastWriter} takes for a sample: channels × cells, of each step. */
  public int width() {
    return outputs.size() * grid.cells();
  }

  /**
   * Predictions of several steps from one sample.
   *
   * @throws IllegalArgumentException if the model cannot go on from what it predicts
   */
  public Rollout rollout() {
    return new Rollout(dataset, recipe);
  }

  /**
   * Turns a network's outputs for a sample into the variables' own numbers, in place; NaN where the
   * target was never known in training.
   *
   * @param ahead steps that were predicted before
   * @param row channels × cells from {@code at} on
   */
  public void restore(long sample, int ahead, double[] row, int at) {
    long point = dataset.point(sample);
    int step = grid.stepOf(point) + ahead;
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
   * Starts the file of the predictions, all missing: CF NetCDF (.nc), Zarr (.zarr), named NumPy
   * arrays (.npz) or a table (.csv) by its name.
   *
   * @param attributes of the file, such as its history
   * @throws IllegalArgumentException if the name has none of these endings
   */
  public ForecastWriter create(Path file, Map<String, Object> attributes) {
    String name = file.getFileName().toString().toLowerCase(Locale.ROOT);
    if (name.endsWith(".csv")) {
      return new ForecastTable(this, file);
    }
    ForecastVariables variables = new ForecastVariables(this);
    Map<String, Object> all = new HashMap<>(attributes);
    all.put("Conventions", "CF-1.11");
    if (name.endsWith(".nc")) {
      double fill = 9.9692099683868690e+36; // NC_FILL_FLOAT and NC_FILL_DOUBLE
      return variables.to(NetcdfWriter.create(file, variables.filledWith(fill), all));
    }
    if (name.endsWith(".zarr")) {
      return variables.to(ZarrWriter.create(file, variables.filledWith(Double.NaN), all));
    }
    if (name.endsWith(".npz")) {
      return variables.to(NpzWriter.create(file, variables.filledWith(Double.NaN)));
    }
    throw new IllegalArgumentException(
        file
            + ": predictions of fields are written as CF NetCDF, Zarr, NumPy arrays with their names,"
            + " or a table; end the name in .nc, .zarr, .npz or .csv");
  }

  /** The model's recipe. */
  FieldRecipe recipe() {
    return recipe;
  }

  Grid grid() {
    return grid;
  }

  List<FieldRecipe.Target> outputs() {
    return outputs;
  }

  /** Steps ahead, ascending. */
  List<Integer> leads() {
    return leads;
  }

  /** What the dimension of leads is called. */
  String lead() {
    return lead;
  }

  /** Whether predictions lie ahead of their sample. */
  boolean hasLeads() {
    return leads.size() > 1 || leads.get(0) != 0;
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

  @Override
  public void close() {
    dataset.close();
  }
}
