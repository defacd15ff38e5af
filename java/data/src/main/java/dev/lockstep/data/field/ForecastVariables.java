package dev.lockstep.data.field;

import dev.lockstep.data.ArrayWriter;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SortedMap;
import java.util.TreeMap;

/** Predictions as arrays on the grid of their file, with its coordinates. */
final class ForecastVariables {
  private static final List<String> KEPT =
      List.of("units", "calendar", "long_name", "standard_name", "axis", "positive");

  private final Forecast forecast;
  private final FieldRecipe recipe;
  private final Grid grid;
  private final List<Axis> axes = new ArrayList<>();

  ForecastVariables(Forecast forecast) {
    this.forecast = forecast;
    recipe = forecast.recipe();
    grid = forecast.grid();
    Map<String, Axis> all = new LinkedHashMap<>();
    grid.axes().forEach(axis -> all.put(axis.name(), axis));
    all.putAll(grid.others());
    List<String> used =
        predicted().values().stream()
            .flatMap(target -> dimensions(target).stream())
            .map(Dimension::name)
            .toList();
    all.values().stream()
        .filter(axis -> used.contains(axis.name()) && axis.values().length > 0)
        .forEach(axes::add);
  }

  /** All variables of the file; those that are predicted say how they mark missing values. */
  List<Variable> filledWith(double fill) {
    List<Variable> variables = new ArrayList<>();
    axes.forEach(axis -> variables.add(coordinate(axis)));
    if (forecast.hasLeads()) {
      String step = grid.samples().get(Math.max(0, grid.step())).name();
      variables.add(
          new Variable(
              forecast.lead(),
              "double",
              List.of(new Dimension(forecast.lead(), forecast.leads().size())),
              Map.of("units", "1", "long_name", "steps ahead of " + step)));
    }
    for (FieldRecipe.Target target : predicted().values()) {
      Map<String, Object> own = new HashMap<>(target.attributes());
      own.put("_FillValue", new double[] {fill});
      String type = target.type().equals("double") ? "double" : "float";
      variables.add(new Variable(target.variable(), type, dimensions(target), own));
    }
    return variables;
  }

  /** The first channel of each variable. */
  private Map<String, FieldRecipe.Target> predicted() {
    Map<String, FieldRecipe.Target> first = new LinkedHashMap<>();
    forecast.outputs().forEach(target -> first.putIfAbsent(target.variable(), target));
    return first;
  }

  private List<Dimension> dimensions(FieldRecipe.Target target) {
    List<Dimension> dimensions = new ArrayList<>();
    grid.samples().forEach(axis -> dimensions.add(new Dimension(axis.name(), axis.length())));
    if (forecast.hasLeads()) {
      dimensions.add(new Dimension(forecast.lead(), forecast.leads().size()));
    }
    for (String other : target.others()) {
      dimensions.add(new Dimension(other, recipe.lengths().getOrDefault(other, 1)));
    }
    grid.inside().forEach(axis -> dimensions.add(new Dimension(axis.name(), axis.length())));
    return dimensions;
  }

  /** With the file's attributes, but those of how it stores its numbers. */
  private static Variable coordinate(Axis axis) {
    Map<String, Object> attributes = new HashMap<>();
    if (axis.coordinate() != null) {
      for (String name : KEPT) {
        String text = Axis.text(axis.coordinate(), name);
        if (!text.isEmpty()) {
          attributes.put(name, text);
        }
      }
    }
    return new Variable(
        axis.name(), "double", List.of(new Dimension(axis.name(), axis.length())), attributes);
  }

  /** Writes the coordinates, and then what is predicted. */
  ForecastWriter to(ArrayWriter arrays) {
    try {
      axes.forEach(axis -> arrays.write(axis.name(), 0, axis.values(), 0, axis.length()));
      if (forecast.hasLeads()) {
        double[] steps = forecast.leads().stream().mapToDouble(Integer::doubleValue).toArray();
        arrays.write(forecast.lead(), 0, steps, 0, steps.length);
      }
    } catch (RuntimeException e) {
      arrays.close();
      throw e;
    }
    return new ForecastWriter() {
      @Override
      public void write(long sample, double[] row, int at) {
        writeSample(arrays, sample, row, at);
      }

      @Override
      public void finish() {
        arrays.finish();
      }

      @Override
      public void close() {
        arrays.close();
      }
    };
  }

  /** Each variable from its beginning to its end, as a Zarr store is written. */
  private void writeSample(ArrayWriter arrays, long sample, double[] row, int at) {
    long point = forecast.dataset().point(sample);
    int cells = grid.cells();
    int leads = forecast.leads().size();
    List<FieldRecipe.Target> outputs = forecast.outputs();
    Map<String, Map<Integer, Integer>> seen = new HashMap<>();
    Map<String, SortedMap<Long, Integer>> channels = new HashMap<>();
    for (int t = 0; t < outputs.size(); t++) {
      FieldRecipe.Target target = outputs.get(t);
      // Channels of one variable and lead follow each other in C order of its other dimensions.
      int other =
          seen.computeIfAbsent(target.variable(), v -> new HashMap<>())
                  .merge(target.lead(), 1, Integer::sum)
              - 1;
      long others = 1;
      for (String name : target.others()) {
        others *= recipe.lengths().getOrDefault(name, 1);
      }
      int lead = forecast.leads().indexOf(target.lead());
      long place = (point * leads + lead) * others + other;
      channels.computeIfAbsent(target.variable(), v -> new TreeMap<>()).put(place, t);
    }
    channels.forEach(
        (variable, places) ->
            places.forEach(
                (place, t) -> arrays.write(variable, place * cells, row, at + t * cells, cells)));
  }
}
