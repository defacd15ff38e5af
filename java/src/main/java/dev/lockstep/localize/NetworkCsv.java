package dev.lockstep.localize;

import dev.lockstep.data.csv.CsvRows;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Networks as CSV. A file is one or more blocks, each under its own header line; stations have any
 * names; empty lines and lines that start with {@code #} are skipped:
 *
 * <pre>
 * # Where the anchors are; or anchor,x,y,z
 * anchor,x,y
 * tower,0.10,0.10
 * # Optional: the sensors that exist; or sensor,x,y where the truth is known
 * sensor
 * R1
 * # Measured distances, between sensors and to anchors, in any order
 * from,to,range
 * R1,tower,0.412
 * </pre>
 */
final class NetworkCsv {
  private enum Block {
    ANCHORS,
    SENSORS,
    RANGES
  }

  private @Nullable NetworkBuilder network;
  private @Nullable Block block;
  private boolean hasRanges;

  private NetworkCsv() {}

  /**
   * Reads files one after the other into one network.
   *
   * @throws NetworkException naming file and line
   */
  static Network read(List<Path> files) {
    NetworkCsv reader = new NetworkCsv();
    files.forEach(reader::readFile);
    Path last = files.get(files.size() - 1);
    if (reader.network == null || !reader.hasRanges) {
      throw new NetworkException(
          last
              + ": there is no block of "
              + (reader.network == null ? "anchors (anchor,x,y)" : "ranges (from,to,range)")
              + "; each block starts with its header line");
    }
    try {
      return reader.network.build();
    } catch (NetworkException e) {
      throw e.at(last.toString());
    }
  }

  private void readFile(Path file) {
    block = null;
    try (CsvRows rows = CsvRows.open(file)) {
      for (List<String> row = rows.next(); row != null; row = rows.next()) {
        List<String> fields = row.stream().map(String::strip).toList();
        if (!isBlank(fields) && !fields.get(0).startsWith("#")) {
          readLine(fields, file + ":" + rows.line());
        }
      }
    } catch (IOException e) {
      throw NetworkException.cannotRead(file, e);
    }
  }

  private void readLine(List<String> fields, String place) {
    try {
      if (!startsBlock(fields)) {
        readRow(fields);
      }
    } catch (NetworkException e) {
      throw e.at(place);
    }
  }

  private boolean startsBlock(List<String> fields) {
    List<String> header = fields.stream().map(field -> field.toLowerCase(Locale.ROOT)).toList();
    switch (String.join(",", header)) {
      case "anchor,x,y", "anchor,x,y,z" -> {
        if (network == null) {
          network = Network.builder(header.size() - 1);
        }
        block = Block.ANCHORS;
      }
      case "sensor", "sensor,x,y", "sensor,x,y,z" -> {
        builder();
        block = Block.SENSORS;
      }
      case "from,to,range" -> {
        builder();
        block = Block.RANGES;
        hasRanges = true;
      }
      default -> {
        return false;
      }
    }
    return true;
  }

  private void readRow(List<String> fields) {
    if (block == null) {
      throw new NetworkException(
          "\""
              + String.join(",", fields)
              + "\" is no header; a block starts with anchor,x,y or sensor or from,to,range");
    }
    switch (block) {
      case ANCHORS -> builder().anchor(fields.get(0), numbers(fields, 1));
      case SENSORS -> builder().sensor(fields.get(0), numbers(fields, 1));
      case RANGES -> {
        if (fields.size() != 3) {
          throw new NetworkException(
              "a range has 3 columns, from, to and range, not " + fields.size());
        }
        builder().range(fields.get(0), fields.get(1), numbers(fields, 2)[0]);
      }
    }
  }

  private NetworkBuilder builder() {
    if (network == null) {
      throw new NetworkException("anchors come first, under the header anchor,x,y or anchor,x,y,z");
    }
    return network;
  }

  private static double[] numbers(List<String> fields, int from) {
    double[] numbers = new double[fields.size() - from];
    for (int i = 0; i < numbers.length; i++) {
      String text = fields.get(from + i);
      try {
        numbers[i] = Double.parseDouble(text);
      } catch (NumberFormatException e) {
        throw new NetworkException("\"" + text + "\" is no number", e);
      }
    }
    return numbers;
  }

  private static boolean isBlank(List<String> fields) {
    return fields.stream().allMatch(String::isEmpty);
  }
}
