package dev.lockstep.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CfTimeTest {
  /** What cftime 1.6 (num2date) makes of random numbers. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "1029.0; days since 1850-01-01; standard; 1852-10-26",
        "12260700.768; hours since 1-1-1 00:00:00; standard; 1399-09-01 12:46:05",
        "-147804072.0; seconds since 1970-01-01T12:30:00; standard; 1965-04-26 19:48:48",
        "-42706075.123; minutes since 1582-10-16; standard; 1501-07-26 00:04:53",
        "62133.361; days since 1850-01-01; gregorian; 2020-02-12 08:39:50",
        "13607700.0; hours since 1-1-1 00:00:00; gregorian; 1553-04-30 12:00:00",
        "-17240057.0; seconds since 1970-01-01T12:30:00; gregorian; 1969-06-15 23:35:43",
        "79536802.125; minutes since 1582-10-16; gregorian; 1734-01-05 21:22:08",
        "107050.0; days since 1850-01-01; proleptic_gregorian; 2143-02-04",
        "4449268.0; hours since 1-1-1 00:00:00; proleptic_gregorian; 0508-07-28 04:00:00",
        "1166394095.0; seconds since 1970-01-01T12:30:00; proleptic_gregorian; 2006-12-18 10:51:35",
        "149729610.143; minutes since 1582-10-16; proleptic_gregorian; 1867-06-22 21:30:09",
        "-7280.054; days since 1850-01-01; julian; 1830-01-25 22:42:14",
        "4923925.863; hours since 1-1-1 00:00:00; julian; 0562-09-16 13:51:47",
        "-280899407.0; seconds since 1970-01-01T12:30:00; julian; 1961-02-06 08:53:13",
        "97521489.767; minutes since 1582-10-16; julian; 1768-03-16 06:09:46",
        "53661.0; days since 1850-01-01; noleap; 1997-01-07",
        "4204513.871; hours since 1-1-1 00:00:00; noleap; 0480-12-20 01:52:16",
        "-275774896.0; seconds since 1970-01-01T12:30:00; noleap; 1961-04-04 16:21:44",
        "182992974.614; minutes since 1582-10-16; noleap; 1930-12-13 10:54:37",
        "-43593.79; days since 1850-01-01; 365_day; 1730-07-26 05:02:24",
        "9730256.155; hours since 1-1-1 00:00:00; 365_day; 1111-10-05 08:09:18",
        "1203685972.0; seconds since 1970-01-01T12:30:00; 365_day; 2008-03-04 01:42:52",
        "72176817.587; minutes since 1582-10-16; 365_day; 1720-02-10 18:57:35",
        "37627.56; days since 1850-01-01; all_leap; 1952-10-22 13:26:24",
        "7327759.0; hours since 1-1-1 00:00:00; all_leap; 0835-03-20 07:00:00",
        "4789123.0; seconds since 1970-01-01T12:30:00; all_leap; 1970-02-25 22:48:43",
        "7510338.0; minutes since 1582-10-16; all_leap; 1597-01-15 12:18:00",
        "-29190.285; days since 1850-01-01; 366_day; 1770-03-30 17:09:36",
        "10647980.609; hours since 1-1-1 00:00:00; 366_day; 1213-03-14 20:36:32",
        "561800568.0; seconds since 1970-01-01T12:30:00; 366_day; 1987-10-07 20:12:48",
        "108479501.624; minutes since 1582-10-16; 366_day; 1788-08-13 23:41:37",
        "-16713.0; days since 1850-01-01; 360_day; 1803-07-28",
        "1129499.0; hours since 1-1-1 00:00:00; 360_day; 0131-09-23 11:00:00",
        "788287257.0; seconds since 1970-01-01T12:30:00; 360_day; 1995-05-05 05:10:57",
        "54699509.0; minutes since 1582-10-16; 360_day; 1688-04-21 18:29:00"
      })
  void agreesWithCftime(double value, String units, String calendar, String expected) {
    assertEquals(Optional.of(expected), CfTime.format(value, units, calendar));
  }

  /** Ten thousand for each name of a calendar; {@code -Dlockstep.random.seed=…} takes others. */
  @Test
  void agreesWithCftimeToTheMicrosecondAtRandomTimes(@TempDir Path folder) throws Exception {
    Optional<PythonReference> python = PythonReference.with("cftime");
    assumeTrue(python.isPresent(), "no Python with cftime: see hpc/test.sh");
    Path table = folder.resolve("times.txt");
    long seed = Long.getLong("lockstep.random.seed", 20261127);
    python.get().run(folder, "cf_times.py", 120, table.toString(), "" + seed, "10000");
    List<String> wrong = new ArrayList<>();
    List<String> lines = Files.readAllLines(table);
    for (String line : lines) {
      String[] parts = line.split(";");
      CfTime time = CfTime.of(parts[1], parts[0]).orElseThrow(() -> new AssertionError(line));
      CfTime.Date date =
          time.date(Double.parseDouble(parts[2])).orElseThrow(() -> new AssertionError(line));
      String found =
          String.format(
              Locale.ROOT,
              "%d;%d;%d;%d;%d",
              date.year(),
              date.month(),
              date.day(),
              Math.round(date.secondOfDay() * 1e6),
              date.dayOfYear());
      if (!line.endsWith(";" + found)) {
        wrong.add(line + " is read as " + found);
      }
      CfTime.Date midnight =
          time.date(time.value(date.year(), date.month(), date.day())).orElseThrow();
      // Not every midnight is a number of hours or days that a double holds.
      double off = Math.min(midnight.secondOfDay(), 86_400 - midnight.secondOfDay());
      if (off > 1e-3) {
        wrong.add(line + ": the day's beginning is read as " + midnight);
      }
    }
    assertEquals(90_000, lines.size());
    assertTrue(wrong.isEmpty(), () -> wrong.size() + " wrong, such as " + wrong.get(0));
  }

  /** From cftime 1.6.6, but for the zone "-6", which UDUNITS takes and cftime leaves out. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "0; hours since 1992-10-8 15:15:42.5 -6; standard; 1992-10-08 21:15:43",
        "36; hours since 1990-07-01 12:00:00 +0530; noleap; 1990-07-02 18:30:00",
        "1.5; months since 2000-01-01; 360_day; 2000-02-16",
        "1; days since 1500-02-28; standard; 1500-02-29"
      })
  void readsZonesAndMonthsOf30Days(double value, String units, String calendar, String expected) {
    assertEquals(Optional.of(expected), CfTime.format(value, units, calendar));
  }

  @Test
  void refusesReferenceDatesThatDoNotExist() {
    assertTrue(CfTime.of("days since 1900-02-29", "standard").isEmpty());
    assertTrue(CfTime.of("days since 1900-13-01", "noleap").isEmpty());
    assertTrue(CfTime.of("days since 1900-02-30", "360_day").isPresent());
  }

  @Test
  void leavesOtherUnitsAlone() {
    assertEquals(Optional.empty(), CfTime.format(1, "m/s", ""));
    assertEquals(Optional.empty(), CfTime.format(1, "months since 1900-01-01", ""));
    assertEquals(Optional.empty(), CfTime.format(1, "days since 1900-01-01", "lunar"));
    assertEquals(Optional.empty(), CfTime.format(Double.NaN, "days since 1900-01-01", ""));
    assertEquals(Optional.empty(), CfTime.format(1e300, "days since 1900-01-01", ""));
  }
}
