"""The words of a turn that say a value, and what else they can mean. Pure."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from analysis.fields import dates
from analysis.fields.dates import SpokenMoment
from analysis.results import FieldValue, Scalar
from analysis.said.inflection import inflected_words
from analysis.said.language import Language, language_of
from analysis.said.moments.clock import SpokenTime, times_said
from analysis.said.moments.days import SpokenDay, days_said
from analysis.said.moments.doubts import alternatives
from analysis.said.normal_form import words_that_say
from analysis.said.numbers import (
    SaidNumber,
    languages_counted_in,
    number_said,
    numbers_in,
    written_number,
)
from analysis.said.spelling.spelled import spelled_words
from analysis.said.stance.bounds import Bound, bound_said
from conversation.agent.criteria import ValueShape

_CODE = re.compile(r"0\d")
_LEAST = re.compile(
    r"\b(?:min(?:imum|imal)?|least|low(?:er|est)?|smallest|from|mindestens)\b", re.I
)
_MOST = re.compile(
    r"\b(?:max(?:imum|imal)?|most|upper|highest|largest|limit|up\s+to|höchstens)\b", re.I
)
_ANY_BOUND = re.compile(
    r"\b(?:about|around|approx\w*|rough(?:ly)?|estimat\w*|(?:more|less|fewer)\s+than|bound|threshold|"
    r"budget|ungefähr|etwa|environ|aproximad\w*)\b",
    re.IGNORECASE,
)

_LETTER_BEFORE = re.compile(
    r"(?:(?<!\w)(?!I\b)(?!A\s+$)[A-Z\u00c4\u00d6\u00dc]|\b[A-Za-z]\s+(?:wie|for|as\s+in|like|comme|come|de|"
    r"como)\s+[^\W\d_]+)[,.-]?\s+$"
)
_LOOK_CHARS = 32
_MANY_DIGITS = 6
_QUARTERS = frozenset({0.25, 0.5, 0.75})


@dataclass(frozen=True, slots=True)
class SaidValue:
    """Words that say a value."""

    words: str
    """Verbatim."""
    readings: tuple[Scalar, ...]
    """What they can mean; more than one where nobody can tell which."""

    @property
    def is_certain(self) -> bool:
        """Whether they can mean one thing only."""
        return len(self.readings) == 1


def said_as(
    text: str,
    value: FieldValue,
    *,
    shape: ValueShape | None = None,
    today: date | None = None,
    language: Language | None = None,
) -> SaidValue | None:
    """Return the words of `text` that say `value`, or may say it; None where none do.

    A number is said by its digits or its words; a text by itself, whatever its typography, by its
    singular or plural, or spelled as addresses and codes are spoken; a day or time of `shape` in
    any of the ways that can be read. A boolean has no words of its own.
    """
    if value is None or isinstance(value, (bool, list, dict)):
        return None
    language = language or language_of(text)
    if isinstance(value, (int, float)):
        return _number(text, value, language, shape)
    if shape is not None and shape.type in ("date", "time", "datetime"):
        said = [
            each for each in moments_said(shape, text, today, language) if value in each.readings
        ]
        return min(said, key=lambda each: len(each.readings), default=None)
    words, number = words_of_text(text, value, language), written_number(value)
    if words is not None and (number is None or _is_whole(text, words, number, language)):
        found = SaidValue(words, (value,))
        return None if number is not None and _is_spelled_on(text, found) else found
    said = None if number is None else _number(text, number, language, shape)
    # 007 is a code, and no seven.
    return None if said is None or _CODE.match(said.words) or _is_spelled_on(text, said) else said


def spoken_span(
    text: str,
    value: FieldValue,
    *,
    shape: ValueShape | None = None,
    today: date | None = None,
    language: Language | None = None,
) -> str | None:
    """Return the words of `text` that certainly say `value`, as they stand there; else None."""
    said = said_as(text, value, shape=shape, today=today, language=language)
    return said.words if said and said.is_certain else None


def is_text(value: FieldValue) -> bool:
    """Return whether a value is words, and no number even where its field is a text.

    Digits as many as a telephone number has stand for nothing else.
    """
    if not isinstance(value, str):
        return False
    return written_number(value) is None or (value.isdecimal() and len(value) >= _MANY_DIGITS)


def words_of_text(text: str, value: str, language: Language | None) -> str | None:
    """Return the words of `text` that are a text, a name, an address or a code; else None."""
    for words in dict.fromkeys((value, value.strip(" .,;:!?\"'"), value.replace("_", " "))):
        if words and (found := words_that_say(text, words)):
            return found
    if found := spelled_words(text, value, language):
        return found
    ends = {said.end for said in numbers_in(text, language)}
    languages = (language,) if language else tuple(languages_counted_in(text))
    for each in languages:
        if found := inflected_words(text, value, each, number_ends=ends):
            return found
    return None


def moments_said(
    shape: ValueShape, text: str, today: date | None, language: Language | None = None
) -> list[SaidValue]:
    """Return each day, time or moment said in `text`, as values in ISO 8601."""
    said: Sequence[SpokenDay | SpokenTime | SpokenMoment]
    if shape.type == "date":
        said = days_said(text, today, language)
    elif shape.type == "time":
        said = times_said(text, language)
    else:
        said = dates.moments_said(text, today, language)
    readings = [tuple(reading.isoformat() for reading in each.readings) for each in said]
    if shape.type != "datetime":
        for first, second in alternatives(text, cast("Sequence[SpokenDay | SpokenTime]", said)):
            both = readings[first] + readings[second]
            readings[first], readings[second] = both, both
    return [SaidValue(each.words, found) for each, found in zip(said, readings, strict=True)]


def answers_said(
    shape: ValueShape, text: str, *, today: date | None, language: Language | None
) -> Sequence[SaidValue]:
    """Return everything in `text` that has the form of a value of `shape`: a number, a moment."""
    if shape.type in ("integer", "number"):
        return [
            SaidValue(said.words, said.readings) for said in _told_numbers(text, language, shape)
        ]
    if shape.type in ("date", "time", "datetime"):
        return moments_said(shape, text, today, language)
    return ()


def _is_whole(text: str, words: str, number: float, language: Language | None) -> bool:
    """Return whether the words of a number are no part of another one, or of a time of day."""
    said = number_said(number, numbers_in(text, language))
    if said is not None and number_said(number, _own_numbers(text, language)) is None:
        return False
    return not _is_part_of_number(text, words, number)


def _is_part_of_number(text: str, words: str, number: float) -> bool:
    """Return whether every time that `words` are said they are part of another number."""
    numbers, start = numbers_in(text), text.find(words)
    while start >= 0:
        end = start + len(words)
        around = [
            said
            for said in numbers
            if said.start <= start and end <= said.end and len(said.words) > len(words)
        ]
        if not any(number not in said.readings for said in around):
            return False
        start = text.find(words, end)
    return True


def _is_spelled_on(text: str, said: SaidValue) -> bool:
    """Return whether digits are the end of a code that begins with letters: "K L M three nine"."""
    start = text.find(said.words)
    return _LETTER_BEFORE.search(text[max(0, start - _LOOK_CHARS) : start]) is not None


def _number(
    text: str, value: float, language: Language | None, shape: ValueShape | None
) -> SaidValue | None:
    said = number_said(value, _told_numbers(text, language, shape))
    if said is None:
        return None
    if said.is_end and shape is not None and _end_asked_for(shape, said.readings) == value:
        return SaidValue(said.words, (value,))
    return SaidValue(said.words, said.readings)


def _own_numbers(text: str, language: Language | None) -> list[SaidNumber]:
    """The numbers of a text that are no part of a time of day: not the ten of "half past ten"."""
    numbers = numbers_in(text, language)
    if not numbers:
        return []
    taken = {
        said
        for time in times_said(text, language)
        if all(reading.minute for reading in time.readings)
        for said in _in_words_beside(text, numbers, time.start, time.start + len(time.words))
    }
    return [said for said in numbers if said not in taken]


def _told_numbers(
    text: str, language: Language | None, shape: ValueShape | None
) -> list[SaidNumber]:
    """The numbers of a text that are no mere bound, unless `shape` is about one of that kind."""
    numbers = _own_numbers(text, language)
    if shape is None or shape.type not in ("integer", "number"):
        return numbers
    asked = _bounds_asked_for(shape)
    return [
        said
        for said in numbers
        if said.is_end or (bound_said(text, said.start, said.end) or "none") in (*asked, "none")
    ]


def _bounds_asked_for(shape: ValueShape) -> tuple[Bound, ...]:
    words = _about(shape)
    if _ANY_BOUND.search(words):
        return ("least", "most")
    least: tuple[Bound, ...] = ("least",) if _LEAST.search(words) else ()
    return (*least, "most") if _MOST.search(words) else least


def _in_words_beside(
    text: str, numbers: Sequence[SaidNumber], start: int, end: int
) -> list[SaidNumber]:
    """The numbers of a time that says more than them ("quarter to"); none of "ten thirty"."""
    inside = [said for said in numbers if start <= said.start and said.end <= end]
    rest = list(text[start:end])
    for said in inside:
        if not _QUARTERS.issuperset(said.readings):
            rest[said.start - start : said.end - start] = " " * (said.end - said.start)
    return inside if any(map(str.isalpha, rest)) else []


def _end_asked_for(shape: ValueShape, ends: Sequence[float]) -> float | None:
    """Return the end of a range that a field is about: "the highest price"."""
    words = _about(shape)
    least, most = bool(_LEAST.search(words)), bool(_MOST.search(words))
    return None if least == most else min(ends) if least else max(ends)


def _about(shape: ValueShape) -> str:
    about = f"{getattr(shape, 'field_id', '')} {getattr(shape, 'name', '')} {shape.description}"
    return about.replace("_", " ")
