"""Days and times of day as people say them. Pure: what today is, is an argument.

What can be read in two ways is not read at all: `3/4/2026` is no day, `at 3` is no time.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

_MONTHS = (
    *("january", "february", "march", "april", "may", "june", "july", "august", "september"),
    *("october", "november", "december"),
)
_MONTH_NUMBERS = {
    **{name: number for number, name in enumerate(_MONTHS, start=1)},
    **{name[:3]: number for number, name in enumerate(_MONTHS, start=1)},
    "sept": 9,
}
_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_COUNTS = {
    **{"a": 1, "an": 1, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6},
    **{"seven": 7, "eight": 8, "nine": 9, "ten": 10},
}

_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_NUMBERS, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?\b"
_YEAR = r"(?:,?\s+(?P<year>\d{4}))?\b"
_COUNT = rf"(?P<count>\d+|{'|'.join(_COUNTS)})"
_NTH = r"(?P<nth>\d{1,2})(?:st|nd|rd|th)\b"
_CONTINUED = "and|or|at|in|on|for|to|from|until|till|if|as|would|is|works|please"
_AFTER_A_DAY = rf"(?=\s*(?:[.,;:?!)]|$|\b(?:{_CONTINUED})\b))"
"""What follows "the 11th" where it is a day, and not the 11th of something."""
_DATE_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<year>\d{4})-(?P<month>\d{2})-(?P<day>\d{2})\b",
        rf"\b{_MONTH}\s+(?:the\s+)?{_DAY}{_YEAR}",
        rf"\b{_DAY}\s+(?:of\s+)?{_MONTH}{_YEAR}",
        r"\b(?P<day>\d{1,2})\.(?P<month>\d{1,2})\.(?P<year>\d{4})\b",
        r"\b(?P<first>\d{1,2})/(?P<second>\d{1,2})/(?P<year>\d{4})\b",
        r"\b(?P<named>day after tomorrow|day before yesterday|today|tonight|tomorrow|yesterday)\b",
        rf"\b(?P<weekday>{'|'.join(_WEEKDAYS)})(?:\s+of)?\s+(?P<week>this|next)\s+week\b",
        rf"\b(?P<past>last\s+)?(?:this\s+|next\s+|coming\s+)?(?P<weekday>{'|'.join(_WEEKDAYS)})\b",
        rf"\b{_NTH}\s+(?:of\s+)?(?P<which>this|next)\s+month\b",
        rf"\bthe\s+{_NTH}{_AFTER_A_DAY}",
        rf"\bin\s+{_COUNT}\s+(?P<unit>day|week)s?\b",
        rf"\b{_COUNT}\s+(?P<unit>day|week)s?\s+(?P<ago>ago)\b",
    )
)
_TIME_PATTERNS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        r"\b(?P<hour>\d{1,2})(?::(?P<minute>\d{2}))?\s*(?P<half>[ap])(?:m\b|\.\s?m\b\.?)",
        r"\b(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::\d{2})?\b(?!\s*[ap]\.?\s?m\b)",
        r"\b(?P<named>noon|midday|midnight)\b",
    )
)
_FARTHEST_DAYS = 36_500
_ANY_DAY = date(2000, 1, 10)
_NAMED_DAYS = {
    **{"today": 0, "tonight": 0, "tomorrow": 1, "yesterday": -1},
    **{"day after tomorrow": 2, "day before yesterday": -2},
}


class SpokenDay(NamedTuple):
    """A day that was said."""

    words: str
    """Verbatim."""
    value: date


class SpokenTime(NamedTuple):
    """A time of day that was said."""

    words: str
    value: time


def days_in(text: str, today: date | None) -> list[SpokenDay]:
    """Return the days said in `text`, in order.

    A day without a year or a month is the one nearest to `today`, a weekday the next one after it.
    Where `today` is not known, these and `tomorrow` are no days.
    """
    taken: list[tuple[int, int]] = []
    found: list[tuple[int, SpokenDay]] = []
    for pattern in _DATE_PATTERNS:
        for match in pattern.finditer(text):
            inside = any(match.start() < end and start < match.end() for start, end in taken)
            value = None if inside else _day(match.groupdict(), today)
            if value is not None:
                taken.append(match.span())
                found.append((match.start(), SpokenDay(match.group().strip(), value)))
    return [day for _, day in sorted(found)]


def day_words_in(text: str) -> list[str]:
    """Return the words of each day said in `text`, in order, whatever days they are."""
    return [day.words for day in days_in(text, _ANY_DAY)]


def is_day(text: str) -> bool:
    """Return whether `text` is a day, or a moment of one in ISO 8601, and nothing else."""
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return day_words_in(text) == [text.strip()]
    # Eight digits in a row are a number of something else.
    return "-" in text


def times_in(text: str) -> list[SpokenTime]:
    """Return the times of day said in `text`, in order. `3:30` counts as written, on 24 hours."""
    found: list[tuple[int, SpokenTime]] = []
    for pattern in _TIME_PATTERNS:
        for match in pattern.finditer(text):
            value = _time(match.groupdict())
            if value is not None:
                found.append((match.start(), SpokenTime(match.group().strip(), value)))
    return [spoken for _, spoken in sorted(found)]


def time_of(text: str) -> time | None:
    """Return the time of day that `text` is, and nothing else; `16:30:00` and `4:30 pm` are one."""
    try:
        return time.fromisoformat(text.strip()) if ":" in text else _only_time(text)
    except ValueError:
        return _only_time(text)


def _only_time(text: str) -> time | None:
    return next((each.value for each in times_in(text) if each.words == text.strip()), None)


def moments_in(text: str, today: date | None) -> Iterator[tuple[str, datetime]]:
    """Yield each pair of a day and a time that `text` says, with the words from one to other."""
    for day in days_in(text, today):
        for spoken in times_in(text):
            first, second = text.find(day.words), text.find(spoken.words)
            start = min(first, second)
            end = max(first + len(day.words), second + len(spoken.words))
            yield text[start:end], datetime.combine(day.value, spoken.value)


def _day(said: dict[str, str | None], today: date | None) -> date | None:
    if said.get("named") or said.get("weekday") or said.get("unit"):
        return None if today is None else _relative_day(said, today)
    if nth := said.get("nth"):
        return None if today is None else _day_of_a_month(int(nth), said.get("which"), today)
    first, second = said.get("first"), said.get("second")
    if first and second:
        return _slashed_day(int(first), int(second), int(said["year"] or 0))
    month = (said["month"] or "").casefold()
    month_number = int(month) if month.isdigit() else _MONTH_NUMBERS[month]
    day, year = int(said["day"] or 0), said.get("year")
    if year:
        return _calendar_day(int(year), month_number, day)
    if today is None:
        return None
    near = (_calendar_day(today.year + shift, month_number, day) for shift in (-1, 0, 1))
    return _nearest(near, today)


def _day_of_a_month(day: int, which: str | None, today: date) -> date | None:
    """Return the `day`th of this month or the next; without either, the one nearest to today."""
    shifts = {"this": (0,), "next": (1,)}.get((which or "").casefold(), (-1, 0, 1))
    months = (divmod(today.year * 12 + today.month - 1 + shift, 12) for shift in shifts)
    return _nearest((_calendar_day(year, month + 1, day) for year, month in months), today)


def _nearest(days: Iterable[date | None], today: date) -> date | None:
    known = (day for day in days if day is not None)
    return min(known, key=lambda day: abs(day - today), default=None)


def _relative_day(said: dict[str, str | None], today: date) -> date:
    if named := said.get("named"):
        return today + timedelta(days=_NAMED_DAYS[named.casefold()])
    if (weekday := said.get("weekday")) and (week := said.get("week")):
        shift = _WEEKDAYS.index(weekday.casefold()) - today.weekday()
        return today + timedelta(days=shift + (7 if week.casefold() == "next" else 0))
    if weekday:
        ahead = (_WEEKDAYS.index(weekday.casefold()) - today.weekday() - 1) % 7 + 1
        past = (today.weekday() - _WEEKDAYS.index(weekday.casefold()) - 1) % 7 + 1
        return today + timedelta(days=-past if said.get("past") else ahead)
    count = (said["count"] or "").casefold()
    days = (_COUNTS.get(count) or int(count)) * (
        7 if (said["unit"] or "").casefold() == "week" else 1
    )
    return today + timedelta(days=-min(days, 36_500) if said.get("ago") else min(days, 36_500))


def _slashed_day(first: int, second: int, year: int) -> date | None:
    """Return the one day that `first/second/year` can mean, if there is one only."""
    american, european = _calendar_day(year, first, second), _calendar_day(year, second, first)
    if american and european and american != european:
        return None
    return american or european


def _calendar_day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _time(said: dict[str, str | None]) -> time | None:
    if named := said.get("named"):
        return time(0) if named.casefold() == "midnight" else time(12)
    hour, minute = int(said["hour"] or 0), int(said.get("minute") or 0)
    if half := said.get("half"):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half.casefold() == "p" else 0)
    return time(hour, minute) if hour < 24 and minute < 60 else None
