package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The points that samples are made of: the named dimensions of the variable that has most of them.
 * Every other variable has some of these dimensions, in any order, and repeats along the rest, so a
 * latitude serves every month and longitude. Unnamed dimensions are columns.
 */
record SampleGrid(List<Dimension> dimensions) {

  /** Finds the grid that all variables fit. */
  static SampleGrid of(String location, List<Variable> variables) {
    SampleGrid grid = new SampleGrid(List.of());
    for (Variable variable : variables) {
      List<Dimension> named = variable.dimensions().stream().filter(Dimension::isNamed).toList();
      if (Set.copyOf(named).size() < named.size()) {
        throw new IllegalArgumentException(
            location
                + ": variable "
                + variable.name()
                + " has one dimension twice ("
                + new SampleGrid(named).describe()
                + "); a sample would be its diagonal only, so write it with two dimensions");
      }
      if (named.size() > grid.dimensions.size()) {
        grid = new SampleGrid(named);
      }
    }
    for (Variable variable : variables) {
      for (Dimension dimension : variable.dimensions()) {
        if (dimension.isNamed() && !grid.dimensions.contains(dimension)) {
          throw new IllegalArgumentException(
              location
                  + ": variable "
                  + variable.name()
                  + " has dimension "
                  + dimension.name()
                  + " of length "
                  + dimension.length()
                  + ", which does not fit the samples' grid "
                  + grid.describe()
                  + "; use variables that share their dimensions");
        }
      }
    }
    return grid;
  }

  String describe() {
    List<String> parts = new ArrayList<>();
    dimensions.forEach(d -> parts.add(d.name() + " " + d.length()));
    return parts.isEmpty() ? "of one point" : String.join(" × ", parts);
  }

  long points() {
    return new Variable("", "", dimensions, Map.of()).size();
  }

  /** How far a variable's position (C order) moves with each dimension of the grid. */
  long[] strides(Variable variable) {
    long[] strides = new long[dimensions.size()];
    long stride = 1;
    for (int d = variable.dimensions().size() - 1; d >= 0; d--) {
      Dimension dimension = variable.dimensions().get(d);
      if (dimension.isNamed()) {
        strides[dimensions.indexOf(dimension)] = stride;
      }
      stride *= dimension.length();
    }
    return strides;
  }

  /**
   * The positions, relative to its first, of a variable's columns: its unnamed dimensions, the one
   * nearest to the samples varying slowest. So the columns of a NumPy array have the same order
   * whether it is stored by rows or by columns.
   */
  static long[] columnOffsets(Variable variable) {
    List<Dimension> all = variable.dimensions();
    boolean samplesFirst = all.isEmpty() || all.get(0).isNamed();
    long[] strides = new long[all.size()];
    long stride = 1;
    for (int d = all.size() - 1; d >= 0; d--) {
      strides[d] = stride;
      stride *= all.get(d).length();
    }
    long[] offsets = {0};
    for (int i = 0; i < all.size(); i++) {
      int d = samplesFirst ? i : all.size() - 1 - i;
      if (!all.get(d).isNamed()) {
        offsets = widen(offsets, strides[d], all.get(d).length());
      }
    }
    return offsets;
  }

  private static long[] widen(long[] offsets, long stride, long length) {
    long[] wider = new long[Math.toIntExact(Math.multiplyExact(offsets.length, length))];
    for (int i = 0; i < wider.length; i++) {
      wider[i] = offsets[(int) (i / length)] + i % length * stride;
    }
    return wider;
  }
}
