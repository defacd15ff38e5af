package dev.lockstep.data;

import java.util.List;
import java.util.Map;

/**
 * One named array of a data file.
 *
 * @param name its name; in HDF5 groups the path without the leading slash
 * @param type the type of the values as the format calls it, for people ("float", "double", …)
 * @param dimensions the dimensions, slowest varying first; empty for a scalar
 * @param attributes numbers as {@code double[]}, texts as {@link String}
 */
public record Variable(
    String name, String type, List<Dimension> dimensions, Map<String, Object> attributes) {

  /**
   * A dimension of a variable.
   *
   * @param name its name; empty if the format does not name it, and then its elements are columns
   * @param length the number of elements, not negative
   */
  public record Dimension(String name, long length) {
    boolean isNamed() {
      return !name.isEmpty();
    }
  }

  /** Copies the lists. */
  public Variable {
    dimensions = List.copyOf(dimensions);
    attributes = Map.copyOf(attributes);
  }

  /**
   * The number of values.
   *
   * @throws ArithmeticException if it does not fit a {@code long}
   */
  public long size() {
    long size = 1;
    for (Dimension dimension : dimensions) {
      size = Math.multiplyExact(size, dimension.length());
    }
    return size;
  }
}
