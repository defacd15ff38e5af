package dev.lockstep.data;

import dev.lockstep.data.DataConfig.Format;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A data file as a table of numbers: every variable whose first dimension is the samples' is a
 * column, or as many as it has values for a sample, called {@code name[0]}, {@code name[1]}, …
 * Missing values are NaN. Not thread-safe.
 */
public final class TableFile implements AutoCloseable {
  private final ArrayFile file;
  private final long rows;
  private final Map<String, Place> columns = new LinkedHashMap<>();

  private record Place(Variable variable, int column, int width) {}

  private TableFile(ArrayFile file) {
    this.file = file;
    rows =
        file.variables().stream()
            .filter(variable -> !variable.dimensions().isEmpty())
            .mapToLong(variable -> variable.dimensions().get(0).length())
            .max()
            .orElse(0);
    for (Variable variable : file.variables()) {
      if (!variable.dimensions().isEmpty() && variable.dimensions().get(0).length() == rows) {
        int width = width(variable);
        for (int i = 0; i < width; i++) {
          String name = width == 1 ? variable.name() : variable.name() + "[" + i + "]";
          columns.put(name, new Place(variable, i, width));
        }
      }
    }
  }

  /** Values of a row, also where there are no rows. */
  private static int width(Variable variable) {
    long width = 1;
    for (Variable.Dimension dimension :
        variable.dimensions().subList(1, variable.dimensions().size())) {
      width = Math.multiplyExact(width, dimension.length());
    }
    return Math.toIntExact(width);
  }

  /**
   * Opens a file.
   *
   * @throws DataException if it cannot be read
   */
  public static TableFile open(Path path, Format format) {
    return new TableFile(DataFiles.openArrays(path, format));
  }

  /** How many rows there are. */
  public long rows() {
    return rows;
  }

  /** The names of all columns, in the file's order. */
  public List<String> columns() {
    return List.copyOf(columns.keySet());
  }

  /**
   * The columns that may be features without being named: all but the classes that some formats
   * keep beside the samples.
   */
  public List<String> inputs() {
    List<Variable> classes = file.classes();
    return columns.entrySet().stream()
        .filter(column -> !classes.contains(column.getValue().variable))
        .map(Map.Entry::getKey)
        .toList();
  }

  /**
   * The columns that a name stands for: itself, or all of an array of several.
   *
   * @throws DataException if there is none
   */
  public List<String> named(String name) {
    if (columns.containsKey(name)) {
      return List.of(name);
    }
    List<String> found = new ArrayList<>();
    columns.forEach(
        (column, place) -> {
          if (place.variable.name().equals(name)) {
            found.add(column);
          }
        });
    if (found.isEmpty()) {
      throw new DataException(
          file.location(), "has no column " + name + "; it has " + shortened(columns()));
    }
    return found;
  }

  private static String shortened(List<String> names) {
    return names.size() <= 20
        ? String.join(", ", names)
        : String.join(", ", names.subList(0, 20)) + ", … (" + names.size() + " in all)";
  }

  /**
   * The one column of a name.
   *
   * @throws DataException if there is none, or the name stands for an array of several
   */
  public String column(String name) {
    List<String> found = named(name);
    if (found.size() > 1) {
      throw new DataException(
          file.location(),
          name + " is an array of " + found.size() + " columns; name one, such as " + found.get(0));
    }
    return found.get(0);
  }

  /**
   * Reads rows [{@code from}, {@code from + count}) of some columns.
   *
   * @param out gets {@code count × names.size()} values, row by row
   * @throws DataException if the file cannot be read
   */
  public void read(List<String> names, long from, int count, double[] out) {
    Variable held = null;
    double[] block = {};
    for (int c = 0; c < names.size(); c++) {
      Place place = columns.get(names.get(c));
      if (place == null) {
        throw new IllegalArgumentException("there is no column " + names.get(c));
      }
      if (held != place.variable) {
        held = place.variable;
        block = new double[Math.multiplyExact(count, place.width)];
        file.read(held, from * place.width, block.length, block);
      }
      for (int i = 0; i < count; i++) {
        out[i * names.size() + c] = block[i * place.width + place.column];
      }
    }
  }

  @Override
  public void close() {
    file.close();
  }
}
