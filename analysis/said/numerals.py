"""Numbers in digits, and the values that each can have. Pure.

`1.500` is fifteen hundred in German and one and a half in English: where the language is not
known, both are readings of it. What is a day, a time, a version or a telephone number is none.
"""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

from analysis.said.language import Language


@dataclass(frozen=True, slots=True)
class SaidNumber:
    """A number that was said."""

    start: int
    words: str
    """Verbatim."""
    readings: tuple[float, ...]
    """What it can mean: one value where that is certain, none where code cannot tell."""
    digits: str = ""
    """Digit by digit, where it was said so."""
    is_end: bool = False
    """Whether it is one end of a range, or one of two numbers that were said as alternatives."""

    @property
    def end(self) -> int:
        """Where its words end."""
        return self.start + len(self.words)


_SPACES = " \u00a0\u202f\u2009"
_DIGITAL = re.compile(
    rf"(?:(?<![^\s(])[-+\u2212](?:[$€£¥]\s?)?(?=\d))?"
    rf"(?<![\w.,/:@])(?<!\w-)(?>[1-9]\d{{0,2}}(?:[{_SPACES}]\d{{3}}){{1,5}}(?![{_SPACES}]?\d)(?:[.,]\d+)?"
    rf"|\d+(?:[.,'\u2019/:-]\d+)*)"
    rf"(?:[{_SPACES}]?[\u00bc-\u00be\u2153\u2154]|[kKmM](?!\w)|(?:bn|BN)(?!\w)|(?!s\b)(?=[^\W\d_]+\b))?"
    rf"(?:(?!\w)|(?!s\b)(?=[^\W\d_]+\b))(?!['\u2019]s\b)"
    rf"|(?<!\w)[\u00bc-\u00be\u2153\u2154]"
)
_SCIENTIFIC = re.compile(
    r"(?<![\w.,])(?P<factor>[-\u2212]?\d+(?:[.,]\d+)?)[eE](?P<letter>[-+]?\d{1,3})(?!\w)|"
    r"(?<![\w.,])(?:(?P<factor_>[-\u2212]?\d+(?:[.,]\d+)?)\s?[x\u00d7\u00b7*]\s?)?10(?:\^\s?\(?(?P<caret>[-+\u2212]?\d{1,3})\)?|"
    r"(?P<raised>[\u207b\u207a]?[\u2070\u00b9\u00b2\u00b3\u2074-\u2079]{1,3}))(?!\w)"
)
"""1e6, 2.5 x 10^6, 10\u2076."""
_RAISED = str.maketrans(
    "\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079\u207b\u207a", "0123456789-+"
)
_INDIAN = r"\d{1,2}(?:,\d{2})+,\d{3}"
"""Lakh and crore: 12,34,567."""
_PLAIN = re.compile(r"\d+")
_VULGAR = {"\u00bc": 0.25, "\u00bd": 0.5, "\u00be": 0.75, "\u2153": 1 / 3, "\u2154": 2 / 3}
_SUFFIXES = {"k": 1e3, "m": 1e6, "bn": 1e9}
_FRACTIONS = {"1/2": 0.5, "1/3": 1 / 3, "2/3": 2 / 3, "1/4": 0.25, "3/4": 0.75}
MOST_DIGITS = 18
"""Longer ones are numbers of something, and no amounts."""


def numerals_in(text: str, language: Language | None) -> Iterator[SaidNumber]:
    """Yield what is written in digits; powers of ten first, and else in order."""
    powers = [*_SCIENTIFIC.finditer(text)]
    for found in powers:
        yield SaidNumber(found.start(), found.group(), _scientific(found))
    for found in _DIGITAL.finditer(text):
        if any(power.start() <= found.start() < power.end() for power in powers):
            continue
        words = found.group().rstrip(_SPACES)
        yield _read(found.start(), words, text, language)


def _scientific(found: re.Match[str]) -> tuple[float, ...]:
    power = found["letter"] or found["caret"] or found["raised"].translate(_RAISED)
    factor = (found["factor"] or found["factor_"] or "1").replace(",", ".").replace("\u2212", "-")
    value = float(f"{factor}e{power.replace(chr(0x2212), '-')}")
    return (value,) if math.isfinite(value) else ()


def _read(start: int, words: str, text: str, language: Language | None) -> SaidNumber:
    body = words.lstrip("-+\u2212" + _SPACES)
    priced = body[:1] in "$€£¥" or text[max(0, start - 1) : start] in tuple("$€£¥")
    body = body.lstrip("$€£¥" + _SPACES)
    vulgar = _VULGAR.get(body[-1:], 0.0)
    body = body[:-1].rstrip(_SPACES) if vulgar else body
    suffix = re.search(r"[A-Za-z]+$", body)
    body = body[: suffix.start()] if suffix else body
    readings = readings_of(body, language) if body else (0.0,)
    if suffix:
        scale = _SUFFIXES[suffix.group().casefold()]
        scaled = tuple(reading * scale for reading in readings)
        # "1.5m" may be metres.
        in_metres = suffix.group() == "m" and not priced
        readings = scaled + readings if in_metres else scaled
    sign = -1 if words[:1] in ("-", "\u2212") else 1
    digits = re.sub(r"\D", "", body) if re.fullmatch(rf"[\d{_SPACES}-]+", body) else ""
    return SaidNumber(start, words, tuple(sign * (each + vulgar) for each in readings), digits)


def readings_of(numeral: str, language: Language | None) -> tuple[float, ...]:
    """Return the values that digits with separators can have, the likeliest first."""
    if numeral in _FRACTIONS:
        return (_FRACTIONS[numeral],)
    if re.fullmatch(r"\d{1,3}-\d{1,3}", numeral):
        # A range: either end of it.
        return tuple(float(end) for end in numeral.split("-"))
    plain = re.sub(rf"[{_SPACES}'\u2019](?=\d{{3}})", "", numeral)
    if not re.fullmatch(r"[\d.,]+", plain) or len(plain) > MOST_DIGITS:
        return ()
    marks = re.sub(r"\d", "", plain)
    if not marks:
        return (float(plain),)
    if len(set(marks)) == 2:
        return _with_both_marks(plain)
    return _with_one_mark(plain, marks, language, grouped=plain != numeral)


def _with_both_marks(plain: str) -> tuple[float, ...]:
    last = max(plain.rfind("."), plain.rfind(","))
    whole, fraction = plain[:last], plain[last + 1 :]
    group = "," if plain[last] == "." else "."
    if not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(group)}\d{{3}})+|{_INDIAN}", whole):
        return ()
    return (float(f"{whole.replace(group, '')}.{fraction}"),)


def _with_one_mark(
    plain: str, marks: str, language: Language | None, *, grouped: bool
) -> tuple[float, ...]:
    mark = marks[0]
    in_groups = re.fullmatch(rf"[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+", plain) is not None
    whole = (float(plain.replace(mark, "")),) if in_groups and not grouped else ()
    if re.fullmatch(_INDIAN, plain):
        return (float(plain.replace(mark, "")),)
    if len(marks) > 1:
        return whole
    decimal = (float(plain.replace(mark, ".")),)
    if not whole:
        return decimal
    if language is None or (language, mark) in _EITHER:
        return whole + decimal
    return whole if (language, mark) in _GROUPING else decimal


_GROUPING = {("en", ","), ("de", "."), ("es", ".")}
_EITHER = {("fr", "."), ("fr", ","), ("es", ",")}
"""Both are in use: 1,500 in Mexico is 1.500 in Spain."""


def is_plain(said: SaidNumber) -> bool:
    """Return whether a number is digits and nothing else."""
    return _PLAIN.fullmatch(said.words) is not None
