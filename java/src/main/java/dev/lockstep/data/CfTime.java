package dev.lockstep.data;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times as the CF conventions store them (section 4.4): a number of units since a date of one of
 * nine calendars. Years before 1 and after 9999 are not shown.
 */
final class CfTime {
  private static final Pattern UNITS =
      Pattern.compile(
          "\\s*(\\w+)\\s+(?:since|after|from)\\s+(\\d{1,4})-(\\d{1,2})-(\\d{1,2})"
              + "(?:[T ]\\s*(\\d{1,2})(?::(\\d{1,2}))?(?::(\\d{1,2}(?:\\.\\d*)?))?)?"
              + "\\s*(?:Z|UTC|GMT|[+]?0?0:?0?0?)?\\s*",
          Pattern.CASE_INSENSITIVE);
  private static final double DAY = 86_400;

  /** About the year 9999. */
  private static final long LAST_DAY = 3_650_000;

  /** The first day of the Gregorian calendar, 1582-10-15, as days since 0001-01-01 in it. */
  private static final long REFORM = days(1582, 10, 15, Calendar.GREGORIAN);

  /** Days that 0001-01-01 of the Julian calendar lies before that of the Gregorian. */
  private static final long JULIAN_LEAD = 2;

  private enum Calendar {
    MIXED,
    GREGORIAN,
    JULIAN,
    NO_LEAP,
    ALL_LEAP,
    DAYS_360
  }

  private CfTime() {}

  /**
   * A time as text, to the second.
   *
   * @param units for example "hours since 1900-01-01 00:00:00"
   * @param calendar as CF names it; "standard" if empty
   * @return empty if the units are none of time, or the calendar is unknown
   */
  static Optional<String> format(double value, String units, String calendar) {
    Matcher matcher = UNITS.matcher(units);
    Optional<Calendar> named = calendar(calendar);
    if (!matcher.matches() || named.isEmpty() || Double.isNaN(value)) {
      return Optional.empty();
    }
    double unit = seconds(matcher.group(1).toLowerCase(Locale.ROOT));
    if (unit == 0) {
      return Optional.empty();
    }
    Calendar known = named.get();
    long day =
        days(
            Integer.parseInt(matcher.group(2)),
            Integer.parseInt(matcher.group(3)),
            Integer.parseInt(matcher.group(4)),
            known);
    double seconds =
        3600 * number(matcher.group(5)) + 60 * number(matcher.group(6)) + number(matcher.group(7));
    double whole = Math.floor(value * unit / DAY);
    if (day + whole < 0 || day + whole > LAST_DAY) {
      return Optional.empty();
    }
    double rest = Math.rint(seconds + (value * unit - whole * DAY));
    double carried = Math.floor(rest / DAY);
    return Optional.of(date(day + (long) (whole + carried), known) + time(rest - carried * DAY));
  }

  private static double number(String text) {
    return text == null ? 0 : Double.parseDouble(text);
  }

  private static String time(double seconds) {
    int s = (int) seconds;
    return s == 0
        ? ""
        : String.format(Locale.ROOT, " %02d:%02d:%02d", s / 3600, s / 60 % 60, s % 60);
  }

  private static Optional<Calendar> calendar(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "", "standard", "gregorian" -> Optional.of(Calendar.MIXED);
      case "proleptic_gregorian" -> Optional.of(Calendar.GREGORIAN);
      case "julian" -> Optional.of(Calendar.JULIAN);
      case "noleap", "365_day" -> Optional.of(Calendar.NO_LEAP);
      case "all_leap", "366_day" -> Optional.of(Calendar.ALL_LEAP);
      case "360_day" -> Optional.of(Calendar.DAYS_360);
      default -> Optional.empty();
    };
  }

  /** Seconds of a unit; 0 for what is no fixed time, months and years among it. */
  private static double seconds(String unit) {
    return switch (unit) {
      case "day", "days", "d" -> DAY;
      case "hour", "hours", "hr", "hrs", "h" -> 3600;
      case "minute", "minutes", "min", "mins" -> 60;
      case "second", "seconds", "sec", "secs", "s" -> 1;
      case "millisecond", "milliseconds", "msec", "msecs", "ms" -> 1e-3;
      case "microsecond", "microseconds" -> 1e-6;
      default -> 0;
    };
  }

  private static boolean isLeap(long year, Calendar calendar) {
    return switch (calendar) {
      case ALL_LEAP -> true;
      case NO_LEAP, DAYS_360 -> false;
      case JULIAN -> year % 4 == 0;
      case GREGORIAN, MIXED -> year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    };
  }

  private static int monthDays(long year, int month, Calendar calendar) {
    if (calendar == Calendar.DAYS_360) {
      return 30;
    }
    return switch (month) {
      case 2 -> isLeap(year, calendar) ? 29 : 28;
      case 4, 6, 9, 11 -> 30;
      default -> 31;
    };
  }

  /** Days since 0001-01-01 of the calendar; of the Gregorian for the mixed one. */
  private static long days(int year, int month, int day, Calendar calendar) {
    if (calendar == Calendar.MIXED) {
      boolean julian = year * 10_000L + month * 100 + day < 1582_10_15;
      return julian
          ? days(year, month, day, Calendar.JULIAN) - JULIAN_LEAD
          : days(year, month, day, Calendar.GREGORIAN);
    }
    long days = daysBefore(year, calendar) + day - 1;
    for (int m = 1; m < month; m++) {
      days += monthDays(year, m, calendar);
    }
    return days;
  }

  private static long daysBefore(long year, Calendar calendar) {
    long years = year - 1;
    return switch (calendar) {
      case DAYS_360 -> 360 * years;
      case NO_LEAP -> 365 * years;
      case ALL_LEAP -> 366 * years;
      case JULIAN -> 365 * years + Math.floorDiv(years, 4);
      case GREGORIAN, MIXED ->
          365 * years
              + Math.floorDiv(years, 4)
              - Math.floorDiv(years, 100)
              + Math.floorDiv(years, 400);
    };
  }

  private static String date(long day, Calendar calendar) {
    if (calendar == Calendar.MIXED) {
      return day >= REFORM
          ? date(day, Calendar.GREGORIAN)
          : date(day + JULIAN_LEAD, Calendar.JULIAN);
    }
    long year = Math.floorDiv(day, 366) + 1;
    while (daysBefore(year + 1, calendar) <= day) {
      year++;
    }
    long left = day - daysBefore(year, calendar);
    int month = 1;
    while (left >= monthDays(year, month, calendar)) {
      left -= monthDays(year, month, calendar);
      month++;
    }
    return String.format(Locale.ROOT, "%04d-%02d-%02d", year, month, left + 1);
  }
}
