package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.CfTime;
import dev.lockstep.data.DataException;
import dev.lockstep.data.Variable;
import dev.lockstep.data.Variable.Dimension;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.Stream;

/**
 * Several files as one: variables that have the joining dimension are put one behind the other
 * along it, the others come from the first file. Times are converted to the first file's units. All
 * files stay open. Not thread-safe.
 */
public final class JoinedFiles implements ArrayFile {
  private final List<ArrayFile> files;
  private final String dimension;
  private final List<Variable> variables = new ArrayList<>();

  /** Index of each file's first element along the dimension, and the total behind the last. */
  private final long[] starts;

  private JoinedFiles(List<ArrayFile> files, String dimension) {
    this.files = files;
    this.dimension = dimension;
    starts = new long[files.size() + 1];
    for (int f = 0; f < files.size(); f++) {
      starts[f + 1] = starts[f] + length(files.get(f));
    }
    for (Variable variable : files.get(0).variables()) {
      boolean inAll =
          files.stream()
              .allMatch(file -> file.variables().stream().anyMatch(v -> is(v, variable.name())));
      if (along(variable) < 0) {
        variables.add(variable);
      } else if (inAll) {
        variables.add(joined(variable));
      }
    }
    checkOrder();
  }

  /**
   * Opens what names stand for.
   *
   * @param names files, addresses with {@code ://}, or names with {@code *} or {@code ?}, which
   *     stand for all that match in the order of their names
   * @param opener opens one file
   * @param dimension along which several are joined
   * @throws DataException if a file cannot be read or does not fit the first
   */
  public static ArrayFile open(
      List<String> names, Function<String, ArrayFile> opener, String dimension) {
    List<String> paths = new ArrayList<>();
    names.forEach(name -> paths.addAll(matching(name)));
    if (paths.size() == 1) {
      return opener.apply(paths.get(0));
    }
    List<ArrayFile> files = new ArrayList<>();
    try {
      paths.forEach(path -> files.add(opener.apply(path)));
      return new JoinedFiles(files, dimension);
    } catch (RuntimeException e) {
      files.forEach(ArrayFile::close);
      throw e;
    }
  }

  private static List<String> matching(String name) {
    if (!name.matches(".*[*?].*") || name.contains("://")) {
      return List.of(name);
    }
    Path pattern = Path.of(name);
    Path folder = pattern.toAbsolutePath().getParent();
    List<Path> found = new ArrayList<>();
    if (folder != null && Files.isDirectory(folder)) {
      try (DirectoryStream<Path> stream =
          Files.newDirectoryStream(folder, pattern.getFileName().toString())) {
        stream.forEach(found::add);
      } catch (IOException e) {
        throw new DataException(name, "cannot be listed", e);
      }
    }
    if (found.isEmpty()) {
      throw new DataException(name, "matches no file in the folder " + folder);
    }
    found.sort(null);
    return found.stream().map(Path::toString).toList();
  }

  private long length(ArrayFile file) {
    return file.variables().stream()
        .flatMap(variable -> variable.dimensions().stream())
        .filter(d -> d.name().equals(dimension))
        .mapToLong(Dimension::length)
        .findFirst()
        .orElseThrow(
            () ->
                new DataException(
                    file.location(), "has no dimension " + dimension + " to be joined along"));
  }

  private int along(Variable variable) {
    for (int d = 0; d < variable.dimensions().size(); d++) {
      if (variable.dimensions().get(d).name().equals(dimension)) {
        return d;
      }
    }
    return -1;
  }

  private Variable joined(Variable first) {
    int along = along(first);
    for (ArrayFile file : files) {
      Variable other = in(file, first.name());
      boolean fits =
          along(other) == along && other.dimensions().size() == first.dimensions().size();
      for (int d = 0; fits && d < first.dimensions().size(); d++) {
        fits = d == along || other.dimensions().get(d).equals(first.dimensions().get(d));
      }
      if (!fits) {
        throw new DataException(
            file.location(),
            "variable "
                + first.name()
                + " has other dimensions than in "
                + files.get(0).location()
                + ": "
                + other.dimensions()
                + " instead of "
                + first.dimensions());
      }
      conversion(file, first);
    }
    List<Dimension> dimensions = new ArrayList<>(first.dimensions());
    dimensions.set(along, new Dimension(dimension, starts[files.size()]));
    return new Variable(first.name(), first.type(), dimensions, first.attributes());
  }

  private static boolean is(Variable variable, String name) {
    return variable.name().equals(name);
  }

  private static Variable in(ArrayFile file, String name) {
    return file.variables().stream()
        .filter(variable -> is(variable, name))
        .findFirst()
        .orElseThrow(
            () ->
                new DataException(
                    file.location(), "has no variable " + name + ", which the first file has"));
  }

  /** How a file's values become the first file's; empty if the units are the same. */
  private static Optional<CfTime[]> conversion(ArrayFile file, Variable first) {
    Variable other = in(file, first.name());
    String units = Axis.text(first, "units");
    if (Axis.text(other, "units").equals(units)) {
      return Optional.empty();
    }
    Optional<CfTime> to = CfTime.of(units, Axis.text(first, "calendar"));
    Optional<CfTime> from = CfTime.of(Axis.text(other, "units"), Axis.text(other, "calendar"));
    if (to.isEmpty() || from.isEmpty() || !to.get().hasCalendarOf(from.get())) {
      throw new DataException(
          file.location(),
          "variable "
              + first.name()
              + " is in '"
              + Axis.text(other, "units")
              + "', but in '"
              + units
              + "' in the first file; convert it");
    }
    return Optional.of(new CfTime[] {to.get(), from.get()});
  }

  /** Files in the wrong order would make steps back in time steps ahead. */
  private void checkOrder() {
    for (Variable variable : variables) {
      if (!variable.name().equals(dimension) || variable.dimensions().size() != 1) {
        continue;
      }
      double[] values = new double[Math.toIntExact(variable.size())];
      read(variable, 0, values.length, values);
      double direction = values.length < 2 ? 1 : Math.signum(values[1] - values[0]);
      for (int f = 1; f < files.size(); f++) {
        int at = (int) starts[f];
        if (at > 0 && at < values.length && (values[at] - values[at - 1]) * direction <= 0) {
          throw new DataException(
              files.get(f).location(),
              "begins at "
                  + dimension
                  + " "
                  + values[at]
                  + ", not behind the file before it, which ends at "
                  + values[at - 1]
                  + "; list the files in order, without overlap");
        }
      }
    }
  }

  @Override
  public String location() {
    return files.get(0).location() + " … " + files.get(files.size() - 1).location();
  }

  @Override
  public String format() {
    return files.size() + " files, " + files.get(0).format();
  }

  @Override
  public List<Variable> variables() {
    return List.copyOf(variables);
  }

  @Override
  public List<Unreadable> unreadable() {
    return files.stream().flatMap(file -> file.unreadable().stream()).toList();
  }

  @Override
  public void read(Variable variable, long from, int count, double[] values) {
    int along = along(variable);
    if (along < 0) {
      files.get(0).read(variable, from, count, values);
      return;
    }
    long inner = 1;
    for (int d = along + 1; d < variable.dimensions().size(); d++) {
      inner *= variable.dimensions().get(d).length();
    }
    long total = starts[files.size()];
    int done = 0;
    double[] part = {};
    while (done < count) {
      long position = from + done;
      long outer = position / (inner * total);
      long index = position / inner % total;
      int f = fileAt(index);
      // Up to the end of this file's share of the present outer index.
      long end = (outer * total + starts[f + 1]) * inner;
      int piece = (int) Math.min(count - done, end - position);
      if (part.length < piece) {
        part = new double[piece];
      }
      ArrayFile file = files.get(f);
      long length = starts[f + 1] - starts[f];
      long there = (outer * length + index - starts[f]) * inner + position % inner;
      file.read(in(file, variable.name()), there, piece, part);
      convert(file, variable, part, piece);
      System.arraycopy(part, 0, values, done, piece);
      done += piece;
    }
  }

  private static void convert(ArrayFile file, Variable variable, double[] values, int count) {
    conversion(file, variable)
        .ifPresent(
            times -> {
              for (int i = 0; i < count; i++) {
                values[i] = times[0].convert(values[i], times[1]);
              }
            });
  }

  private int fileAt(long index) {
    int f = 0;
    while (index >= starts[f + 1]) {
      f++;
    }
    return f;
  }

  @Override
  public int blockLength(Variable variable) {
    return files.stream()
        .flatMap(file -> Stream.of(in(file, variable.name())).map(file::blockLength))
        .findFirst()
        .orElse(1);
  }

  @Override
  public void close() {
    files.forEach(ArrayFile::close);
  }
}
