package dev.lockstep.data;

import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

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
              + "\\s*(?:Z|UTC|GMT|(?<zone>[+-]?\\d{1,2}(?::?\\d{2})?))?\\s*",
          Pattern.CASE_INSENSITIVE);

  /** Microseconds, in which everything is counted, as the Python package cftime does. */
  private static final long SECOND = 1_000_000;

  private static final long HOUR = 3600 * SECOND;
  private static final long DAY = 24 * HOUR;

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

  /** Microseconds of the reference date's day before its time in UTC; outside of it with a zone. */
  private final long referenceTime;

  /** Microseconds of the unit. */
  private final long unit;

  private final Calendar calendar;

  /**
   * A time by its calendar.
   *
   * @param year 1 or later
   * @param month 1 to 12
   * @param day 1 to 31
   * @param secondOfDay in [0, 86400), whole microseconds
   * @param dayOfYear counted from 1
   * @param daysOfYear 360, 365 or 366
   */
  public record Date(
      int year, int month, int day, double secondOfDay, int dayOfYear, int daysOfYear) {}

  private CfTime(long referenceDay, long referenceTime, long unit, Calendar calendar) {
    this.referenceDay = referenceDay;
    this.referenceTime = referenceTime;
    this.unit = unit;
    this.calendar = calendar;
  }

  /**
   * The meaning of a variable's numbers as times.
   *
   * @param units for example "hours since 1900-01-01 00:00:00"
   * @param calendar as CF names it; "standard" if empty
   * @return empty if the units are none of time, or the reference date or the calendar is unknown
   */
  public static Optional<CfTime> of(String units, String calendar) {
    Matcher matcher = UNITS.matcher(units);
    Optional<Calendar> named = calendar(calendar);
    if (!matcher.matches() || named.isEmpty()) {
      return Optional.empty();
    }
    long unit = microseconds(matcher.group(1).toLowerCase(Locale.ROOT), named.get());
    int year = Integer.parseInt(matcher.group(2));
    int month = Integer.parseInt(matcher.group(3));
    int day = Integer.parseInt(matcher.group(4));
    if (unit == 0 || !exists(year, month, day, named.get())) {
      return Optional.empty();
    }
    double seconds = 60 * number(matcher.group(6)) + number(matcher.group(7));
    long time = (long) number(matcher.group(5)) * HOUR + Math.round(seconds * SECOND);
    return Optional.of(
        new CfTime(
            days(year, month, day, named.get()),
            time - zone(matcher.group("zone")),
            unit,
            named.get()));
  }

  /** How far a zone is ahead of UTC, written as −6, +05:30 or 0530. */
  private static long zone(@Nullable String text) {
    if (text == null) {
      return 0;
    }
    String digits = text.replaceAll("[+:-]", "");
    int hours = Integer.parseInt(digits.substring(0, Math.min(2, digits.length())));
    int minutes = digits.length() > 2 ? Integer.parseInt(digits.substring(2)) : 0;
    return (text.startsWith("-") ? -1 : 1) * (hours * HOUR + minutes * (HOUR / 60));
  }

  /**
   * A number as a date, to the microsecond.
   *
   * @return empty for NaN, and for years before 1 and after 9999
   */
  public Optional<Date> date(double value) {
    return date(value, 1);
  }

  /** Rounded to multiples of so many microseconds. */
  private Optional<Date> date(double value, long step) {
    if (Double.isNaN(value) || Math.abs(value) * unit / DAY > LAST_DAY + 1) {
      return Optional.empty();
    }
    long time = referenceTime + product(value, unit);
    time = step == 1 ? time : Math.floorDiv(time + step / 2, step) * step;
    long day = referenceDay + Math.floorDiv(time, DAY);
    long first = calendar == Calendar.MIXED ? -JULIAN_LEAD : 0;
    if (day < first || day > LAST_DAY) {
      return Optional.empty();
    }
    return Optional.of(date(day, Math.floorMod(time, DAY) / (double) SECOND, calendar));
  }

  /**
   * {@code value × factor} as a whole number, below 2⁶³, as cftime has it: rounded to the 64 bits
   * of an extended double and then to the next whole number, halves to even; but what lies less
   * than a microsecond and a half beside a second towards it, for a double seldom holds the second
   * itself.
   */
  private static long product(double value, long factor) {
    double high = value * factor;
    double low = Math.fma(value, factor, -high);
    double whole = Math.floor(high);
    double extended = Math.ulp(high) / 2048;
    double rest = Math.rint((high - whole + low) / extended) * extended;
    double below = Math.floor(rest);
    double part = rest - below;
    long floor = (long) whole + (long) below;
    long nearest = part > 0.5 || (part == 0.5 && (floor & 1) == 1) ? floor + 1 : floor;
    long beside = Math.floorMod(nearest, SECOND);
    if (beside == SECOND - 1 && part > 0) {
      return floor + 1;
    }
    return beside == 1 ? floor : nearest;
  }

  /** The number that stands for the beginning of a day; one that does not exist counts on. */
  public double value(int year, int month, int day) {
    long days = days(year, month, day, calendar) - referenceDay;
    return (double) (days * DAY - referenceTime) / unit;
  }

  /** The number in these units for one in units of the same calendar; for joining files. */
  public double convert(double value, CfTime from) {
    long apart = (from.referenceDay - referenceDay) * DAY + from.referenceTime - referenceTime;
    if (from.unit % unit == 0 && apart % unit == 0) {
      return (double) (apart / unit) + value * (from.unit / unit);
    }
    return (apart + value * from.unit) / unit;
  }

  /** Seconds of the unit. */
  public double unitSeconds() {
    return unit / (double) SECOND;
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
    return of(units, calendar).flatMap(time -> time.date(value, SECOND)).map(CfTime::text);
  }

  private static String text(Date date) {
    return String.format(Locale.ROOT, "%04d-%02d-%02d", date.year, date.month, date.day)
        + time(date.secondOfDay);
  }

  private static double number(@Nullable String text) {
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

  /** 0 for what is no fixed time; a month is one in the calendar of 30 days each alone. */
  private static long microseconds(String unit, Calendar calendar) {
    return switch (unit) {
      case "month", "months" -> calendar == Calendar.DAYS_360 ? 30 * DAY : 0;
      case "day", "days", "d" -> DAY;
      case "hour", "hours", "hr", "hrs", "h" -> HOUR;
      case "minute", "minutes", "min", "mins" -> HOUR / 60;
      case "second", "seconds", "sec", "secs", "s" -> SECOND;
      case "millisecond", "milliseconds", "millisec", "millisecs", "msec", "msecs", "ms" ->
          SECOND / 1000;
      case "microsecond", "microseconds", "microsec", "microsecs" -> 1;
      default -> 0;
    };
  }

  private static boolean exists(int year, int month, int day, Calendar calendar) {
    Calendar then = calendar == Calendar.MIXED && year < 1582 ? Calendar.JULIAN : calendar;
    return month >= 1 && month <= 12 && day >= 1 && day <= monthDays(year, month, then);
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
      // Days of 1582 are numbered as if none had been left out, as cftime does.
      return day >= REFORM
          ? date(day, secondOfDay, Calendar.GREGORIAN)
          : date(day + JULIAN_LEAD, secondOfDay, Calendar.JULIAN);
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
