package dev.lockstep.data.field;

import java.util.TreeSet;

/**
 * What a climatology keeps apart: the months of the year and, of data with several steps a day, the
 * hours. Samples without times have one season.
 *
 * @param ofTime whether the steps are times
 * @param secondsOfDay the times of day that are kept apart, ascending; at least one
 */
@SuppressWarnings("ArrayRecordComponent") // written to and read from model files as it is
record Seasons(boolean ofTime, double[] secondsOfDay) {
  private static final int MONTHS = 12;
  private static final int MOST_HOURS = 24;

  /** By the steps of an axis. */
  static Seasons of(Grid grid) {
    if (grid.time().isEmpty()) {
      return new Seasons(false, new double[] {0});
    }
    Axis time = grid.time().get();
    TreeSet<Double> hours = new TreeSet<>();
    boolean severalADay = false;
    for (int i = 0; i < time.length() && hours.size() <= MOST_HOURS; i++) {
      hours.add(time.date(i).secondOfDay());
      severalADay |=
          i > 0
              && time.date(i).dayOfYear() == time.date(i - 1).dayOfYear()
              && time.date(i).year() == time.date(i - 1).year();
    }
    boolean kept = severalADay && hours.size() <= MOST_HOURS;
    return new Seasons(
        true,
        kept
            ? hours.stream().mapToDouble(Double::doubleValue).toArray()
            : new double[] {hours.first()});
  }

  int count() {
    return ofTime ? MONTHS * secondsOfDay.length : 1;
  }

  /** The season of a step. */
  int of(Grid grid, int step) {
    if (!ofTime) {
      return 0;
    }
    Axis time = grid.samples().get(grid.step());
    var date = time.date(step);
    int hour = 0;
    for (int i = 1; i < secondsOfDay.length; i++) {
      boolean nearer =
          Math.abs(secondsOfDay[i] - date.secondOfDay())
              < Math.abs(secondsOfDay[hour] - date.secondOfDay());
      hour = nearer ? i : hour;
    }
    return (date.month() - 1) * secondsOfDay.length + hour;
  }
}
