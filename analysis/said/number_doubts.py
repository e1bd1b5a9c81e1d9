"""Numbers that nobody can be sure of: `two or three`, `a couple hundred`. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from analysis.said.numerals import SaidNumber

_EITHER = re.compile(
    r"\s*(?:,\s*)?(?:\b(?:or|oder|ou|o|to|bis|bis\s+zu|à|a|maybe|vielleicht|peut-être)\b\s*){1,2}",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+(?:and|und|et|y)\s+", re.IGNORECASE)
_BETWEEN = re.compile(r"\b(?:between|zwischen|entre)\s+$", re.IGNORECASE)
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
    """Return `numbers`, in order of the text: none certain that is one of two, or about right."""
    found = [_doubt(text, said) for said in numbers]
    for index in range(1, len(found)):
        low, high = found[index - 1], found[index]
        if _are_ends(text, low, high):
            either = (low.readings[0], high.readings[0])
            found[index - 1] = replace(low, readings=either, is_end=True)
            found[index] = replace(high, readings=either[::-1], is_end=True)
    return found


def _doubt(text: str, said: SaidNumber) -> SaidNumber:
    before = text[max(0, said.start - _LOOK_CHARS) : said.start]
    after = text[said.end : said.end + _LOOK_CHARS]
    vague = _BARE_SCALE.match(said.words) and _VAGUE_BEFORE.search(before)
    if vague or _VAGUE_AFTER.match(after) or _NO_SIGN.search(before):
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
    if len(low.readings) != 1 or len(high.readings) != 1 or low.readings[0] >= high.readings[0]:
        return False
    gap = text[low.end : high.start]
    if len(gap) > _LOOK_CHARS:
        return False
    if _EITHER.fullmatch(gap):
        return True
    before = text[max(0, low.start - _LOOK_CHARS) : low.start]
    return bool(_AND.fullmatch(gap) and _BETWEEN.search(before))
