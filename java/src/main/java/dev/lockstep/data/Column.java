package dev.lockstep.data;

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
record Column(String name, BlockCache.Values values, long base, long[] strides) {
  private static final Pattern SUBSCRIPTED = Pattern.compile("(.+)\\[(\\d+)]");

  double at(long[] coordinates) {
    long position = base;
    for (int d = 0; d < strides.length; d++) {
      position += strides[d] * coordinates[d];
    }
    return values.at(position);
  }

  /**
   * Resolves configured features to columns over one grid; columns of one array share its blocks.
   */
  static final class Resolver {
    private final ArrayFile file;
    private final BlockCache cache;
    private final Map<String, Variable> variables = new HashMap<>();
    private final Map<String, BlockCache.Values> loaded = new HashMap<>();

    Resolver(ArrayFile file, BlockCache cache) {
      this.file = file;
      this.cache = cache;
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
        List<String> known = file.variables().stream().map(Variable::name).sorted().toList();
        throw new IllegalArgumentException(
            file.location() + ": has no variable " + name + "; it has " + abbreviate(known));
      }
      return variable;
    }

    private static String abbreviate(List<String> names) {
      int shown = Math.min(names.size(), 40);
      String list = String.join(", ", names.subList(0, shown));
      return shown < names.size() ? list + " and " + (names.size() - shown) + " more" : list;
    }

    List<Column> columns(FeatureConfig feature, SampleGrid grid) {
      Variable variable = variable(feature.variable());
      long[] strides = grid.strides(variable);
      long[] offsets = SampleGrid.columnOffsets(variable);
      BlockCache.Values values = values(variable, feature.function(), feature.period());
      List<Column> columns = new ArrayList<>();
      if (!variable.name().equals(feature.variable())) {
        int subscript = subscript(feature.variable(), offsets.length);
        return List.of(new Column(feature.name(), values, offsets[subscript], strides));
      }
      boolean named = Arrays.equals(offsets, new long[] {0});
      for (int i = 0; i < offsets.length; i++) {
        String name = named ? feature.name() : feature.name() + "[" + i + "]";
        columns.add(new Column(name, values, offsets[i], strides));
      }
      return columns;
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
                  file.blockLength(variable),
                  (from, count, values) -> {
                    file.read(variable, from, count, values);
                    for (int i = 0; function != Function.VALUE && i < count; i++) {
                      values[i] = function.apply(values[i], period);
                    }
                  }));
    }
  }
}
