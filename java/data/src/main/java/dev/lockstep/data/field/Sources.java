package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.BlockCache;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.DataException;
import dev.lockstep.data.FeatureConfig;
import dev.lockstep.data.RegionConfig;
import dev.lockstep.data.TargetConfig;
import dev.lockstep.data.Variable;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Finds what a configuration names in a file; one source for each thing that is read. */
final class Sources {
  private static final String COS_LATITUDE = "cos_latitude";

  private final ArrayFile file;
  private final DataConfig config;
  private final BlockCache cache;
  private final Grid grid;
  private final Map<String, BlockCache.Values> values = new HashMap<>();
  private final Map<String, List<? extends Source>> sources = new HashMap<>();
  private final Map<String, String> units = new LinkedHashMap<>();

  /**
   * Looks at the file's variables.
   *
   * @param loneStep seconds to the step that would follow a time that is alone; NaN if unknown
   */
  Sources(ArrayFile file, DataConfig config, long cacheBytes, double loneStep) {
    this.file = file;
    this.config = config;
    cache = new BlockCache(cacheBytes);
    List<Variable> used = new ArrayList<>();
    List<Variable> targets = new ArrayList<>();
    config.features().stream()
        .filter(feature -> !feature.function().ofCoordinates())
        .forEach(feature -> used.add(variable(feature.variable())));
    config.targets().forEach(target -> targets.add(variable(target.variable())));
    used.addAll(targets);
    String weights = weightVariable();
    if (weights != null) {
      used.add(variable(weights));
    }
    for (Variable variable : used) {
      String unit = Axis.text(variable, "units");
      if (!unit.isEmpty()) {
        units.put(variable.name(), unit);
      }
    }
    for (RegionConfig region : config.regions()) {
      String mask = region.mask();
      if (mask != null) {
        used.add(variable(mask));
      }
    }
    grid = Grid.of(file, config, used, targets).stepping(loneStep);
  }

  private @Nullable String weightVariable() {
    return COS_LATITUDE.equals(config.weights()) ? null : config.weights();
  }

  Grid grid() {
    return grid;
  }

  Map<String, String> units() {
    return units;
  }

  private Variable variable(String name) {
    for (Variable variable : file.variables()) {
      if (variable.name().equals(name)) {
        return variable;
      }
    }
    for (ArrayFile.Unreadable unreadable : file.unreadable()) {
      if (unreadable.name().equals(name)) {
        throw new DataException(file.location(), "variable " + name + " " + unreadable.reason());
      }
    }
    throw new IllegalArgumentException(
        file.location()
            + ": has no variable "
            + name
            + "; it has "
            + file.variables().stream().map(Variable::name).sorted().toList());
  }

  /** The sources of a feature; the same objects for the same feature. */
  List<? extends Source> of(FeatureConfig feature) {
    if (feature.function().ofCoordinates()) {
      return CoordinateSource.of(feature.function(), grid);
    }
    return ofVariable(feature.variable(), feature, List.of());
  }

  List<? extends Source> of(TargetConfig target) {
    return ofVariable(target.variable(), FeatureConfig.of(target.variable()), target.classes());
  }

  /**
   * The sources of a variable.
   *
   * @param classes edges that make class numbers of its values; empty for the values
   */
  private List<? extends Source> ofVariable(
      String name, FeatureConfig feature, List<Double> classes) {
    String label =
        switch (feature.function()) {
          case SINE -> "sin(" + name + ")";
          case COSINE -> "cos(" + name + ")";
          default -> name;
        };
    Variable variable = variable(name);
    return sources.computeIfAbsent(
        label + " " + feature.period() + " " + classes,
        key ->
            VariableSource.of(
                label,
                file.location(),
                variable,
                values(variable),
                feature.function(),
                feature.period(),
                classes,
                grid));
  }

  private BlockCache.Values values(Variable variable) {
    return values.computeIfAbsent(
        variable.name(),
        name ->
            cache
            .new Values(
                variable.size(),
                (int) Math.max(1, Math.min(variable.size(), file.blockLength(variable))),
                (from, count, out) -> file.read(variable, from, count, out)));
  }

  /** The parts of the grid that are scored separately. */
  Regions regions() {
    return new Regions(grid, config.regions(), this::mask);
  }

  private Source mask(RegionConfig region) {
    Variable variable = variable(Objects.requireNonNull(region.mask()));
    boolean ofTime =
        grid.step() >= 0
            && variable.dimensions().stream()
                .anyMatch(d -> d.name().equals(grid.samples().get(grid.step()).name()));
    List<? extends Source> sources =
        ofVariable(variable.name(), FeatureConfig.of(variable.name()), List.of());
    if (ofTime || sources.size() != 1) {
      throw new IllegalArgumentException(
          "data.regions: the mask "
              + variable.name()
              + " of "
              + region.name()
              + " depends on "
              + variable.dimensions().stream().map(Variable.Dimension::name).toList()
              + "; a mask has one value for each place");
    }
    return sources.get(0);
  }

  /** One weight a cell; empty if all count alike. */
  double[] weights() {
    if (config.weights() == null) {
      return new double[0];
    }
    Source source =
        COS_LATITUDE.equals(config.weights())
            ? CoordinateSource.of(FeatureConfig.Function.COS_LATITUDE, grid).get(0)
            : ofVariable(config.weights(), FeatureConfig.of(config.weights()), List.of()).get(0);
    if (!source.isStatic()) {
      throw new IllegalArgumentException(
          "data.weights: " + config.weights() + " depends on the sample, not on the cell alone");
    }
    double[] weights = new double[grid.cells()];
    source.read(0, 0, weights, 0);
    for (double weight : weights) {
      if (!(weight >= 0)) {
        throw new IllegalArgumentException(
            "data.weights: " + config.weights() + " has the weight " + weight);
      }
    }
    return weights;
  }
}
