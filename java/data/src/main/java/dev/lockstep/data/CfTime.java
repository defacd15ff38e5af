package dev.lockstep.data;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Times as the CF conventions store them (section 4.4): a number of units since a date of one of
 * nine calendars, which are six: standard (gregorian), proleptic_gregorian, julian, noleap
 * (365_day), all_leap (366_day) and 360_day. Immutable and thread-safe.
 */
public final class CfTime {
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

  /** Whole days from the calendar's day 0 to the reference date. */
  private final long referenceDay;

  /** Seconds of the reference date's day before its time. */
  private final double referenceSeconds;

  /** Seconds of the unit. */
  private final double unit;

  private final Calendar calendar;

  /**
   * A time by its calendar.
   *
   * @param year 1 or later
   * @param month 1 to 12
   * @param day 1 to 31
   * @param secondOfDay in [0, 86400)
   * @param dayOfYear counted from 1
   * @param daysOfYear 360, 365 or 366
   */
  public record Date(
      int year, int month, int day, double secondOfDay, int dayOfYear, int daysOfYear) {}

  private CfTime(long referenceDay, double referenceSeconds, double unit, Calendar calendar) {
    this.referenceDay = referenceDay;
    this.referenceSeconds = referenceSeconds;
    this.unit = unit;
    this.calendar = calendar;
  }

  /**
   * The meaning of a variable's numbers as times.
   *
   * @param units for example "hours since 1900-01-01 00:00:00"
   * @param calendar as CF names it; "standard" if empty
   * @return empty if the units are none of time, or the calendar is unknown
   */
  public static Optional<CfTime> of(String units, String calendar) {
    Matcher matcher = UNITS.matcher(units);
    Optional<Calendar> named = calendar(calendar);
    if (!matcher.matches() || named.isEmpty()) {
      return Optional.empty();
    }
    double unit = seconds(matcher.group(1).toLowerCase(Locale.ROOT));
    if (unit == 0) {
      return Optional.empty();
    }
    long day =
        days(
            Integer.parseInt(matcher.group(2)),
            Integer.parseInt(matcher.group(3)),
            Integer.parseInt(matcher.group(4)),
            named.get());
    double seconds =
        3600 * number(matcher.group(5)) + 60 * number(matcher.group(6)) + number(matcher.group(7));
    return Optional.of(new CfTime(day, seconds, unit, named.get()));
  }

  /**
   * A number as a date, to the second.
   *
   * @return empty for NaN, and for years before 1 and after 9999
   */
  public Optional<Date> date(double value) {
    if (Double.isNaN(value)) {
      return Optional.empty();
    }
    double whole = Math.floor(value * unit / DAY);
    if (referenceDay + whole < 0 || referenceDay + whole > LAST_DAY) {
      return Optional.empty();
    }
    double rest = Math.rint(referenceSeconds + (value * unit - whole * DAY));
    double carried = Math.floor(rest / DAY);
    return Optional.of(
        date(referenceDay + (long) (whole + carried), rest - carried * DAY, calendar));
  }

  /** The number that stands for the beginning of a day; one that does not exist counts on. */
  public double value(int year, int month, int day) {
    double days = (double) days(year, month, day, calendar) - referenceDay;
    return (days * DAY - referenceSeconds) / unit;
  }

  /** The number in these units for one in units of the same calendar; for joining files. */
  public double convert(double value, CfTime from) {
    double days = (double) from.referenceDay - referenceDay;
    return (days * DAY + from.referenceSeconds - referenceSeconds + value * from.unit) / unit;
  }

  /** Whether both count in one calendar, whatever it is called. */
  public boolean hasCalendarOf(CfTime other) {
    return calendar == other.calendar;
  }

  /**
   * A time as text, to the second.
   *
   * @param units for example "hours since 1900-01-01 00:00:00"
   * @param calendar as CF names it; "standard" if empty
   * @return empty if the units are none of time, or the calendar is unknown
   */
  static Optional<String> format(double value, String units, String calendar) {
    return of(units, calendar).flatMap(time -> time.date(value)).map(CfTime::text);
  }

  private static String text(Date date) {
    return String.format(Locale.ROOT, "%04d-%02d-%02d", date.year, date.month, date.day)
        + time(date.secondOfDay);
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

  private static Date date(long day, double secondOfDay, Calendar calendar) {
    if (calendar == Calendar.MIXED) {
      Date date =
          day >= REFORM
              ? date(day, secondOfDay, Calendar.GREGORIAN)
              : date(day + JULIAN_LEAD, secondOfDay, Calendar.JULIAN);
      if (date.year != 1582) {
        return date;
      }
      // The ten days that the reform left out are counted in no year.
      int dayOfYear = day >= REFORM ? date.dayOfYear - 10 : date.dayOfYear;
      return new Date(date.year, date.month, date.day, secondOfDay, dayOfYear, 355);
    }
    long year = Math.floorDiv(day, 366) + 1;
    while (daysBefore(year + 1, calendar) <= day) {
      year++;
    }
    long left = day - daysBefore(year, calendar);
    int dayOfYear = (int) left + 1;
    int month = 1;
    while (left >= monthDays(year, month, calendar)) {
      left -= monthDays(year, month, calendar);
      month++;
    }
    int daysOfYear = (int) (daysBefore(year + 1, calendar) - daysBefore(year, calendar));
    return new Date((int) year, month, (int) left + 1, secondOfDay, dayOfYear, daysOfYear);
  }
}
