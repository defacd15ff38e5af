package dev.lockstep.data;

import dev.lockstep.data.ArrayFile.Unreadable;
import dev.lockstep.data.FeatureConfig.Function;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * One feature or target: a function of one value of a variable for every point of the grid. The
 * value lies at {@code base + Σ strides[d] × coordinate[d]}.
 */
@SuppressWarnings("ArrayRecordComponent") // never leaves the package; no copies when reading
record Column(String name, Variable variable, BlockCache.Values values, long base, long[] strides) {
  private static final int LEAST_BLOCK = 64;
  private static final Pattern SUBSCRIPTED = Pattern.compile("(.+)\\[(\\d+)]");

  double at(long[] coordinates) {
    return values.at(position(coordinates));
  }

  /** Where in the variable the value of a point lies. */
  long position(long[] coordinates) {
    long position = base;
    for (int d = 0; d < strides.length; d++) {
      position += strides[d] * coordinates[d];
    }
    return position;
  }

  /**
   * Resolves configured features to columns over one grid; columns of one array share its blocks.
   */
  static final class Resolver {
    private final ArrayFile file;
    private final BlockCache cache;
    private final long mostValues;
    private final Map<String, Variable> variables = new HashMap<>();
    private final Map<String, BlockCache.Values> loaded = new HashMap<>();

    /**
     * Prepares to resolve names.
     *
     * @param mostValues of one block
     */
    Resolver(ArrayFile file, BlockCache cache, long mostValues) {
      this.file = file;
      this.cache = cache;
      this.mostValues = mostValues;
      file.variables().forEach(v -> variables.put(v.name(), v));
    }

    /** The variable that a name, with or without a subscript, stands for. */
    Variable variable(String name) {
      Variable variable = variables.get(name);
      Matcher subscripted = SUBSCRIPTED.matcher(name);
      if (variable == null && subscripted.matches()) {
        variable = variables.get(subscripted.group(1));
      }
      if (variable == null) {
        requireReadable(name);
        List<String> known = file.variables().stream().map(Variable::name).sorted().toList();
        throw new IllegalArgumentException(
            file.location() + ": has no variable " + name + "; it has " + abbreviate(known));
      }
      return variable;
    }

    private void requireReadable(String name) {
      for (Unreadable unreadable : file.unreadable()) {
        if (name.equals(unreadable.name()) || name.startsWith(unreadable.name() + "[")) {
          throw new DataException(file.location(), unreadable.sentence());
        }
      }
    }

    private static String abbreviate(List<String> names) {
      int shown = Math.min(names.size(), 40);
      String list = String.join(", ", names.subList(0, shown));
      return shown < names.size() ? list + " and " + (names.size() - shown) + " more" : list;
    }

    List<Column> columns(FeatureConfig feature, SampleGrid grid) {
      Variable variable = variable(feature.variable());
      long[] strides = grid.strides(variable);
      long[] offsets = columnOffsets(variable);
      if (offsets.length == 0) {
        throw new DataException(file.location(), "variable " + variable.name() + " has no columns");
      }
      BlockCache.Values values = values(variable, feature.function(), feature.period());
      List<Column> columns = new ArrayList<>();
      if (!variable.name().equals(feature.variable())) {
        int subscript = subscript(feature.variable(), offsets.length);
        return List.of(new Column(feature.name(), variable, values, offsets[subscript], strides));
      }
      boolean named = Arrays.equals(offsets, new long[] {0});
      for (int i = 0; i < offsets.length; i++) {
        String name = named ? feature.name() : feature.name() + "[" + i + "]";
        columns.add(new Column(name, variable, values, offsets[i], strides));
      }
      return columns;
    }

    private long[] columnOffsets(Variable variable) {
      try {
        return SampleGrid.columnOffsets(variable);
      } catch (ArithmeticException e) {
        throw new DataException(
            file.location(), "variable " + variable.name() + " has more than 2³¹ columns", e);
      }
    }

    private int subscript(String name, int columns) {
      Matcher subscripted = SUBSCRIPTED.matcher(name);
      if (!subscripted.matches()) {
        throw new IllegalStateException(name);
      }
      String digits = subscripted.group(2);
      if (digits.length() > 9 || Integer.parseInt(digits) >= columns) {
        throw new IllegalArgumentException(
            file.location()
                + ": "
                + name
                + " does not exist; "
                + subscripted.group(1)
                + " has "
                + columns
                + " columns, counted from 0");
      }
      return Integer.parseInt(digits);
    }

    private BlockCache.Values values(Variable variable, Function function, double period) {
      return loaded.computeIfAbsent(
          variable.name() + " " + function + " " + period,
          key ->
              cache
              .new Values(
                  variable.size(),
                  (int) Math.max(LEAST_BLOCK, Math.min(file.blockLength(variable), mostValues)),
                  (from, count, values) -> {
                    file.read(variable, from, count, values);
                    for (int i = 0; function != Function.VALUE && i < count; i++) {
                      // The sine of infinity is NaN, which would pass for a missing value.
                      boolean infinite = Double.isInfinite(values[i]);
                      values[i] = infinite ? values[i] : function.apply(values[i], period);
                    }
                  }));
    }
  }
}
