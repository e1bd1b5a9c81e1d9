"""Times of day as people say them, in digits or in words. Pure.

What is said on twelve hours is read by what people do by day: `half past three` is in the
afternoon, `half past eight` can be either, and `at 3` alone is no time.
"""

import re
from collections.abc import Iterator, Mapping, Sequence, Set
from datetime import time
from functools import lru_cache
from typing import NamedTuple

from analysis.said.language import Language, language_of
from analysis.said.moments.digitised import digitised
from analysis.said.moments.other_scripts import times_of_other_scripts, touched
from analysis.said.normal_form import Folded
from analysis.said.number_words import languages_tried

_HOUR, _MINUTE = r"(?P<hour>\d{1,2})", r"(?P<minute>[0-5]\d|0 \d)"
_BEFORE, _AFTER = r"(?<![\w.,:/-])", r"(?![\w:/-])(?!\.\d)"
_PARTS = {
    "am": r"am\b|a\.\s?m\b\.?|in the morning|this morning|tomorrow morning|morgens|vormittags|früh|"
    r"am morgen|am vormittag|du matin|de la mañana|de la madrugada|por la mañana",
    "pm": r"pm\b|p\.\s?m\b\.?|in the afternoon|this afternoon|tomorrow afternoon|in the evening|"
    r"this evening|tomorrow evening|at night|tonight|nachmittags|abends|am nachmittag|am abend|"
    r"heute abend|nachts|in der nacht|mittags|am mittag|de la nuit|de l'après-midi|du soir|"
    r"ce soir|de la tarde|de la noche|por la tarde|esta tarde|esta noche",
}
_PART = rf"(?:\s*,?\s?(?:(?P<am>{_PARTS['am']})|(?P<pm>{_PARTS['pm']})))"
_PART_BEFORE = re.compile(
    r"(?:(?P<am>\bmorning|\bvormittag|\bmorgen früh|(?<!de )\bla mañana|\bmatin)|"
    r"(?P<pm>\b(?:afternoon|evening|tonight|nachmittag|abend|soir|après-midi|tarde|noche)))"
    r"\s*,?\s*(?:at|around|about|by|um|gegen|ab|à|vers|a\s+las?)?\s*$"
)
_NIGHT = re.compile(r"night|nacht|nuit|noche")
_LAST_HOUR_OF_NIGHT = 4
_FIRST_HOUR_OF_NOON = 10
_RANGE_BEFORE = re.compile(
    r"(?<![\w.,:/-])(?P<hour>\d{1,2})(?:[:.](?P<minute>[0-5]\d))?\s*"
    r"(?:-|\b(?:and|to|or|until|till|und|bis|oder|et|ou|à|y|a|o)\b)\s*(?:las?\s+)?$"
)
_HALF_BEFORE = re.compile(r"\b(?:half|halv|halb)\s+$")
_FIRST_NUMBER = re.compile(r"\d{1,2}")
_LOOK_CHARS = 40
_QUARTERS = {
    **{"quarter": 15, "viertel": 15, "quart": 15, "cuarto": 15},
    **{"half": 30, "demie": 30, "demi": 30, "media": 30},
}


class SpokenTime(NamedTuple):
    """A time of day that was said."""

    words: str
    """Verbatim."""
    readings: tuple[time, ...]
    """What it can mean."""
    start: int
    """Where it stands in the text."""

    @property
    def value(self) -> time:
        """The time, where there is one only."""
        return self.readings[0]


def times_said(text: str, language: Language | None = None) -> list[SpokenTime]:
    """Return the times of day said in `text`, in order, those too that can be two."""
    language = language or language_of(text)
    plain = digitised(text, language)
    taken = [False] * (len(plain.text) + 1)
    found: list[SpokenTime] = []
    for pattern in _patterns(language):
        for match in pattern.finditer(plain.text):
            start, end = match.span()
            if any(taken[start:end]):
                continue
            readings = tuple(_readings(match, plain.text, language))
            if readings:
                taken[start:end] = [True] * (end - start)
                first, last = plain.span(start, end)
                found.append(SpokenTime(text[first:last].strip(), readings, first))
                found += _begin_of_range(text, plain, match, readings)
    others = list(times_of_other_scripts(text))
    # They say more than the digits alone: "в 3:30 дня" is no time in the morning.
    marks = touched(text, ((each.start, each.end - each.start) for each in others))
    found = [each for each in found if not any(marks[each.start : each.start + len(each.words)])]
    for other in others:
        words = text[other.start : other.end].strip()
        found.append(SpokenTime(words, other.times, other.start))
    return sorted(found, key=lambda spoken: spoken.start)


def _begin_of_range(
    text: str, plain: Folded, match: re.Match[str], ends: Sequence[time]
) -> Iterator[SpokenTime]:
    """Yield the time that a range begins with: "between 3 and 4 pm" names both."""
    before = _RANGE_BEFORE.search(plain.text[max(0, match.start() - _LOOK_CHARS) : match.start()])
    named = _FIRST_NUMBER.search(match.group())
    if before is None or named is None or ("quarter" in match.groupdict() and match["quarter"]):
        return
    begin = int(before["hour"]) * 60 + int(before["minute"] or 0)
    if begin > 24 * 60:
        return
    on_24 = int(named.group()) > 12 or int(before["hour"]) > 12
    readings = tuple(
        _clock(begin if on_24 else end - (end - begin) % 720)
        for end in (each.hour * 60 + each.minute for each in ends)
    )
    shift = max(0, match.start() - _LOOK_CHARS)
    last = before.start() + len((before["minute"] and before.group().split()[0]) or before["hour"])
    start, end = plain.span(shift + before.start(), shift + last)
    yield SpokenTime(text[start:end], tuple(dict.fromkeys(readings)), start)


def _english() -> tuple[str, ...]:
    return (
        rf"\b(?P<quarter>half|quarter|\d{{1,2}}(?:\s+minutes)?)\s+(?P<past>past|after)\s+{_HOUR}"
        rf"(?:\s+o'clock)?{_AFTER}{_PART}?",
        rf"\b(?:(?P<range>from|between|open|need)\s+)?(?:a\s+)?(?P<quarter>quarter|"
        rf"\d{{1,2}}\s+minutes|(?:5|10|20|25))\s+(?P<to>to|of|before|til)\s+"
        rf"{_HOUR}(?:\s+o'clock)?{_AFTER}(?!\s+(?:people|of|\d)){_PART}?",
        rf"\b(?:(?P<am>morning)|(?P<pm>afternoon|evening|tonight))\s*,?\s+(?:at|around|by)\s+"
        rf"{_HOUR}{_AFTER}(?!\s?(?:\d|[ap]\.?m|o'clock))",
        rf"{_BEFORE}{_HOUR}\s+o'clock{_PART}?",
        # On a clock of 24 hours, and no sum of hours: "at 1730 hours", "0730 hours".
        rf"(?:^\W*|\b(?:at|by|until|till|from|before|after|around)\s+|(?=\b0\d)){_BEFORE}"
        r"(?P<hour>[01]\d|2[0-4])(?P<minute>[0-5]\d)\s+(?P<written>hours|hrs)\b(?!\s+(?:of|a|per|each)\b)",
        rf"\b(?:at|by|until|till|from|before|after|around)\s+{_HOUR} {_MINUTE}{_AFTER}{_PART}?",
        r"\b(?P<quarter>half|quarter|\d{1,2}(?:\s+minutes)?)\s+(?:(?P<past>past|after)|"
        r"(?P<to>to|before))\s+(?:(?P<noon>noon|midday)|(?P<midnight>midnight))\b",
        r"\b(?P<noon>noon|midday)\b",
        r"\b(?P<midnight>midnight)\b",
    )


_BRITISH_HALF = (
    rf"\b(?P<quarter>half)\s+{_HOUR}{_AFTER}{_PART}?(?=\s*(?:$|[.,;!?]|(?:please|today|tomorrow|on|for|or|then|"
    r"instead|would|is|works)\b))"
)
"""`half seven` is half past seven, where English is spoken: a German one would say "half past"."""


def _german() -> tuple[str, ...]:
    hour = rf"(?:{_HOUR}|(?P<one>eins?))"
    return (
        rf"\b(?P<minutes>\d{{1,2}})\s+(?:(?P<to>vor)|(?P<past>nach))\s+(?P<german_half>halb)\s+{hour}"
        rf"(?!\w){_PART}?",
        rf"\b(?P<german_half>halb)\s+{hour}(?!\w){_PART}?",
        rf"\bdrei(?P<three_quarters>viertel)\s+{hour}(?!\w){_PART}?",
        rf"\b(?P<quarter>viertel|\d{{1,2}})\s+(?:minuten\s+)?(?:(?P<past>nach)|(?P<to>vor))\s+{hour}"
        rf"(?!\w)(?:\s+uhr)?{_PART}?",
        rf"{_BEFORE}(?:{_HOUR}|(?P<one>ein))\s?(?P<formal>uhr)(?:\s+{_MINUTE}(?!\w))?{_PART}?",
        rf"{_BEFORE}{_HOUR}[.:]{_MINUTE}\s?(?P<formal>uhr)\b{_PART}?",
        r"\b(?P<noon>zwölf uhr mittags|12 uhr mittags|mittags um zwölf|mittags um 12)\b",
        r"\b(?P<quarter>viertel|\d{1,2})\s+(?:minuten\s+)?(?:(?P<past>nach)|(?P<to>vor))\s+"
        r"(?P<midnight>mitternacht)\b",
        r"\b(?P<midnight>mitternacht)\b",
    )


def _french() -> tuple[str, ...]:
    hour = rf"(?:{_HOUR}|(?P<one>une))"
    heures = r"\s?(?:heures?|h)\b"
    return (
        r"\b(?:(?P<noon>midi)|(?P<midnight>minuit))\s+(?:et\s+(?P<quarter>demie?|quart)|"
        rf"(?P<to>moins)\s+(?:le\s+)?(?P<less>quart|\d{{1,2}})|{_MINUTE})(?!\w)",
        rf"{_BEFORE}{hour}{heures}\s+(?:et\s+(?P<quarter>demie?|quart)|(?P<to>moins)\s+(?:le\s+)?"
        rf"(?P<less>quart|\d{{1,2}}))(?!\w){_PART}?",
        rf"{_BEFORE}{_HOUR}\s?h\s?{_MINUTE}(?!\w){_PART}?",
        rf"{_BEFORE}{hour}\s?(?P<formal>heures?)\s+{_MINUTE}(?!\w){_PART}?",
        rf"\b(?:à|vers|dès|avant|après)\s+{hour}\s?(?P<formal>heures?|h)\b(?!\d){_PART}?",
        rf"{_BEFORE}{hour}\s?(?P<formal>heures?|h)\b{_PART}",
        rf"{_BEFORE}(?P<hour>1[3-9]|2[0-4])\s?(?P<formal>heures?|h)\b",
        r"\b(?P<noon>midi)\b(?<!après-midi)",
        r"\b(?P<midnight>minuit)\b",
    )


def _spanish() -> tuple[str, ...]:
    hour = rf"(?:las\s+{_HOUR}|la\s+(?P<one>una))"
    return (
        rf"\b{hour}\s+(?:y\s+(?P<quarter>media|cuarto|\d{{1,2}})|(?P<to>menos)\s+"
        rf"(?P<less>cuarto|\d{{1,2}}))(?!\w){_PART}?",
        rf"\b{hour}(?:[:.]{_MINUTE})?(?![\w:.]\d)(?!\w)(?:\s+(?:horas|en\s+punto))?{_PART}?",
        r"\b(?P<noon>mediodía)\b",
        r"\b(?P<midnight>medianoche)\b",
    )


@lru_cache(maxsize=8)
def _patterns(language: Language | None) -> tuple[re.Pattern[str], ...]:
    own = {"en": _english, "de": _german, "fr": _french, "es": _spanish}
    spoken = [pattern for tried in languages_tried(language) for pattern in own[tried]()]
    if language == "en":
        spoken.insert(0, _BRITISH_HALF)
    written = rf"{_BEFORE}{_HOUR}:{_MINUTE}(?P<seconds>:[0-5]\d)?(?![\w:/-])(?P<written>){_PART}?"
    halved = rf"{_BEFORE}{_HOUR}(?:[:. ]{_MINUTE})?(?:-?ish)?{_PART}"
    return tuple(re.compile(pattern) for pattern in (*spoken, halved, written))


def _readings(match: re.Match[str], text: str, language: Language | None) -> Iterator[time]:
    groups = {name: value for name, value in match.groupdict().items() if value is not None}
    minutes = _minutes(groups)
    if minutes is None or "range" in groups:
        return
    if "noon" in groups or "midnight" in groups:
        yield _clock((12 if "noon" in groups else 0) * 60 + minutes)
        return
    if _HALF_BEFORE.search(text[max(0, match.start() - _LOOK_CHARS) : match.start()]):
        # Half before or half past it, by the language.
        return
    hour = 1 if "one" in groups else int(groups["hour"])
    before = _PART_BEFORE.search(text[max(0, match.start() - _LOOK_CHARS) : match.start()])
    part = {name for name, value in (before.groupdict() if before else {}).items() if value}
    for each in _hours(hour, groups.keys() | part, groups, language=language):
        seconds = int(groups.get("seconds", ":0")[1:])
        yield _clock(each * 60 + minutes).replace(second=seconds)


def _minutes(groups: dict[str, str]) -> int | None:
    """Return the minutes after the full hour that is named, which may be negative."""
    if "three_quarters" in groups:
        return -15
    if "german_half" in groups:
        shift = int(groups.get("minutes", "0"))
        return -30 + (-shift if "to" in groups else shift)
    said = groups.get("quarter") or groups.get("less") or groups.get("minute") or "0"
    word = said.replace("0 ", "0").split()[0]
    minutes = _QUARTERS[word] if word in _QUARTERS else int(word)
    if minutes >= 60:
        return None
    return -minutes if "to" in groups else minutes


def _hours(
    hour: int, parts: Set[str], groups: Mapping[str, str], *, language: Language | None
) -> tuple[int, ...]:
    """Return the hours on 24 that an hour can be, by the part of the day and how it was said."""
    if hour > 24 or (hour > 12 and ("am" in parts or groups.get("pm", "")[:1] == "p")):
        return ()
    if hour in (0, 24) or hour > 12:
        return (hour % 24,)
    late = groups.get("pm", "")
    if _NIGHT.search(late) and (hour == 12 or hour <= _LAST_HOUR_OF_NIGHT):
        return (hour % 12,)
    if "mittag" in late.removeprefix("nach") and "nach" not in late and hour >= _FIRST_HOUR_OF_NOON:
        return (hour,)
    if parts & {"am", "pm"}:
        return (hour % 12 + (12 if "pm" in parts else 0),)
    if "written" in groups:
        # On 24 hours, but in English the small ones are mostly said of the afternoon.
        on_twelve = language in ("en", None) and hour < 7 and groups["hour"][0] != "0"
        return (hour, hour + 12) if on_twelve else (hour,)
    if "formal" in groups:
        return (hour, hour + 12) if hour < 7 else (hour,)
    if hour < 7:
        return (hour + 12,)
    return (12,) if hour == 12 else (hour, hour + 12)


def _clock(minutes: int) -> time:
    minutes %= 24 * 60
    return time(minutes // 60, minutes % 60)
