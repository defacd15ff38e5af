package dev.lockstep.localize.files;

import dev.lockstep.localize.network.NetworkException;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * The header of a block of distances: {@code from,to,range}, in any order, and {@code sigma} where
 * the standard deviation of each is known; {@code time} in logs to track by. Other columns are not
 * looked at.
 */
final class RangeColumns {
  private final int from;
  private final int to;
  private final int range;
  private final int sigma;
  private final int time;

  private RangeColumns(List<String> header) {
    from = header.indexOf("from");
    to = header.indexOf("to");
    range = header.indexOf("range");
    sigma = header.indexOf("sigma");
    time = header.indexOf("time");
  }

  /**
   * The header that a row is; null where it is none.
   *
   * @throws NetworkException where it would be one but for a name
   */
  static @Nullable RangeColumns of(List<String> fields) {
    List<String> header = fields.stream().map(field -> field.toLowerCase(Locale.ROOT)).toList();
    if (!header.contains("from") || !header.contains("to") || isNumeric(header)) {
      return null;
    }
    if (!header.contains("range")) {
      throw new NetworkException(
          "the header "
              + String.join(",", fields)
              + " has no column range; measured distances stand under from,to,range");
    }
    return new RangeColumns(header);
  }

  /** A pair of stations may be called from and to. */
  private static boolean isNumeric(List<String> fields) {
    return fields.size() > 2 && !fields.get(2).isEmpty() && fields.get(2).matches("[-+.0-9].*");
  }

  /** What to say of a row before any header. */
  static String explainNoHeader(List<String> fields) {
    String row = String.join(",", fields);
    String separator =
        row.contains(";")
            ? "columns are separated by commas, and numbers have a decimal point"
            : row.contains("\t")
                ? "columns are separated by commas, not tabs"
                : "a block starts with anchor,x,y or anchor,lat,lon or sensor or from,to,range";
    return "\"" + row + "\" is no header; " + separator;
  }

  /** The time stamp, as it is written; empty where there is no such column. */
  String time(List<String> fields) {
    return time < 0 ? "" : field(fields, time);
  }

  String from(List<String> fields) {
    return field(fields, from);
  }

  String to(List<String> fields) {
    return field(fields, to);
  }

  double distance(List<String> fields) {
    return number(field(fields, range));
  }

  /**
   * The standard deviation; 0 where there is no such column.
   *
   * @throws NetworkException where it is not above 0
   */
  double sigma(List<String> fields) {
    if (sigma < 0) {
      return 0;
    }
    double value = number(field(fields, sigma));
    if (!(value > 0)) {
      throw new NetworkException("sigma is " + value + "; a standard deviation is above 0");
    }
    return value;
  }

  private static String field(List<String> fields, int column) {
    if (column >= fields.size()) {
      throw new NetworkException(
          String.format(
              Locale.ROOT,
              "a range has %d columns and more, from, to and range, not %d",
              Math.max(3, column + 1),
              fields.size()));
    }
    return fields.get(column);
  }

  /**
   * A decimal number.
   *
   * @throws NetworkException for other text, also for what only Java calls a number, as 4.2f
   */
  static double number(String text) {
    try {
      char last = text.isEmpty() ? 'x' : Character.toLowerCase(text.charAt(text.length() - 1));
      boolean isOfJava = last == 'f' || last == 'd' || text.toLowerCase(Locale.ROOT).contains("0x");
      if (!isOfJava) {
        return Double.parseDouble(text);
      }
    } catch (NumberFormatException e) {
      throw new NetworkException("\"" + text + "\" is no number", e);
    }
    throw new NetworkException("\"" + text + "\" is no number");
  }
}
