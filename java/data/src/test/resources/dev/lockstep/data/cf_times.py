"""Random times and what cftime (num2date) makes of them, for CfTimeTest.

Arguments: a file to write, a seed, how many times for each of the nine names of calendars. One line
a time: calendar; units; value (hexadecimal); year; month; day; microsecond of the day; day of the
year.
"""

import random
import sys

import cftime

CALENDARS = ["standard", "gregorian", "proleptic_gregorian", "julian", "noleap", "365_day", "all_leap", "366_day", "360_day"]
DAYS = {"days": 1, "day": 1, "d": 1, "hours": 24, "hrs": 24, "h": 24, "minutes": 1440, "min": 1440, "seconds": 86400, "s": 86400, "milliseconds": 86400e3, "microseconds": 86400e6}
REFERENCES = ["1850-01-01", "1-1-1 00:00:00", "1970-01-01T12:30:00", "1582-10-16", "1582-10-4", "1900-01-01 00:00:0.0", "2000-02-28 23:59:59.5", "1979-12-31 06:00", "1800-1-1 00:00:00 -06:00", "1990-07-01 12:00:00 +0530", "1992-10-8 15:15:42.5 -06:00", "2001-01-01T00:00:00Z", "1500-02-28", "1950-01-01 00:00 UTC"]


def number(r, days):
    kind = r.random()
    if kind < 0.25:
        return float(r.randint(int(-days), int(days)))
    if kind < 0.5:
        return r.randint(int(-days), int(days)) + r.choice([0.5, 0.25, 0.125, 0.75])
    if kind < 0.75:
        return round(r.uniform(-days, days), r.randint(0, 6))
    return r.uniform(-days, days)


def main():
    path, seed, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
    with open(path, "w", encoding="ascii") as out:
        for calendar in CALENDARS:
            r = random.Random(f"{seed} {calendar}")
            written = 0
            while written < count:
                unit = r.choice(sorted(DAYS) + (["months"] if calendar == "360_day" else []))
                units = f"{unit} since {r.choice(REFERENCES)}"
                span = r.choice([3, 400, 40000, 700000])
                values = [number(r, span * DAYS[unit] if unit in DAYS else span / 30) for _ in range(100)]
                try:
                    dates = cftime.num2date(values, units, calendar)
                except (ValueError, OverflowError):
                    continue  # before the year 1 of a calendar that has no year 0
                for value, date in zip(values, dates):
                    if not 1 <= date.year <= 9990 or written == count:
                        continue
                    micro = ((date.hour * 60 + date.minute) * 60 + date.second) * 1000000 + date.microsecond
                    out.write(f"{calendar};{units};{value.hex()};{date.year};{date.month};{date.day};{micro};{date.dayofyr}\n")
                    written += 1


main()
