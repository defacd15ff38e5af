package dev.lockstep.localize.files;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.lockstep.LockstepException;
import dev.lockstep.localize.network.Duplicates;
import dev.lockstep.localize.network.NetworkException;
import dev.lockstep.localize.network.RangeList;
import java.io.IOException;
import java.util.Arrays;
import java.util.Locale;

/**
 * A JSON list of lists of numbers with the lines that they stand on, so that what is wrong can be
 * found. Lines matter to messages only; many files have just one.
 */
final class JsonRows {
  private final String key;
  private double[] values = new double[256];
  private int[] ends = new int[64];
  private int[] lines = new int[64];
  private int count;

  private JsonRows(String key) {
    this.key = key;
  }

  /**
   * Reads the value that the parser stands at.
   *
   * @throws NetworkException when it is something else
   */
  static JsonRows read(JsonParser parser, String key) throws IOException {
    JsonRows rows = new JsonRows(key);
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw new NetworkException(key + " is a list of lists of numbers");
    }
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (parser.currentToken() != JsonToken.START_ARRAY) {
        throw new NetworkException(
            key + "[" + rows.count + "] is a list of numbers, not " + parser.getText());
      }
      rows.readRow(parser);
    }
    return rows;
  }

  private void readRow(JsonParser parser) throws IOException {
    int line = parser.currentLocation().getLineNr();
    int end = count == 0 ? 0 : ends[count - 1];
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (!parser.currentToken().isNumeric()) {
        throw new NetworkException(
            key + "[" + count + "] holds " + parser.getText() + " where a number belongs");
      }
      if (end == values.length) {
        values = Arrays.copyOf(values, 2 * end);
      }
      values[end++] = parser.getDoubleValue();
    }
    if (count == ends.length) {
      ends = Arrays.copyOf(ends, 2 * count);
      lines = Arrays.copyOf(lines, 2 * count);
    }
    ends[count] = end;
    lines[count++] = line;
  }

  int count() {
    return count;
  }

  int width(int row) {
    return ends[row] - start(row);
  }

  private int start(int row) {
    return row == 0 ? 0 : ends[row - 1];
  }

  private double value(int row, int column) {
    return values[start(row) + column];
  }

  /** All rows, one after the other, each with {@code width} finite numbers. */
  double[] flat(int width) {
    for (int row = 0; row < count; row++) {
      expectWidth(row, width, "numbers");
      for (int column = 0; column < width; column++) {
        if (!Double.isFinite(value(row, column))) {
          throw at(row, "holds " + value(row, column));
        }
      }
    }
    return Arrays.copyOf(values, count * width);
  }

  /** The greatest value of some columns, −1 where there is none. */
  double greatest(int... columns) {
    double greatest = -1;
    for (int row = 0; row < count; row++) {
      for (int column : columns) {
        greatest = width(row) > column ? Math.max(greatest, value(row, column)) : greatest;
      }
    }
    return greatest;
  }

  /** All rows as distances between two sensors. */
  RangeList sensorRanges(int sensors, Duplicates duplicates) {
    RangeList ranges = new RangeList();
    ranges.combine(duplicates);
    for (int row = 0; row < count; row++) {
      expectWidth(row, 3, "numbers: sensor, sensor, distance");
      int first = index(row, 0, sensors, "sensor");
      int second = index(row, 1, sensors, "sensor");
      if (first == second) {
        throw at(row, "is from sensor " + first + " to itself; remove it");
      }
      add(ranges, row, Math.min(first, second), Math.max(first, second), "sensor ");
    }
    return ranges;
  }

  /** All rows as distances from a sensor to an anchor. */
  RangeList anchorRanges(int sensors, int anchors, Duplicates duplicates) {
    RangeList ranges = new RangeList();
    ranges.combine(duplicates);
    for (int row = 0; row < count; row++) {
      expectWidth(row, 3, "numbers: sensor, anchor, distance");
      int sensor = index(row, 0, sensors, "sensor");
      add(ranges, row, sensor, index(row, 1, anchors, "anchor"), "anchor ");
    }
    return ranges;
  }

  private void add(RangeList ranges, int row, int first, int second, String to) {
    try {
      ranges.add(
          first,
          second,
          value(row, 2),
          0,
          () -> "the range from sensor " + first + " to " + to + second);
    } catch (NetworkException e) {
      throw at(row, LockstepException.messageOf(e));
    }
  }

  /**
   * A value as the number of a sensor or an anchor.
   *
   * @throws NetworkException when there is no such
   */
  int index(int row, int column, int limit, String what) {
    double value = value(row, column);
    if (value != Math.rint(value) || value < 0 || value >= limit) {
      String number = value == Math.rint(value) ? Long.toString((long) value) : "" + value;
      throw at(
          row,
          String.format(
              Locale.ROOT,
              "names the unknown %s %s; there are %s 0 to %d",
              what,
              number,
              what,
              limit - 1));
    }
    return (int) value;
  }

  private void expectWidth(int row, int width, String what) {
    if (width(row) != width) {
      throw at(
          row,
          String.format(Locale.ROOT, "has %d values instead of %d %s", width(row), width, what));
    }
  }

  private NetworkException at(int row, String problem) {
    return new NetworkException(
        String.format(Locale.ROOT, "line %d: %s[%d]: %s", lines[row], key, row, problem));
  }
}
