package dev.lockstep.learn;

import static java.util.Objects.requireNonNull;

import dev.lockstep.comm.NativeMemory;
import java.nio.DoubleBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * This rank's rows, in native memory: features, and for supervised learning a target. Missing
 * values are NaN. A column with categories holds their indices. Other ranks' tables have the same
 * columns and any number of rows, none included. Closed by the caller, any time after {@code fit}.
 */
public final class Table implements AutoCloseable {
  private final List<String> names;
  private final List<List<String>> categories;
  private final List<String> classes;
  private final long rows;
  private final NativeMemory values;
  private final NativeMemory target;
  private final NativeMemory weights;
  private final boolean hasTarget;
  private final boolean hasWeights;

  private Table(
      List<String> names,
      List<List<String>> categories,
      List<String> classes,
      long rows,
      boolean hasTarget,
      boolean hasWeights) {
    if (names.isEmpty()) {
      throw new IllegalArgumentException("a table needs at least one column");
    }
    if (new HashSet<>(names).size() < names.size()) {
      throw new IllegalArgumentException("two columns have one name, in " + names);
    }
    this.names = List.copyOf(names);
    List<List<String>> copy = new ArrayList<>();
    for (int i = 0; i < names.size(); i++) {
      copy.add(categories.isEmpty() ? List.of() : List.copyOf(categories.get(i)));
    }
    this.categories = List.copyOf(copy);
    this.classes = List.copyOf(classes);
    this.rows = rows;
    this.hasTarget = hasTarget;
    this.hasWeights = hasWeights;
    long bytes = Math.multiplyExact(Math.multiplyExact(rows, names.size()), Double.BYTES);
    if (bytes > Integer.MAX_VALUE) {
      throw new LearningException(
          String.format(
              Locale.ROOT,
              "This rank has %,d rows of %,d numbers, which are more than 2 GiB; deal them to more ranks.",
              rows,
              names.size()));
    }
    values = NativeMemory.allocate(bytes);
    target = NativeMemory.allocate(hasTarget ? rows * Double.BYTES : 0);
    weights = NativeMemory.allocate(hasWeights ? rows * Double.BYTES : 0);
  }

  /**
   * Zeros, to be filled through the buffers.
   *
   * @param categories of each column, empty where it has numbers; or an empty list
   * @param classes what the target's numbers stand for; empty where they are numbers
   */
  public static Table allocate(
      List<String> names,
      List<List<String>> categories,
      List<String> classes,
      long rows,
      boolean hasTarget,
      boolean hasWeights) {
    requireNonNull(names, "names");
    requireNonNull(categories, "categories");
    requireNonNull(classes, "classes");
    return new Table(names, categories, classes, rows, hasTarget, hasWeights);
  }

  /**
   * Numbers.
   *
   * @param values row by row, {@code names.size()} of them each
   */
  public static Table of(List<String> names, double[] values) {
    requireNonNull(names, "names");
    requireNonNull(values, "values");
    if (values.length % names.size() != 0) {
      throw new IllegalArgumentException(
          values.length + " values are no whole number of rows of " + names.size());
    }
    Table table =
        new Table(names, List.of(), List.of(), values.length / names.size(), false, false);
    table.values().put(values);
    return table;
  }

  /**
   * Numbers with what to predict from them.
   *
   * @param target one for each row
   */
  public static Table of(List<String> names, double[] values, double[] target) {
    requireNonNull(names, "names");
    requireNonNull(values, "values");
    requireNonNull(target, "target");
    if (values.length != (long) names.size() * target.length) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "%d values are not those of %d rows of %d",
              values.length,
              target.length,
              names.size()));
    }
    Table table = new Table(names, List.of(), List.of(), target.length, true, false);
    table.values().put(values);
    table.target().put(target);
    return table;
  }

  /** The columns' names, in order. */
  public List<String> names() {
    return names;
  }

  /** Of each column, what its numbers stand for; empty where they are numbers. */
  public List<List<String>> categories() {
    return categories;
  }

  /** What the target's numbers stand for; empty where they are numbers. */
  public List<String> classes() {
    return classes;
  }

  /** How many rows this rank has. */
  public long rows() {
    return rows;
  }

  /** The features, row by row. */
  public DoubleBuffer values() {
    return values.buffer().asDoubleBuffer();
  }

  /** One for each row; empty without a target. */
  public DoubleBuffer target() {
    return target.buffer().asDoubleBuffer();
  }

  /** One for each row; empty where all weigh the same. */
  public DoubleBuffer weights() {
    return weights.buffer().asDoubleBuffer();
  }

  boolean hasTarget() {
    return hasTarget;
  }

  boolean hasWeights() {
    return hasWeights;
  }

  long valuesAddress() {
    return rows == 0 ? 0 : values.address();
  }

  long targetAddress() {
    return hasTarget && rows > 0 ? target.address() : 0;
  }

  /** 0 where there are none: of no rows, any address will do. */
  long weightsAddress() {
    return hasWeights ? weights.address() : 0;
  }

  @Override
  public void close() {
    values.close();
    target.close();
    weights.close();
  }
}
