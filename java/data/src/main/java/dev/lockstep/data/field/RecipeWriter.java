package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.Missing;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Gathers a {@link FieldRecipe} from a data set that was trained on. */
final class RecipeWriter {
  private static final List<String> KEPT =
      List.of("units", "long_name", "standard_name", "cell_methods");

  private final FieldDataset dataset;
  private final ArrayFile file;
  private final Grid grid;
  private final DataConfig config;

  RecipeWriter(FieldDataset dataset, ArrayFile file) {
    this.dataset = dataset;
    this.file = file;
    grid = dataset.grid();
    config = dataset.config();
  }

  FieldRecipe recipe() {
    List<FieldRecipe.Target> targets = new ArrayList<>();
    Map<String, byte[]> climatologies = new HashMap<>();
    Map<String, byte[]> known = new HashMap<>();
    for (int t = 0; t < dataset.targets().size(); t++) {
      Channel channel = dataset.targets().get(t);
      targets.add(target(channel, dataset.targetVariables().get(t)));
      add(climatologies, channel);
      if (config.missing() == Missing.MASK && !known.containsKey(channel.source().key())) {
        BitSet cells = known(channel.source());
        if (cells.cardinality() < grid.lanes() * grid.cells()) {
          known.put(channel.source().key(), cells.toByteArray());
        }
      }
    }
    dataset.features().forEach(channel -> add(climatologies, channel));
    Map<String, double[]> coordinates = new HashMap<>();
    Map<String, Integer> lengths = new HashMap<>();
    Map<String, Axis> axes = new LinkedHashMap<>(grid.others());
    grid.inside().forEach(axis -> axes.put(axis.name(), axis));
    grid.samples().forEach(axis -> axes.put(axis.name(), axis));
    grid.time().ifPresent(axis -> axes.remove(axis.name()));
    axes.forEach(
        (name, axis) -> {
          coordinates.put(name, axis.values());
          lengths.put(name, axis.length());
        });
    return new FieldRecipe(
        config.samples(),
        shape(),
        needed(config.where()),
        needed(config.isel()),
        config.features(),
        targets,
        config.missing(),
        config.normalize(),
        dataset.seasons().ofTime(),
        dataset.seasons().secondsOfDay(),
        climatologies,
        known,
        coordinates,
        lengths,
        grid.time().map(Axis::stepSeconds).orElse(Double.NaN));
  }

  private List<String> shape() {
    List<String> shape = new ArrayList<>();
    shape.add(config.shape().contains(Grid.FLAT) ? Grid.FLAT : Grid.CHANNEL);
    grid.inside().forEach(axis -> shape.add(axis.name()));
    return shape;
  }

  /** Those of dimensions that a prediction has, but for the one of steps. */
  private <T> Map<String, T> needed(Map<String, T> ranges) {
    Set<String> dimensions = new HashSet<>();
    grid.axes().forEach(axis -> dimensions.add(axis.name()));
    Set<String> features = new HashSet<>();
    config.features().stream()
        .filter(feature -> !feature.function().ofCoordinates())
        .forEach(feature -> features.add(feature.variable()));
    file.variables().stream()
        .filter(variable -> features.contains(variable.name()))
        .forEach(variable -> variable.dimensions().forEach(d -> dimensions.add(d.name())));
    Map<String, T> kept = new HashMap<>(ranges);
    kept.keySet().retainAll(dimensions);
    if (grid.step() >= 0) {
      kept.remove(grid.samples().get(grid.step()).name());
    }
    return kept;
  }

  private static void add(Map<String, byte[]> climatologies, Channel channel) {
    Climatology climatology = channel.climatology();
    if (climatology != null) {
      climatologies.putIfAbsent(channel.source().key(), FieldRecipe.bytes(climatology.means()));
    }
  }

  private FieldRecipe.Target target(Channel channel, String name) {
    Variable variable =
        file.variables().stream().filter(v -> v.name().equals(name)).findFirst().orElseThrow();
    Map<String, String> attributes = new HashMap<>();
    for (String key : KEPT) {
      if (!Axis.text(variable, key).isEmpty()) {
        attributes.put(key, Axis.text(variable, key));
      }
    }
    return new FieldRecipe.Target(
        channel.source().key(),
        name,
        variable.type(),
        attributes,
        variable.dimensions().stream()
            .map(Dimension::name)
            .filter(grid.others()::containsKey)
            .toList(),
        channel.last(),
        channel.normalization());
  }

  private BitSet known(Source source) {
    BitSet known = new BitSet();
    int cells = grid.cells();
    double[] values = new double[cells];
    boolean[] training = dataset.training().steps();
    for (int step = 0; step < training.length; step++) {
      for (int lane = 0; training[step] && lane < grid.lanes(); lane++) {
        source.read(step, lane, values, 0);
        for (int c = 0; c < cells; c++) {
          if (!Double.isNaN(values[c])) {
            known.set(lane * cells + c);
          }
        }
      }
    }
    return known;
  }
}
