"""Days, times and moments that are certain, and those that can be two. Pure.

What can be read in two ways is no day here: `3/4/2026`. `moments_said` keeps both readings.
"""

from collections.abc import Sequence
from datetime import date, datetime, time
from itertools import pairwise, product
from typing import NamedTuple

from analysis.said.language import Language
from analysis.said.moments.clock import SpokenTime, times_said
from analysis.said.moments.days import SpokenDay, days_said
from analysis.said.moments.doubts import are_named_together

_ANY_DAY = date(2000, 1, 10)


class SpokenMoment(NamedTuple):
    """A day with a time that belongs to it."""

    words: str
    """Verbatim, from one to the other."""
    readings: tuple[datetime, ...]
    """What it can mean."""


def days_in(text: str, today: date | None, language: Language | None = None) -> list[SpokenDay]:
    """Return the days said in `text` that can be one day only, in order."""
    return [day for day in days_said(text, today, language) if len(day.readings) == 1]


def day_words_in(text: str) -> list[str]:
    """Return the words of each day said in `text`, in order, whatever days they are."""
    return [day.words for day in days_said(text, _ANY_DAY) if day.readings]


def is_day(text: str) -> bool:
    """Return whether `text` is a day, or a moment of one in ISO 8601, and nothing else."""
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return day_words_in(text) == [text.strip()]
    # Eight digits in a row are a number of something else.
    return "-" in text


def times_in(text: str, language: Language | None = None) -> list[SpokenTime]:
    """Return the times of day said in `text` that can be one time only, in order."""
    return [spoken for spoken in times_said(text, language) if len(spoken.readings) == 1]


def time_of(text: str) -> time | None:
    """Return the time of day that `text` is, and nothing else; `16:30:00` and `4:30 pm` are one."""
    try:
        return time.fromisoformat(text.strip()) if ":" in text else _only_time(text)
    except ValueError:
        return _only_time(text)


def _only_time(text: str) -> time | None:
    return next((each.value for each in times_in(text) if each.words == text.strip()), None)


def moments_said(
    text: str, today: date | None, language: Language | None = None
) -> list[SpokenMoment]:
    """Return the moments said in `text`: each time with the day that stands nearest to it."""
    days = [day for day in days_said(text, today, language) if day.readings]
    times = times_said(text, language)
    pairs = [(_nearest_day(spoken, days), spoken) for spoken in times] if days else []
    # "Tuesday or Friday at three": the time is meant of both.
    paired = {day.start for day, _ in pairs}
    alone = [
        day
        for day, after in pairwise(days)
        if day.start not in paired and are_named_together(text, day, after)
    ]
    pairs += [(day, times[0]) for day in alone if len(times) == 1]
    return [
        _moment(text, day, spoken)
        for day, spoken in sorted(pairs, key=lambda pair: (pair[0].start, pair[1].start))
    ]


def _nearest_day(spoken: SpokenTime, days: Sequence[SpokenDay]) -> SpokenDay:
    def distance(day: SpokenDay) -> int:
        if day.start < spoken.start:
            return spoken.start - day.start - len(day.words)
        return day.start - spoken.start - len(spoken.words)

    return min(days, key=distance)


def _moment(text: str, day: SpokenDay, spoken: SpokenTime) -> SpokenMoment:
    start = min(day.start, spoken.start)
    end = max(day.start + len(day.words), spoken.start + len(spoken.words))
    readings = (datetime.combine(*pair) for pair in product(day.readings, spoken.readings))
    return SpokenMoment(text[start:end], tuple(dict.fromkeys(readings)))
