"""Numbers that nobody can be sure of: `two or three`, `a couple hundred`. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from analysis.said.language import language_of
from analysis.said.numerals import SaidNumber

_OR = (
    r"or|oder|ou|oppure|o|u|maybe|perhaps|possibly|vielleicht|peut-être|quizás|forse|talvez|of|misschien|lub|albo|czy|"
    r"może|или|либо|может|eller|kanske|veya|ya\s+da|yahut|belki|या|शायद|أو|او|ربما|또는|혹은"
)
_TO = r"to|till|until|through|bis|bis\s+zu|à|a|tot|до|do|till|से|إلى|الى|ile"
_COUNTER = r"(?:[^\W\d_a-zA-Z]{1,3}|\s+[^\W\d_]+)?"
_EITHER = re.compile(rf"\s*,?\s*(?:\b(?:{_OR})\b\s*,?\s*){{1,2}}", re.IGNORECASE)
_EITHER_OF_THEM = re.compile(
    rf"{_COUNTER}(?:\s*,?\s*\b(?:{_OR})\s+|\s*(?:か|或者?|还是|還是)\s*|(?:이나|나|에서)\s*)",
    re.IGNORECASE,
)
_RANGE = re.compile(
    rf"(?:\s+|(?<=\s))(?:{_TO})\s+|\s*[-\u2013~\u301c\uff5e]\s*|{_COUNTER}\s*(?:から|[到至])\s*|、",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+(?:and|und|et|y|e|en|och|i|и|ve|और)\s+", re.IGNORECASE)
_BETWEEN = re.compile(
    r"\b(?:between|zwischen|entre|tra|fra|tussen(?:\s+de)?|między|между|mellan|बीच)\s+$",
    re.IGNORECASE,
)
_SLASH = re.compile(
    r"\s+(?:slash|schrägstrich|barre(?:\s+oblique)?|barra|ukośnik|kreska|schuine\s+streep|snedstreck|слэш|дробь|"
    r"eğik\s+çizgi)\s+",
    re.IGNORECASE,
)
_VAGUE_BEFORE = re.compile(
    r"\b(?:(?:a\s+)?couple(?:\s+of)?|(?:a\s+)?few|several|many|some|ein\s+paar|paar|einige|mehrere|"
    r"viele|quelques|plusieurs|un[oa]s|vari[oa]s|algun[oa]s|much[oa]s)\s+$",
    re.IGNORECASE,
)
_BARE_SCALE = re.compile(
    r"(?:hundreds?|thousands?|millions?|billions?|hundert|tausend|millione?n?|cents?|mille|mil|"
    r"cien(?:tos)?|millones|dozens?|dutzend|douzaines?|docenas?)\b",
    re.IGNORECASE,
)
_VAGUE_AFTER = re.compile(r"[\s-](?:something|odd|sonst\s*was|et\s+quelques|y\s+pico)\b", re.I)
_HALF_HOUR = re.compile(
    r"\b(?:half|halv|kwart\s+(?:voor|over)|kvart\s+(?:i|över))\s+$", re.IGNORECASE
)
_LETTER_AFTER = re.compile(r"[abeqruABDEJNQRUXZ](?!\w)")
"""`5b` is a house, and no five; other letters may be units."""
_PLACE_BEFORE = re.compile(
    r"\b(?:seat|gate|room|platform|flat|apartment|apt\.?|unit|row|bay|suite|desk|sitz|platz|zimmer|gleis|siège|"
    r"porte|asiento|puerta)\s+$",
    re.IGNORECASE,
)
_ONE_LETTER = re.compile(r"[A-Za-z](?!\w)")
_NO_SIGN = re.compile(
    r"(?:\b(?:plus|more)\s+(?:or\s+|oder\s+|ou\s+|o\s+)?(?:minus|less)\s+|\u00b1\s*)$",
    re.IGNORECASE,
)
_SHORT_OF_MONEY = re.compile(r"\b(?:a|one)\s+(?:buck|quid|dollar|pound|euro)\s+(?:and\s+)?$", re.I)
_SMALL_MONEY = re.compile(
    r"\s*(?:cents?|pence|pennies|centimes?|céntimos?|centavos?|rappen|pfennige?|p(?!\w|\.?\s?m\b)|¢)(?!\w)",
    re.IGNORECASE,
)
_LOOK_CHARS = 48


def doubted(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Return `numbers`, in order of the text: none certain that is about right, or part of more."""
    return _without_slashes(text, [_doubt(text, said) for said in numbers])


def with_alternatives(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Return `numbers`, in order of the text: none certain that is one of two, or ends a range."""
    found = list(numbers)
    for index in range(1, len(found)):
        low, high = found[index - 1], found[index]
        if _are_ends(text, low, high):
            either = (low.readings[0], high.readings[0])
            found[index - 1] = replace(low, readings=either, is_end=True)
            found[index] = replace(high, readings=either[::-1], is_end=True)
        elif not (low.readings and high.readings) and _is_choice(text[low.end : high.start]):
            # One or the other, and one of them is not read.
            found[index - 1], found[index] = replace(low, readings=()), replace(high, readings=())
    return found


def _without_slashes(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Put what a slash was said between together, which is no number: "2026 slash 17"."""
    found: list[SaidNumber] = []
    for said in numbers:
        before = found[-1] if found else None
        if before and _SLASH.fullmatch(text[before.end : said.start]):
            found[-1] = SaidNumber(before.start, text[before.start : said.end], ())
        else:
            found.append(said)
    return found


def _doubt(text: str, said: SaidNumber) -> SaidNumber:
    before = text[max(0, said.start - _LOOK_CHARS) : said.start]
    after = text[said.end : said.end + _LOOK_CHARS]
    vague = _BARE_SCALE.match(said.words) and _VAGUE_BEFORE.search(before)
    of_a_place = _ONE_LETTER.match(after) and _PLACE_BEFORE.search(before)
    unread = of_a_place or _HALF_HOUR.search(before) or _LETTER_AFTER.match(after)
    if vague or unread or _VAGUE_AFTER.match(after) or _NO_SIGN.search(before):
        return replace(said, readings=())
    if len(said.readings) == 1 and 0 < said.readings[0] < 100:
        if _SHORT_OF_MONEY.search(before):
            return replace(said, readings=())
        if _SMALL_MONEY.match(after):
            # In the unit that is named, or in that of the price.
            return replace(said, readings=(said.readings[0], said.readings[0] / 100))
    return said


def _are_ends(text: str, low: SaidNumber, high: SaidNumber) -> bool:
    """Return whether two numbers are the ends of a range, or said as one or the other."""
    if len(low.readings) != 1 or len(high.readings) != 1 or low.readings == high.readings:
        return False
    gap = text[low.end : high.start]
    if len(gap) > _LOOK_CHARS:
        return False
    if _is_choice(gap):
        # "2 of 3" is no choice in English, and no more is "2 instead of 3".
        return gap.split()[-1:] != ["of"] or not _is_english(text, low, high)
    if low.readings[0] > high.readings[0]:
        return False
    if gap == "、":
        # "2、3 people" are two or three of them; a list has other distances, too.
        return high.readings[0] - low.readings[0] == 1
    if _RANGE.fullmatch(gap):
        return True
    before = text[max(0, low.start - _LOOK_CHARS) : low.start]
    return bool(_AND.fullmatch(gap) and _BETWEEN.search(before))


def _is_choice(gap: str) -> bool:
    if len(gap) > _LOOK_CHARS:
        return False
    return bool(_EITHER.fullmatch(gap) or _EITHER_OF_THEM.fullmatch(gap))


def _is_english(text: str, low: SaidNumber, high: SaidNumber) -> bool:
    rest = f"{text[: low.start]} {text[high.end :]}"
    return low.words[-1:].isalpha() or language_of(rest) == "en"
