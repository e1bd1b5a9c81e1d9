"""Days as people say them. Pure: what today is, is an argument.

What can be read in two ways keeps both: `3/4/2026` is a day in March or in April.
"""

import calendar
import re
from collections.abc import Iterable
from datetime import date, timedelta
from typing import NamedTuple

from analysis.said.language import Language, language_of
from analysis.said.moments.calendar_words import (
    MONTHS,
    NAMED,
    UNITS,
    WEEKDAYS,
    calendar_day,
    nearest_day,
    nearest_of_years,
)
from analysis.said.moments.day_patterns import day_patterns
from analysis.said.moments.digitised import digitised
from analysis.said.moments.doubts import is_no_single_day
from analysis.said.moments.further_days import further_days
from analysis.said.moments.other_scripts import days_of_other_scripts, touched

_NEAR_YEARS = 30
"""Up to so many years from now a year of two digits is one that comes."""
_FARTHEST_DAYS = 36_500
_FARTHEST_MONTHS = 1_200
_IDIOMS = {("de", 8): 7, ("fr", 8): 7, ("es", 8): 7, ("fr", 15): 14, ("es", 15): 14}
"""Counts of days that mean weeks where the first and the last day are counted."""


class SpokenDay(NamedTuple):
    """A day that was said."""

    words: str
    """Verbatim."""
    readings: tuple[date, ...]
    """What it can mean; none where its parts contradict each other."""
    start: int
    """Where it stands in the text."""

    @property
    def value(self) -> date:
        """The day, where there is one only."""
        return self.readings[0]


def days_said(text: str, today: date | None, language: Language | None = None) -> list[SpokenDay]:
    """Return the days said in `text`, in order, those too that can be read in two ways.

    A day without a year or a month is the one nearest to `today`, a weekday the next one after it.
    Where `today` is not known, these and `tomorrow` are no days.
    """
    language = language or language_of(text)
    plain = digitised(text, language)
    taken = [False] * (len(plain.text) + 1)
    found: list[SpokenDay] = []
    for spoken_in, pattern in day_patterns(language):
        for match in pattern.finditer(plain.text):
            start, end = match.span()
            if any(taken[start:end]) or not _is_a_day(match, plain.span(start, end), text):
                continue
            said = _Said(match, today, spoken_in, is_sure=language is not None)
            readings = said.readings()
            if readings is not None:
                taken[start:end] = [True] * (end - start)
                first, last = plain.span(start, end)
                words = text[first:last].strip()
                found.append(SpokenDay(words, readings, first))
    marks = touched(text, ((each.start, len(each.words)) for each in found))
    for other in days_of_other_scripts(text, today):
        if not any(marks[other.start : other.end]):
            words = text[other.start : other.end].strip()
            found.append(SpokenDay(words, other.days, other.start))
            marks[other.start : other.end] = b"\1" * (other.end - other.start)
    for further in further_days(text, today):
        if not any(marks[further.start : further.end]):
            words = text[further.start : further.end]
            found.append(SpokenDay(words, (further.day,), further.start))
    return sorted(found, key=lambda day: day.start)


def _is_a_day(match: re.Match[str], span: tuple[int, int], text: str) -> bool:
    """Return whether "the second" is a day, or a weekday one day.

    In digits "the 2nd" is, in words only after "on"; "every Monday" is no one day.
    """
    groups = match.groupdict()
    if groups.get("weekday") and is_no_single_day(text, *span):
        return False
    if not groups.get("nth") or "spoken" not in groups:
        return True
    return bool(groups["spoken"]) or any(map(str.isdecimal, text[span[0] : span[1]]))


class _Said:
    """What one match says, by the names of its groups."""

    def __init__(
        self, match: re.Match[str], today: date | None, language: Language, *, is_sure: bool
    ) -> None:
        # Two groups of one name cannot stand in a pattern: the second ends in an underscore.
        self._groups = {
            name.rstrip("_"): value for name, value in match.groupdict().items() if value
        }
        self._today = today
        self._language: Language = language
        self._is_sure = is_sure

    def readings(self) -> tuple[date, ...] | None:
        """Return what it can mean; None where it is no day."""
        if "first" in self._groups:
            days = self._slashed()
        elif "month" in self._groups:
            days = self._in_month(self._month(self._groups["month"]), int(self._groups["day"]))
        elif self._today is None:
            return None
        else:
            days = self._relative(self._today)
        known = tuple(dict.fromkeys(day for day in days if day is not None))
        if not known:
            return None
        name = self._groups.get("dayname")
        if name is None:
            return known
        return tuple(day for day in known if day.weekday() == WEEKDAYS[self._language][name])

    def _month(self, name: str) -> int:
        return int(name) if name.isdecimal() else MONTHS[self._language][name]

    def _in_month(self, month: int, day: int) -> list[date | None]:
        said = self._groups.get("year", "").replace(" ", "")
        if said:
            return [calendar_day(self._full_year(int(said), len(said)), month, day)]
        if self._today is None:
            return []
        return [nearest_of_years(month, day, self._today)]

    def _full_year(self, year: int, digits: int) -> int:
        """Return the year that two digits mean: the last century's where it were far off."""
        if digits > 2:
            return year
        farthest = (self._today.year if self._today else 2000) + _NEAR_YEARS
        return 2000 + year if 2000 + year <= farthest else 1900 + year

    def _slashed(self) -> list[date | None]:
        first, second = int(self._groups["first"]), int(self._groups["second"])
        european = self._in_month(second, first)
        if self._is_sure and self._language != "en":
            return european
        return [*self._in_month(first, second), *european]

    def _relative(self, today: date) -> list[date | None]:
        groups = self._groups
        if "week_from" in groups:
            return [today + timedelta(days=NAMED[self._language][groups["week_from"]] + 7)]
        if "named" in groups:
            return [today + timedelta(days=NAMED[self._language][groups["named"]])]
        if "which" in groups or "final" in groups:
            return [self._weekday_of_month(today)]
        if "nth" in groups:
            return [self._day_of_a_month(int(groups["nth"]), today)]
        if "count" in groups:
            return self._counted(today)
        if any(name.startswith("end") for name in groups):
            return [self._end_of_month(today)]
        return list(self._weekday(today))

    def _day_of_a_month(self, day: int, today: date) -> date | None:
        shifts = (0,) if "this_month" in self._groups else (-1, 0, 1)
        shifts = (1,) if "next_month" in self._groups else shifts
        months = (divmod(today.year * 12 + today.month - 1 + shift, 12) for shift in shifts)
        return nearest_day((calendar_day(year, month + 1, day) for year, month in months), today)

    def _weekday_of_month(self, today: date) -> date | None:
        """Return "the third Thursday in December"; without a year, the next December."""
        groups = self._groups
        later = _months_later(today.replace(day=1), 1 if "next_month" in groups else 0)
        year, month = later.year, later.month
        if name := groups.get("of_month"):
            month = MONTHS[self._language][name]
            year = int(groups.get("year", today.year + (month < today.month)))
        first = date(year, month, 1)
        day = 1 + (WEEKDAYS[self._language][groups["weekday"]] - first.weekday()) % 7
        if "final" in groups:
            day += 7 * ((calendar.monthrange(year, month)[1] - day) // 7)
        return calendar_day(year, month, day + 7 * (int(groups.get("which", 1)) - 1))

    def _counted(self, today: date) -> list[date | None]:
        said = self._groups["count"]
        count = int(said) if said.isdecimal() else 1
        size, unit = UNITS[self._language][self._groups["unit"]]
        begin = self._anchor(today)
        counts = {count * size}
        if unit == "day" and size == 1 and (self._language, count) in _IDIOMS:
            counts.add(_IDIOMS[self._language, count])
        sign = -1 if "ago" in self._groups else 1
        if unit == "month":
            return [_months_later(begin, sign * min(each, _FARTHEST_MONTHS)) for each in counts]
        days = (sign * min(each, _FARTHEST_DAYS) for each in sorted(counts, reverse=True))
        return [begin + timedelta(days=each) for each in days]

    def _anchor(self, today: date) -> date:
        if anchor := self._groups.get("anchor"):
            return today + timedelta(days=NAMED[self._language][anchor])
        return next(iter(self._weekday(today))) if "weekday" in self._groups else today

    def _end_of_month(self, today: date) -> date:
        if name := self._groups.get("end_month"):
            month = MONTHS[self._language][name]
            return _last_day(today.year + (1 if month < today.month else 0), month)
        later = _months_later(today.replace(day=1), 1 if "end_next" in self._groups else 0)
        return _last_day(later.year, later.month)

    def _weekday(self, today: date) -> Iterable[date]:
        """Yield the days that a weekday can mean; the next one after today comes first."""
        groups = self._groups
        shift = WEEKDAYS[self._language][groups["weekday"]] - today.weekday()
        if "this_week" in groups or "next_week" in groups:
            yield today + timedelta(days=shift + (7 if "next_week" in groups else 0))
            return
        if "last" in groups:
            yield today - timedelta(days=(-shift - 1) % 7 + 1)
            return
        weeks = 7 if "week_on" in groups or groups.get("weeks_on") == "8" else 0
        weeks = 14 if groups.get("weeks_on") == "15" else weeks
        yield today + timedelta(days=(shift - 1) % 7 + 1 + weeks)
        if "next" in groups and shift > 0:
            # Some mean the coming one, some the one of the coming week.
            yield today + timedelta(days=shift + 7)


def _months_later(day: date, months: int) -> date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _last_day(year: int, month: int) -> date:
    return date(year, month, calendar.monthrange(year, month)[1])
