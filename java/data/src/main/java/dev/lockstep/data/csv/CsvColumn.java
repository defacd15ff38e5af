package dev.lockstep.data.csv;

import java.time.DateTimeException;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * One column of a table while its rows are read: numbers, ISO 8601 dates (as days since 1970-01-01)
 * or booleans (0 and 1), by its first value. A later value of another kind makes the column
 * unreadable.
 */
final class CsvColumn {
  private static final double NANOSECONDS_PER_DAY = 86_400e9;

  private enum Kind {
    UNKNOWN,
    NUMBER,
    DATE,
    BOOL
  }

  private final String name;
  private final boolean decimalComma;
  private Kind kind = Kind.UNKNOWN;
  private @Nullable String problem;
  private String units = "";

  CsvColumn(String name, boolean decimalComma) {
    this.name = name;
    this.decimalComma = decimalComma;
  }

  String name() {
    return name;
  }

  /** The kind of its values, for people. */
  String type() {
    return switch (kind) {
      case DATE -> "date";
      case BOOL -> "bool";
      case NUMBER, UNKNOWN -> "number";
    };
  }

  String units() {
    return kind == Kind.DATE ? "days since 1970-01-01" : units;
  }

  void setUnits(String units) {
    this.units = units;
  }

  /** Why it cannot be used; null if it can. */
  @Nullable String problem() {
    return problem;
  }

  void setProblem(String problem) {
    this.problem = problem;
  }

  /** The value of a field; NaN if it is missing, and from the first on that makes no sense. */
  double parse(String field, long line) {
    if (problem != null || CsvNumber.isMissing(field)) {
      return Double.NaN;
    }
    String text = field.strip();
    if (kind == Kind.UNKNOWN) {
      kind = kindOf(text);
    }
    try {
      return switch (kind) {
        case DATE -> days(text);
        case BOOL -> bool(text);
        case NUMBER, UNKNOWN -> number(text, line);
      };
    } catch (NumberFormatException | DateTimeException e) {
      String what =
          kind == Kind.DATE ? "an ISO date" : kind == Kind.BOOL ? "a truth value" : "a number";
      problem =
          place(line)
              + ": \""
              + shortened(text)
              + "\" is not "
              + what
              + "; leave missing fields empty";
      return Double.NaN;
    }
  }

  private static String shortened(String text) {
    return text.length() <= 40 ? text : text.substring(0, 40) + "…";
  }

  private String place(long line) {
    return "line " + line + ", column " + name;
  }

  private double number(String text, long line) {
    double number = CsvNumber.parse(text, decimalComma);
    if (Double.isInfinite(number) && Character.isDigit(text.charAt(text.length() - 1))) {
      problem = place(line) + ": " + text + " is beyond what float64 holds";
    }
    return number;
  }

  private static Kind kindOf(String text) {
    if (isTruthValue(text)) {
      return Kind.BOOL;
    }
    try {
      days(text);
      return Kind.DATE;
    } catch (DateTimeException e) {
      return Kind.NUMBER;
    }
  }

  private static boolean isTruthValue(String text) {
    String lower = text.toLowerCase(Locale.ROOT);
    return lower.equals("true") || lower.equals("false");
  }

  private static double bool(String text) {
    if (!isTruthValue(text)) {
      throw new NumberFormatException(text);
    }
    return text.equalsIgnoreCase("true") ? 1 : 0;
  }

  /** Days since 1970-01-01 of a date with or without time; times without a zone are UTC. */
  static double days(String text) {
    boolean dated = text.length() >= 10 && text.charAt(4) == '-' && text.charAt(7) == '-';
    if (!dated) {
      throw new DateTimeException(text);
    }
    LocalDateTime time;
    if (text.length() == 10) {
      time = LocalDate.parse(text).atStartOfDay();
    } else {
      String iso = text.substring(0, 10) + "T" + text.substring(11);
      boolean zoned = iso.endsWith("Z") || iso.lastIndexOf('+') > 10 || iso.lastIndexOf('-') > 10;
      time =
          zoned
              ? OffsetDateTime.parse(iso).withOffsetSameInstant(ZoneOffset.UTC).toLocalDateTime()
              : LocalDateTime.parse(iso);
    }
    return time.toLocalDate().toEpochDay() + time.toLocalTime().toNanoOfDay() / NANOSECONDS_PER_DAY;
  }
}
