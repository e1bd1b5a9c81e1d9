"""Dates as people and spreadsheets write them: 30.11.2026 09:15, 11/30/2026 9:15 PM, Nov 30, 2026.

Nothing is guessed: where day and month could be mistaken for each other, there is no date.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from itertools import product
from typing import Literal, cast

Order = Literal["day first", "month first", "year first"]

_ANY: frozenset[Order] = frozenset({"day first", "month first", "year first"})
_PARTS: dict[Order, tuple[str, str, str]] = {
    "day first": ("three", "two", "one"),
    "month first": ("three", "one", "two"),
    "year first": ("one", "two", "three"),
}
"""Where the year, the month and the day stand."""
_TIME = (
    r"(?:(?:,?\s+(?:at\s+|um\s+)?|T|,)(?P<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)"
    r"(?:\s?(?P<half>[AaPp])\.?[Mm]\.?)?(?:\s?Uhr)?)?"
    r"(?:\s?(?P<zone>Z|UTC|GMT|[+-]\d{2}:?\d{2}))?"
)
_DATE = re.compile(
    r"(?P<one>\d{1,4})(?P<between>[./-])(?P<two>\d{1,2})(?P=between)(?P<three>\d{4}|\d{1,2})"
    + _TIME
)
_NAMED = re.compile(
    r"(?:[^\W\d_]{2,12}\.?,?\s+)?"
    r"(?:(?P<day>\d{1,2})(?:\.|st|nd|rd|th)?[\s-]+(?:de\s+)?(?P<name>[^\W\d_]{3,12}\.?)"
    r"|(?P<first_name>[^\W\d_]{3,12}\.?)\s+(?P<second_day>\d{1,2})(?:st|nd|rd|th)?)"
    r",?(?:\s+de)?[\s-]+(?P<year>\d{4})" + _TIME
)
_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "pl", "cs", "sv", "da", "nb", "fi", "ru")
_LONGEST = 60
_WHOLE_YEAR = 4
_OTHER_CENTURY = 70


def order_of(texts: Iterable[str]) -> Order | None:
    """What the dates of one column begin with: day, month or short year; None where none tells.

    One date that can be read in one way alone tells for all of them; a column in which some can be
    read in the one way alone and some in the other tells nothing.
    """
    possible = _ANY
    for text in texts:
        possible &= _orders(text)
    return next(iter(possible)) if len(possible) == 1 else None


def looks_like_a_date(text: str) -> bool:
    """Whether `text` is made as a date of numbers, whether or not it can be read."""
    return len(text) <= _LONGEST and _DATE.fullmatch(text.strip()) is not None


def written_date(text: str, order: Order | None = None) -> datetime | None:
    """The moment that `text` writes, with its zone where it names one; None where it is unclear.

    Args:
        text: One date, with or without a time of day.
        order: Of its column, by `order_of` or because somebody says so.
    """
    plain = text.strip()
    if len(plain) > _LONGEST:
        return None
    found = _DATE.fullmatch(plain)
    if found is None:
        return _with_month_name(plain)
    if len(found["one"]) == _WHOLE_YEAR:
        return _moment(found, found["one"], found["two"], found["three"])
    possible = _ways(found) & ({order} if order else _orders(plain))
    read = {_in_order(found, way) for way in possible}
    return read.pop() if len(read) == 1 else None


def _orders(text: str) -> frozenset[Order]:
    """In which ways the date can be read; all for what tells none."""
    found = _DATE.fullmatch(text.strip())
    if found is None or len(found["one"]) == _WHOLE_YEAR:
        return _ANY
    is_short = len(found["three"]) != _WHOLE_YEAR
    if is_short and _ends_with_a_year(found):
        return frozenset({"day first" if found["between"] == "." else "month first"})
    read: dict[Order, datetime | None] = {way: _in_order(found, way) for way in _ways(found)}
    if len(read) > 1 and len(set(read.values())) == 1 and None not in read.values():
        # 05/05/2026 says nothing of the others.
        return _ANY
    return frozenset(way for way, moment in read.items() if moment is not None)


def _ways(found: re.Match[str]) -> frozenset[Order]:
    """In which orders people write such numbers."""
    ways = set[Order]()
    if len(found["three"]) > 1:
        ways.add("day first")
        # Nobody who writes points puts the month first.
        if found["between"] != ".":
            ways.add("month first")
    # A year has two digits at least, and four stand last only where they are the year.
    if len(found["one"]) > 1 and len(found["three"]) != _WHOLE_YEAR:
        ways.add("year first")
    return frozenset(ways)


def _in_order(found: re.Match[str], way: Order) -> datetime | None:
    year, month, day = (found[name] for name in _PARTS[way])
    if len(year) == _WHOLE_YEAR:
        return _moment(found, year, month, day)
    # Which century a later one is of is not told.
    return _moment(found, f"20{year}", month, day) if int(year) < _OTHER_CENTURY else None


def _ends_with_a_year(found: re.Match[str]) -> bool:
    """Whether the last of three short numbers is the year: `28.05.26`, or `5/28/26`."""
    one, two = int(found["one"]), int(found["two"])
    # Nobody is sure of 30.11.26 alone; a message with a time of day is of this century.
    return (
        bool(found["time"])
        and len(found["three"]) == 2
        and (found["between"] == "." or (found["between"] == "/" and one <= 12 < two))
    )


def _moment(found: re.Match[str], year: str, month: str, day: str) -> datetime | None:
    hour, minute, second = (*(found["time"] or "0:00").split(":"), "0")[:3]
    hours = int(hour)
    if found["half"]:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + (12 if found["half"] in "Pp" else 0)
    zone = {"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00", None: ""}.get(
        found["zone"], found["zone"]
    )
    with suppress(ValueError):
        return datetime.fromisoformat(
            f"{int(year):04}-{int(month):02}-{int(day):02}T{hours:02}:{minute}:{float(second):09.6f}"
            f"{zone}"
        )
    return None


def _with_month_name(text: str) -> datetime | None:
    """`Nov 30, 2026 9:15 AM`, `30. November 2026`: the day and the year are written out."""
    found = _NAMED.fullmatch(text)
    if found is None:
        return None
    name = (found["name"] or found["first_name"]).casefold().rstrip(".")
    month = _months().get(name)
    if month is None:
        return None
    return _moment(found, found["year"], str(month), found["day"] or found["second_day"])


@cache
def _months() -> dict[str, int]:
    """Numbers of months by their names; a name of two months in two languages is left out."""
    from babel.dates import get_month_names

    found: dict[str, set[int]] = {}
    for language, width, context in product(
        _LANGUAGES, ("wide", "abbreviated"), ("format", "stand-alone")
    ):
        names = cast(Mapping[int, str], get_month_names(width, context, language))
        for number, name in names.items():
            found.setdefault(name.casefold().rstrip("."), set()).add(number)
    return {name: min(numbers) for name, numbers in found.items() if len(numbers) == 1}
