package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.DataConfig;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Which dimensions count samples, which are inside a sample, and which are channels; with the parts
 * of them that are used.
 *
 * @param samples the dimensions that count, slowest varying first
 * @param inside the dimensions of a sample, slowest varying first; empty for one cell
 * @param others the remaining dimensions, by name, whose elements are channels
 * @param step which of {@code samples} lags and leads go along; −1 if none
 */
record Grid(List<Axis> samples, List<Axis> inside, Map<String, Axis> others, int step) {
  /** What {@code data.shape} calls the dimension of channels. */
  static final String CHANNEL = "channel";

  /** What {@code data.shape} says for one row of numbers. */
  static final String FLAT = "flat";

  /**
   * Sorts the dimensions of the variables that are used.
   *
   * @param targets their variables; empty for a prediction, which then needs {@code data.shape}
   * @throws IllegalArgumentException if the file does not have what the configuration asks for
   */
  static Grid of(
      ArrayFile file, DataConfig config, List<Variable> variables, List<Variable> targets) {
    Map<String, Axis> axes = new LinkedHashMap<>();
    for (Variable variable : variables) {
      for (Dimension dimension : variable.dimensions()) {
        Axis known = axes.get(dimension.name());
        if (known == null) {
          axes.put(dimension.name(), Axis.of(file, dimension));
        } else if (known.length() != dimension.length()) {
          throw new IllegalArgumentException(
              file.location()
                  + ": dimension "
                  + dimension.name()
                  + " has the lengths "
                  + known.length()
                  + " and "
                  + dimension.length());
        }
      }
    }
    requireKnown(file, "samples", config.samples(), axes);
    requireKnown(file, "where", config.where().keySet(), axes);
    requireKnown(file, "isel", config.isel().keySet(), axes);
    config.where().forEach((name, range) -> axes.computeIfPresent(name, (n, a) -> a.within(range)));
    config
        .isel()
        .forEach((name, range) -> axes.computeIfPresent(name, (n, a) -> indices(a, range)));
    List<Axis> samples = config.samples().stream().map(axes::get).toList();
    List<Axis> inside = inside(file, config, targets, axes);
    Map<String, Axis> others = new LinkedHashMap<>(axes);
    config.samples().forEach(others::remove);
    inside.forEach(axis -> others.remove(axis.name()));
    return new Grid(samples, inside, others, step(samples));
  }

  private static void requireKnown(
      ArrayFile file, String key, Iterable<String> names, Map<String, Axis> axes) {
    for (String name : names) {
      if (!axes.containsKey(name)) {
        throw new IllegalArgumentException(
            file.location()
                + ": data."
                + key
                + " names the dimension "
                + name
                + ", but the variables have "
                + axes.keySet());
      }
    }
  }

  private static Axis indices(Axis axis, List<Integer> range) {
    if (range.size() != 1 && range.size() != 2) {
      throw new IllegalArgumentException(
          "isel of " + axis.name() + " needs one index or two ends, not " + range);
    }
    int first = range.get(0) < 0 ? axis.length() + range.get(0) : range.get(0);
    int end = range.get(range.size() - 1);
    return axis.between(first, end < 0 ? axis.length() + end : end);
  }

  private static List<Axis> inside(
      ArrayFile file, DataConfig config, List<Variable> targets, Map<String, Axis> axes) {
    List<String> shape = new ArrayList<>(config.shape());
    shape.removeIf(name -> name.equals(CHANNEL) || name.equals(FLAT));
    Set<String> counted = new HashSet<>(config.samples());
    if (shape.isEmpty()) {
      for (Variable target : targets) {
        List<String> own =
            target.dimensions().stream()
                .map(Dimension::name)
                .filter(name -> !counted.contains(name))
                .toList();
        if (own.size() > shape.size()) {
          shape = new ArrayList<>(own);
        }
      }
    }
    requireKnown(file, "shape", shape, axes);
    for (String name : shape) {
      if (counted.contains(name)) {
        throw new IllegalArgumentException(
            "dimension " + name + " is in data.samples and in data.shape; it counts or is inside");
      }
    }
    for (Variable target : targets) {
      Set<String> own = new HashSet<>(target.dimensions().stream().map(Dimension::name).toList());
      for (String name : shape) {
        if (!own.contains(name)) {
          throw new IllegalArgumentException(
              file.location()
                  + ": target "
                  + target.name()
                  + " has no dimension "
                  + name
                  + ", which a sample has ("
                  + shape
                  + "); set data.shape to the dimensions that all targets have");
        }
      }
    }
    return shape.stream().map(axes::get).toList();
  }

  /** Time, or the only dimension that counts. */
  private static int step(List<Axis> samples) {
    for (int d = 0; d < samples.size(); d++) {
      if (samples.get(d).time() != null) {
        return d;
      }
    }
    return samples.size() == 1 ? 0 : -1;
  }

  /** Steps along the dimension of lags and leads; 1 without one. */
  int steps() {
    return step < 0 ? 1 : samples.get(step).length();
  }

  /** Samples of one step: the product of the other dimensions that count. */
  int lanes() {
    int lanes = 1;
    for (int d = 0; d < samples.size(); d++) {
      lanes = d == step ? lanes : Math.multiplyExact(lanes, samples.get(d).length());
    }
    return lanes;
  }

  /** Cells of a sample. */
  int cells() {
    int cells = 1;
    for (Axis axis : inside) {
      cells = Math.multiplyExact(cells, axis.length());
    }
    return cells;
  }

  /** The time axis, if lags and leads go along time. */
  Optional<Axis> time() {
    return step >= 0 && samples.get(step).time() != null
        ? Optional.of(samples.get(step))
        : Optional.empty();
  }

  /** The same with a step, in seconds, for a time that is alone. */
  Grid stepping(double seconds) {
    List<Axis> stepped = new ArrayList<>(samples);
    if (step >= 0) {
      stepped.set(step, samples.get(step).stepping(seconds));
    }
    return new Grid(stepped, inside, others, step);
  }

  /** The step of a point, which is counted in C order over {@link #samples}. */
  int stepOf(long point) {
    return step < 0 ? 0 : indexOf(point, step);
  }

  /** Which of the samples of its step a point is. */
  int laneOf(long point) {
    long lane = 0;
    for (int d = 0; d < samples.size(); d++) {
      lane = d == step ? lane : lane * samples.get(d).length() + indexOf(point, d);
    }
    return (int) lane;
  }

  /** The index of a point along one of the dimensions that count. */
  int indexOf(long point, int dimension) {
    long left = point;
    for (int d = samples.size() - 1; d > dimension; d--) {
      left /= samples.get(d).length();
    }
    return (int) (left % samples.get(dimension).length());
  }

  /** All dimensions that count or are inside. */
  List<Axis> axes() {
    List<Axis> all = new ArrayList<>(samples);
    all.addAll(inside);
    return all;
  }

  String describe() {
    StringBuilder text = new StringBuilder();
    samples.forEach(a -> text.append(text.isEmpty() ? "" : " × ").append(show(a)));
    text.append(" of ");
    if (inside.isEmpty()) {
      text.append("one cell");
    }
    for (int d = 0; d < inside.size(); d++) {
      text.append(d == 0 ? "" : " × ").append(show(inside.get(d)));
    }
    return text.toString();
  }

  private static String show(Axis axis) {
    return axis.name() + " " + axis.length();
  }
}
