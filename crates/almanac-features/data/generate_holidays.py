"""Writes holidays.txt, the public holidays of every country known to the Python package `holidays` (MIT licence).

Run:  pip install holidays && python generate_holidays.py > holidays.txt

Format, line by line (`#` starts a comment):
  %N=YEAR:CODES   pattern N: one date a year from YEAR on, each as the day of the year in two base-36 digits, `--` for none
  @CC NAME CCC    the lines that follow belong to the country CC (ISO 3166-1 alpha-2), also called NAME or CCC
  NAME|RULE|...   a holiday; a rule is `MMDD` (every year), `MMDD:FROM-TO` (inclusive), `%N` (a pattern)
"""

import re
import sys
import warnings
from collections import defaultdict
from datetime import date

import holidays
from holidays.registry import COUNTRIES

FIRST, LAST = 1990, 2045
DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
warnings.simplefilter("ignore")


def clean(name):
    name = name.replace("|", "/").replace("(estimated)", "").replace("(observed, estimated)", "(observed)")
    name = re.sub(r"\(substituted from [^)]*\)", "(substituted)", name)
    return re.sub(r"\s+", " ", name).strip()


def spans(years):
    """Runs of consecutive years."""
    years = sorted(years)
    run = [years[0], years[0]]
    for year in years[1:]:
        if year != run[1] + 1:
            yield tuple(run)
            run = [year, year]
        run[1] = year
    yield tuple(run)


def tracks(days):
    """Splits dates into rows with at most one date a year, the k-th date of a year going to row k."""
    by_year = defaultdict(list)
    for day in sorted(days):
        by_year[day.year].append(day)
    for row in range(max(map(len, by_year.values()))):
        chosen = {year: found[row] for year, found in by_year.items() if len(found) > row}
        first, last = min(chosen), max(chosen)
        codes = ""
        for year in range(first, last + 1):
            if year in chosen:
                number = chosen[year].timetuple().tm_yday
                codes += DIGITS[number // 36] + DIGITS[number % 36]
            else:
                codes += "--"
        yield f"{first}:{codes}"


def rules(days, pattern):
    """A month and day that holds in most years of its runs is fixed; the rest are patterns."""
    by_day = defaultdict(set)
    for day in days:
        by_day[(day.month, day.day)].add(day.year)
    out, moving = [], []
    for (month, day), years in sorted(by_day.items()):
        for first, last in spans(years):
            if last - first >= 4:
                whole = (first, last) == (FIRST, LAST)
                out.append(f"{month:02}{day:02}" + ("" if whole else f":{first}-{last}"))
            else:
                moving += [date(year, month, day) for year in range(first, last + 1)]
    if moving:
        out += [f"%{pattern(track)}" for track in tracks(moving)]
    return out


def main():
    numbers, lines = {}, []

    def pattern(track):
        return numbers.setdefault(track, len(numbers))

    for country in sorted(holidays.list_supported_countries(include_aliases=False)):
        kind = getattr(holidays, country)
        language = "en_US" if "en_US" in kind.supported_languages else None
        days = defaultdict(set)
        for year in range(FIRST, LAST + 1):
            for day, names in holidays.country_holidays(country, years=year, language=language).items():
                for name in names.split("; "):
                    if day.year == year:
                        days[clean(name)].add(day)
        if not days:
            continue
        aliases = next(([key, *names] for key, names in COUNTRIES.items() if country in names), [])
        lines.append(" ".join([f"@{country}", aliases[0], *(name for name in aliases[2:] if name != country)]))
        for name in sorted(days):
            lines.append("|".join([name, *rules(days[name], pattern)]))
    print(f"# Public holidays {FIRST}..{LAST}, national ones only, from the Python package holidays {holidays.__version__} (MIT licence, copyright the Vacanza team).")
    print("# Written by generate_holidays.py, which explains the format. Do not edit.")
    for track, number in numbers.items():
        print(f"%{number}={track}")
    for line in lines:
        print(line)


sys.exit(main())
