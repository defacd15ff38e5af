package dev.lockstep.data;

import dev.lockstep.data.Variable.Dimension;
import java.util.List;

/**
 * A file of named arrays that can be read by ranges; one implementation for each format. Not
 * thread-safe.
 */
public interface ArrayFile extends AutoCloseable {
  /** What the formats that do not name dimensions call that of the samples. */
  String SAMPLES = "sample";

  /**
   * A part of the file that cannot be used, which harms nothing else.
   *
   * @param name its name, or its path in the file
   * @param type what it holds, for people
   * @param dimensions as far as they are known
   * @param reason continues the sentence "the variable …"
   */
  record Unreadable(String name, String type, List<Dimension> dimensions, String reason) {
    /** The reason with its subject; of text files it names the line itself. */
    String sentence() {
      return reason.startsWith("line ") ? reason : "variable " + name + " " + reason;
    }
  }

  /** The file, or a name in angle brackets for data that has none; for messages. */
  String location();

  /** The format for people, for example "NetCDF classic (CDF-2)". */
  String format();

  /** What can be read, in the file's order. */
  List<Variable> variables();

  /**
   * Of {@link #variables} those that are never features unless they are named: classes that a
   * format keeps in a file of their own beside the samples.
   */
  default List<Variable> classes() {
    return List.of();
  }

  /** What is in the file and cannot be read, with the reasons. */
  default List<Unreadable> unreadable() {
    return List.of();
  }

  /**
   * Reads {@code count} values from position {@code from} (C order) into {@code values} from
   * element 0 on. Scale and offset are applied; missing values become NaN.
   *
   * @throws DataException if the file cannot be read there
   */
  void read(Variable variable, long from, int count, double[] values);

  /** How many values are worth reading at once; at least 1. */
  int blockLength(Variable variable);

  /** Where in the file a value stands, for messages: the line of a text file, for example. */
  default String place(Variable variable, long position) {
    StringBuilder place = new StringBuilder();
    long left = position;
    for (int d = variable.dimensions().size() - 1; d >= 0; d--) {
      Dimension dimension = variable.dimensions().get(d);
      String name = dimension.isNamed() ? dimension.name() : "column";
      String index = name + " " + left % dimension.length();
      place.insert(0, place.length() == 0 ? index : index + ", ");
      left /= dimension.length();
    }
    return place.length() == 0 ? "its only point" : place.toString();
  }

  @Override
  void close();
}
