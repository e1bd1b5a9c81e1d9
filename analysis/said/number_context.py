"""What stands beside a number and changes it: a decimal point, `million`, `minus`, cents. Pure."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from analysis.said.fractions import with_fractions
from analysis.said.number_doubts import doubted
from analysis.said.number_words import scale_of
from analysis.said.numerals import SaidNumber

_POINT = re.compile(r"\s+(?:point|komma|virgule|coma|punto|comma)\s+", re.IGNORECASE)
_POINT_BEFORE = re.compile(r"\b(?:point|komma|virgule|coma)\s+$", re.IGNORECASE)
_HALF = re.compile(
    r"[\s-]+(?:(?!and\b|et\b|y\b)[^\W\d_]+\s+)?"
    r"(?:and[\s-]+(?:an?|one)[\s-]+half|et[\s-]+demie?|y[\s-]+medi[ao])\b",
    re.IGNORECASE,
)
_ONE_AND_A_HALF = re.compile(
    r"\b(?:(?:an?|one)\s+[^\W\d_]+\s+and\s+a\s+half|une?\s+[^\W\d_]+\s+et\s+demie?|"
    r"(?:una?\s+)?(?:hora|día|año|mes|kilo|litro|semana)\s+y\s+medi[ao])\b",
    re.IGNORECASE,
)
_QUARTERS = re.compile(
    r"\s+and\s+(?:(?:a|one)|(?P<several>two|three))\s+(?P<part>quarter|third)s?\b", re.IGNORECASE
)
_LAKH_END = re.compile(r"\b(?:lakhs?|crores?)$", re.IGNORECASE)
_ADDED = re.compile(r"\s+(?:and\s+)?")
_DOZEN = re.compile(
    r"\b(?:(?:an?|one|ein|une|una)\s+)?(?:dozen|Dutzend|douzaine|docena)\b", re.IGNORECASE
)
_HALF_BEFORE = re.compile(
    r"\b(?:half(?:\s+of)?|ein\s+halbes|(?:eine\s+)?halbe|un\s+demi-?|une\s+demi-?|medio|media)\s*$",
    re.IGNORECASE,
)
_NEXT_WORD = re.compile(r"\s+(?P<word>[^\W\d_]+)\.?")
_MINUS = re.compile(r"(?<![\w-])(?:minus|negative|moins|menos)\s+$", re.IGNORECASE)
_NO_MINUS = re.compile(
    r"(?:\d|\b(?:au|al|lo|por|pas|du|de|more|or|plus|más|zero|ten|und|false))\s+(?:minus|negative|"
    r"moins|menos)\s+$",
    re.IGNORECASE,
)
_BELOW_ZERO = re.compile(
    r"\s*(?:(?:degrees?|grad|degrés|grados|°\s?[CF]?)\s+)?"
    r"(?:below(?:\s+(?:zero|freezing))?|unter\s+null|sous\s+zéro|en\s+dessous\s+de\s+zéro|bajo\s+cero)\b",
    re.IGNORECASE,
)
_UNITS = r"(?:dollars?|bucks|euros?|pounds?|quid|francs?|franken|pesos?|(?:us)?d|€|\$|£|eur|chf)"
_BETWEEN_MONEY = re.compile(
    rf"\s*(?P<unit>{_UNITS})?\s*(?P<link>and|und|et|con|y|,)?\s*", re.IGNORECASE
)
_CENTS = re.compile(
    r"\s*(?:cents?|pence|pennies|centimes?|céntimos?|centavos?|rappen|p(?!\w|\.?\s?m\b)|¢)",
    re.IGNORECASE,
)
_CLOSES = re.compile(r"\s*(?:$|[.,;!?]|(?:for|in|and|per|each|on|at|please|pro|für|le|el)\b)", re.I)
_LOOK_CHARS = 48


def in_context(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Return `numbers`, in order of the text, each with what stands around it taken in."""
    found = [_signed(text, _scaled(text, said)) for said in _with_points(text, numbers)]
    for dozen in _DOZEN.finditer(text):
        if all(dozen.end() <= said.start or said.end <= dozen.start() for said in found):
            found.append(SaidNumber(dozen.start(), dozen.group(), (12.0,)))
    for half in _ONE_AND_A_HALF.finditer(text):
        if all(half.end() <= said.start or said.end <= half.start() for said in found):
            found.append(SaidNumber(half.start(), half.group(), (1.5,)))
    found = [_halved(text, said) for said in sorted(found, key=lambda said: said.start)]
    whole = _with_lakhs(text, _with_cents(text, _outermost(found)))
    return doubted(text, with_fractions(text, whole))


def _outermost(numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Leave out what another number has taken in, such as the zero of "below zero"."""
    found: list[SaidNumber] = []
    for said in numbers:
        if found and said.start < found[-1].end:
            found[-1] = max(found[-1], said, key=lambda each: len(each.words))
        else:
            found.append(said)
    return found


def _with_points(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    found: list[SaidNumber] = []
    for said in numbers:
        before = found[-1] if found else None
        if before and said.digits and _POINT.fullmatch(text[before.end : said.start]):
            whole = len(before.readings) == 1 and before.readings[0] == int(before.readings[0])
            digits, scale = _unscaled(said)
            readings = (float(f"{before.readings[0]:.0f}.{digits}") * scale,) if whole else ()
            found[-1] = SaidNumber(before.start, text[before.start : said.end], readings)
        elif said.digits and _POINT_BEFORE.search(text[max(0, said.start - 12) : said.start]):
            # "Point five", or "at this point five": nobody knows.
            found.append(replace(said, readings=(*said.readings, float(f"0.{said.digits}"))))
        else:
            found.append(said)
    return found


def _unscaled(said: SaidNumber) -> tuple[str, float]:
    """Return the digits behind a point, and their scale: "two point five million"."""
    scale = scale_of(said.words.casefold().split()[-1]) or 1.0
    noughts = len(f"{scale:.0f}") - 1
    if scale < 1_000 or len(said.digits) <= noughts:
        return said.digits, 1.0
    return said.digits[:-noughts], scale


def _with_lakhs(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Put a number of lakh or crore and what follows together: "two lakh fifty thousand"."""
    found: list[SaidNumber] = []
    for said in numbers:
        before = found[-1] if found else None
        if (
            before
            and _LAKH_END.search(before.words)
            and len(before.readings) == len(said.readings) == 1
            and _ADDED.fullmatch(text[before.end : said.start])
        ):
            words = text[before.start : said.end]
            found[-1] = SaidNumber(before.start, words, (before.readings[0] + said.readings[0],))
        else:
            found.append(said)
    return found


def _scaled(text: str, said: SaidNumber) -> SaidNumber:
    after = text[said.end : said.end + _LOOK_CHARS]
    if half := _HALF.match(after):
        said = _grown(text, said, said.end + half.end(), lambda value: value + 0.5)
    elif quarter := _QUARTERS.match(after):
        count = {"two": 2, "three": 3}.get((quarter["several"] or "").casefold(), 1)
        part = count / (3 if quarter["part"].casefold() == "third" else 4)
        said = _grown(text, said, said.end + quarter.end(), lambda value: value + part)
    word = _NEXT_WORD.match(text[said.end : said.end + _LOOK_CHARS])
    scale = scale_of(word["word"].casefold()) if word else None
    if word is None or scale is None:
        return said
    return _grown(text, said, said.end + word.end("word"), lambda value: value * scale)


def _signed(text: str, said: SaidNumber) -> SaidNumber:
    before = text[max(0, said.start - _LOOK_CHARS) : said.start]
    minus = _MINUS.search(before)
    if minus and not _NO_MINUS.search(before):
        start = said.start - (minus.end() - minus.start())
        words = text[start : said.end]
        return replace(said, start=start, words=words, readings=_negative(said), digits="")
    below = _BELOW_ZERO.match(text[said.end : said.end + _LOOK_CHARS])
    if below:
        return _grown(text, said, said.end + below.end(), lambda value: -abs(value))
    return said


def _negative(said: SaidNumber) -> tuple[float, ...]:
    return tuple(-abs(value) for value in said.readings)


def _halved(text: str, said: SaidNumber) -> SaidNumber:
    before = _HALF_BEFORE.search(text[max(0, said.start - _LOOK_CHARS) : said.start])
    if before is None or not said.readings or said.readings[0] < 12:
        return said
    start = said.start - (before.end() - before.start())
    readings = tuple(value / 2 for value in said.readings)
    return SaidNumber(start, text[start : said.end], readings)


def _with_cents(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Put an amount and its cents together: `five dollars and fifty cents` is 5.5."""
    found: list[SaidNumber] = []
    for said in numbers:
        before = found[-1] if found else None
        end = _end_of_cents(text, before, said) if before else None
        if before and end:
            value = before.readings[0] + said.readings[0] / 100
            found[-1] = SaidNumber(before.start, text[before.start : end], (value,))
        else:
            found.append(said)
    return found


def _end_of_cents(text: str, amount: SaidNumber, cents: SaidNumber) -> int | None:
    """Return where an amount ends whose cents are `cents`; None where they are something else."""
    whole = all(
        len(each.readings) == 1 and each.readings[0] == int(each.readings[0]) >= 0
        for each in (amount, cents)
    )
    between = None
    if cents.start - amount.end < _LOOK_CHARS:
        between = _BETWEEN_MONEY.fullmatch(text[amount.end : cents.start])
    if not whole or between is None or cents.readings[0] >= 100:
        return None
    priced = between["unit"] or text[max(0, amount.start - 1) : amount.start] in ("$", "€", "£")
    named = _CENTS.match(text[cents.end : cents.end + _LOOK_CHARS])
    if priced and named:
        return cents.end + named.end()
    linked = (between["link"] or "con").casefold() == "con"
    adjacent = between["unit"] and linked and cents.readings[0] >= 10
    return cents.end if adjacent and _CLOSES.match(text, cents.end) else None


def _grown(text: str, said: SaidNumber, end: int, change: Callable[[float], float]) -> SaidNumber:
    readings = tuple(change(value) for value in said.readings)
    return SaidNumber(said.start, text[said.start : end], readings)
