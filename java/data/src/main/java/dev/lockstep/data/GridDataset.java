package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The samples of one file: a row of columns for every point of its grid that is kept. */
final class GridDataset implements Dataset {
  private static final int MOST_NAMED = 5;
  private static final int LARGE_PIECE = 1 << 14;

  private final ArrayFile file;
  private final SampleGrid grid;
  private final List<Column> features = new ArrayList<>();
  private final List<Column> targets = new ArrayList<>();
  private final List<FeatureConfig> recipe;
  private final Map<String, String> units = new HashMap<>();
  private final long[] lengths;
  private final long[] coordinates;
  private final long points;

  /** The points without missing values; null if every point counts. */
  private final @Nullable PointSet kept;

  GridDataset(
      ArrayFile file,
      List<FeatureConfig> features,
      List<FeatureConfig> targets,
      boolean dropMissing,
      long cacheBytes) {
    this.file = file;
    recipe = List.copyOf(features);
    // Two blocks for each column, so that going through the points in order never reads one twice.
    long share = cacheBytes / Double.BYTES / (2L * (features.size() + targets.size()));
    Column.Resolver resolver = new Column.Resolver(file, new BlockCache(cacheBytes), share);
    List<Variable> variables = new ArrayList<>();
    Stream.concat(features.stream(), targets.stream())
        .forEach(
            column -> {
              Variable variable = resolver.variable(column.variable());
              variables.add(variable);
              if (variable.attributes().get("units") instanceof String text) {
                units.put(column.variable(), text);
              }
            });
    grid = SampleGrid.of(file.location(), variables);
    features.forEach(f -> this.features.addAll(resolver.columns(f, grid)));
    targets.forEach(t -> this.targets.addAll(resolver.columns(t, grid)));
    requireUnknownTargets();
    lengths = grid.dimensions().stream().mapToLong(Dimension::length).toArray();
    coordinates = new long[lengths.length];
    points = grid.points();
    kept = dropMissing ? findComplete() : null;
  }

  private void requireUnknownTargets() {
    Map<List<Object>, String> names = new LinkedHashMap<>();
    targets.forEach(target -> names.put(origin(target), target.name()));
    GivenAnswers.refuse(
        file.location(),
        features.stream().map(GridDataset::origin).collect(Collectors.toSet()),
        names);
  }

  private static List<Object> origin(Column column) {
    return List.of(column.variable().name(), column.base());
  }

  /** Whether the reading of one value takes that of many. */
  boolean isReadInLargePieces() {
    return Stream.concat(features.stream(), targets.stream())
        .anyMatch(column -> file.blockLength(column.variable()) > LARGE_PIECE);
  }

  private PointSet findComplete() {
    PointSet complete = new PointSet(points);
    List<Column> columns = new ArrayList<>(features);
    columns.addAll(targets);
    for (long point = 0; point < points; point++) {
      moveTo(point);
      boolean missing = false;
      for (int c = 0; c < columns.size() && !missing; c++) {
        missing = Double.isNaN(value(columns.get(c)));
      }
      if (!missing) {
        complete.add(point);
      }
    }
    complete.seal();
    if (complete.size() == 0) {
      throw new DataException(file.location(), whyNoneIsComplete(columns));
    }
    return complete;
  }

  /** Names the columns that leave no sample, the one that is missing most often first. */
  private String whyNoneIsComplete(List<Column> columns) {
    if (points == 0) {
      return "holds no samples: its grid is " + grid.describe();
    }
    long[] missing = new long[columns.size()];
    for (long point = 0; point < points; point++) {
      moveTo(point);
      for (int c = 0; c < missing.length; c++) {
        missing[c] += Double.isNaN(columns.get(c).at(coordinates)) ? 1 : 0;
      }
    }
    List<String> always = new ArrayList<>();
    int most = 0;
    for (int c = 0; c < missing.length; c++) {
      most = missing[c] > missing[most] ? c : most;
      String name = columns.get(c).name();
      if (missing[c] == points && !always.contains(name)) { // an autoencoder has each twice
        always.add(name);
      }
    }
    String which =
        always.size() <= MOST_NAMED
            ? String.join(", ", always)
            : String.join(", ", always.subList(0, MOST_NAMED))
                + " and "
                + (always.size() - MOST_NAMED)
                + " more";
    String reason =
        always.isEmpty()
            ? "each misses some value, most often "
                + columns.get(most).name()
                + ", in "
                + missing[most]
            : which + (always.size() == 1 ? " is" : " are") + " missing in all of them";
    return "none of its " + points + " samples is complete: " + reason + "; leave such columns out";
  }

  /** A column's value at the present point; infinities are refused with their place. */
  private double value(Column column) {
    double value = column.at(coordinates);
    if (Double.isInfinite(value)) {
      throw new DataException(
          file.location(),
          column.name()
              + " is "
              + value
              + " at "
              + file.place(column.variable(), column.position(coordinates))
              + "; mark such values as missing");
    }
    return value;
  }

  private void moveTo(long point) {
    long left = point;
    for (int d = lengths.length - 1; d >= 0; d--) {
      coordinates[d] = left % lengths[d];
      left /= lengths[d];
    }
  }

  @Override
  public long size() {
    return kept == null ? points : kept.size();
  }

  @Override
  public List<String> featureNames() {
    return features.stream().map(Column::name).toList();
  }

  @Override
  public List<String> targetNames() {
    return targets.stream().map(Column::name).toList();
  }

  @Override
  public List<FeatureConfig> recipe() {
    return recipe;
  }

  @Override
  public Map<String, String> units() {
    return Map.copyOf(units);
  }

  @Override
  public synchronized void read(
      long[] indices, int from, int count, double[] featureRows, double[] targetRows) {
    Objects.checkFromIndexSize(from, count, indices.length);
    requireRoom(featureRows, features.size(), count, "features");
    requireRoom(targetRows, targets.size(), count, "targets");
    for (int i = 0; i < count; i++) {
      long point = point(indices[from + i]);
      moveTo(point);
      readRow(features, point, featureRows, i * features.size());
      readRow(targets, point, targetRows, i * targets.size());
    }
  }

  private static void requireRoom(double[] rows, int columns, int count, String what) {
    if (rows.length < (long) columns * count) {
      throw new IndexOutOfBoundsException(
          "room for "
              + rows.length
              + " "
              + what
              + " where "
              + count
              + " samples have "
              + (long) columns * count);
    }
  }

  private void readRow(List<Column> columns, long point, double[] rows, int at) {
    for (int c = 0; c < columns.size(); c++) {
      double value = value(columns.get(c));
      if (Double.isNaN(value)) {
        throw new DataException(
            file.location(),
            columns.get(c).name()
                + " is missing at "
                + file.place(columns.get(c).variable(), columns.get(c).position(coordinates))
                + " (point "
                + point
                + "); set drop_missing: true to leave such points out");
      }
      rows[at + c] = value;
    }
  }

  @Override
  public long point(long sample) {
    if (kept != null) {
      return kept.select(sample);
    }
    return Objects.checkIndex(sample, points);
  }

  @Override
  public String description() {
    String dropped = size() == points ? "" : " of " + points + " points without missing values";
    return size()
        + dropped
        + " in "
        + file.location()
        + ", "
        + file.format()
        + ", grid "
        + grid.describe();
  }

  @Override
  public synchronized void close() {
    file.close();
  }
}
