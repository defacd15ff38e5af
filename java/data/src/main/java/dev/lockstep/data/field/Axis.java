package dev.lockstep.data.field;

import dev.lockstep.data.ArrayFile;
import dev.lockstep.data.Bound;
import dev.lockstep.data.CfTime;
import dev.lockstep.data.Variable;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A dimension of a file with its coordinates, and the part of it that is used.
 *
 * @param name of the dimension
 * @param start the first index used
 * @param length how many indices are used
 * @param coordinate the coordinate variable; null if there is none
 * @param values the used coordinates; empty if there are none
 * @param time what they mean as times; null if they are none
 * @param loneStep seconds to the time that would follow one that is alone; NaN if that is unknown
 */
@SuppressWarnings("ArrayRecordComponent") // never changed; handed out within the package
record Axis(
    String name,
    int start,
    int length,
    @Nullable Variable coordinate,
    double[] values,
    @Nullable CfTime time,
    double loneStep) {

  /** The whole dimension. */
  static Axis of(ArrayFile file, Variable.Dimension dimension) {
    int length = Math.toIntExact(dimension.length());
    for (Variable variable : file.variables()) {
      if (variable.name().equals(dimension.name())
          && variable.dimensions().equals(List.of(dimension))) {
        double[] values = new double[length];
        file.read(variable, 0, length, values);
        CfTime time = CfTime.of(text(variable, "units"), text(variable, "calendar")).orElse(null);
        return new Axis(dimension.name(), 0, length, variable, values, time, Double.NaN);
      }
    }
    return new Axis(dimension.name(), 0, length, null, new double[0], null, Double.NaN);
  }

  static String text(Variable variable, String attribute) {
    return variable.attributes().get(attribute) instanceof String text ? text : "";
  }

  /**
   * A part by indices, both ends included.
   *
   * @throws IllegalArgumentException if there is no such part
   */
  Axis between(int first, int last) {
    if (first < 0 || last >= length || first > last) {
      throw new IllegalArgumentException(
          "indices [" + first + ", " + last + "] are not within the " + length + " of " + name);
    }
    double[] part = values;
    if (values.length > 0) {
      part = new double[last - first + 1];
      System.arraycopy(values, first, part, 0, part.length);
    }
    return new Axis(name, start + first, last - first + 1, coordinate, part, time, loneStep);
  }

  /** The same with a step for a time that is alone. */
  Axis stepping(double seconds) {
    return new Axis(name, start, length, coordinate, values, time, seconds);
  }

  /**
   * The part within a range of coordinates.
   *
   * @throws IllegalArgumentException if it is empty, or not one piece
   */
  Axis within(List<Bound> range) {
    boolean[] inside = inside(range);
    int first = 0;
    while (first < length && !inside[first]) {
      first++;
    }
    int last = length - 1;
    while (last >= 0 && !inside[last]) {
      last--;
    }
    if (first > last) {
      throw new IllegalArgumentException("no coordinate of " + name + " lies in " + show(range));
    }
    for (int i = first; i <= last; i++) {
      if (!inside[i]) {
        throw new IllegalArgumentException(
            "the coordinates of " + name + " in " + show(range) + " are not one piece of the file");
      }
    }
    return between(first, last);
  }

  /** Which of the coordinates lie in a range, both ends included. */
  boolean[] inside(List<Bound> range) {
    if (values.length == 0) {
      throw new IllegalArgumentException(
          "dimension " + name + " has no coordinate variable; choose by index with isel");
    }
    if (range.size() != 2) {
      throw new IllegalArgumentException(
          "the range of " + name + " needs two ends, as in [30, 90], not " + show(range));
    }
    boolean[] inside = new boolean[length];
    if (time != null) {
      double from = range.get(0).start(time);
      double end = range.get(1).end(time);
      for (int i = 0; i < length; i++) {
        inside[i] = values[i] >= from && values[i] < end;
      }
    } else {
      double from = range.get(0).number();
      double to = range.get(1).number();
      requireOwnTurn(from, to, range);
      for (int i = 0; i < length; i++) {
        inside[i] = values[i] >= from && values[i] <= to;
      }
    }
    return inside;
  }

  /**
   * The same; of longitudes also those that the range holds with 360 degrees more or less, so that
   * a box may lie across the edge of the map.
   */
  boolean[] insideAnyTurn(List<Bound> range) {
    if (!isLongitude() || range.size() != 2) {
      return inside(range);
    }
    double from = range.get(0).number();
    double to = range.get(1).number();
    boolean[] inside = new boolean[length];
    for (int i = 0; i < length; i++) {
      for (double turn = -360; turn <= 360; turn += 360) {
        inside[i] |= values[i] + turn >= from && values[i] + turn <= to;
      }
    }
    return inside;
  }

  /** A range that holds places which the file writes with 360 degrees more or less is refused. */
  private void requireOwnTurn(double from, double to, List<Bound> range) {
    for (double value : isLongitude() ? values : new double[0]) {
      boolean inside = value >= from && value <= to;
      boolean otherTurn =
          (value + 360 >= from && value + 360 <= to) || (value - 360 >= from && value - 360 <= to);
      if (otherTurn && !inside) {
        throw new IllegalArgumentException(
            "the range "
                + show(range)
                + " of "
                + name
                + " holds the longitude "
                + value
                + " of the file written with 360 degrees more or less; write it as the file does,"
                + " from "
                + values[0]
                + " to "
                + values[values.length - 1]);
      }
    }
  }

  static String show(List<Bound> range) {
    return range.stream().map(Bound::text).toList().toString();
  }

  boolean isLatitude() {
    return isNamed("latitude", "degrees_north", "degree_north", "degree_n", "degrees_n");
  }

  boolean isLongitude() {
    return isNamed("longitude", "degrees_east", "degree_east", "degree_e", "degrees_e");
  }

  /** As CF has it (sections 4.1 and 4.2): by units or standard name. */
  private boolean isNamed(String standardName, String... units) {
    if (coordinate == null) {
      return false;
    }
    String unit = text(coordinate, "units").toLowerCase(Locale.ROOT);
    return List.of(units).contains(unit) || text(coordinate, "standard_name").equals(standardName);
  }

  /** The mean step in seconds; NaN without times. */
  double stepSeconds() {
    if (time == null) {
      return Double.NaN;
    }
    return length < 2
        ? loneStep
        : (values[length - 1] - values[0]) / (length - 1) * time.unitSeconds();
  }

  /**
   * The date at an index; behind the last it goes on by months where steps are months, and evenly
   * elsewhere.
   */
  CfTime.Date date(int index) {
    if (index >= length && time != null && !Double.isNaN(stepSeconds())) {
      return behind(time, index - length + 1);
    }
    Optional<CfTime.Date> date = time == null ? Optional.empty() : time.date(values[index]);
    return date.orElseThrow(
        () ->
            new IllegalArgumentException(
                "the coordinates of "
                    + name
                    + " are no times (units such as hours since 1900-1-1)"));
  }

  private CfTime.Date behind(CfTime units, int steps) {
    double days = stepSeconds() / 86_400;
    if (days < 27.5 || days > 31.5) {
      double step =
          length > 1
              ? (values[length - 1] - values[0]) / (length - 1)
              : loneStep / units.unitSeconds();
      return units.date(values[length - 1] + steps * step).orElseThrow();
    }
    CfTime.Date last = date(length - 1);
    int month = last.month() - 1 + steps;
    int year = last.year() + month / 12;
    CfTime.Date first = units.date(units.value(year, month % 12 + 1, 1)).orElseThrow();
    double next = units.value(year + (month % 12 + 1) / 12, (month + 1) % 12 + 1, 1);
    double length = (next - units.value(year, month % 12 + 1, 1)) * units.unitSeconds() / 86_400;
    int day = Math.min((int) Math.round(length), last.day());
    return new CfTime.Date(
        year,
        first.month(),
        day,
        last.secondOfDay(),
        first.dayOfYear() + day - 1,
        first.daysOfYear());
  }
}
