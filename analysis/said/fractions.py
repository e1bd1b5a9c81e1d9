"""Parts of a whole: `two thirds`, `half an hour`, `a quarter of a million`. Pure."""

import re
from collections.abc import Sequence
from dataclasses import replace

from analysis.said.numerals import SaidNumber

_NAMES: dict[int, str] = {
    2: r"hal(?:f|ves)|halbe[snr]?|demie?s?|medi[oa]s?",
    3: r"thirds?|drittel|tiers|tercios?|tercera\s+parte",
    4: r"quarters?|fourths?|viertel|quarts?|cuartos?|cuarta\s+parte",
    5: r"fifths?|fünftel|cinquièmes?|quintos?",
    8: r"eighths?|achtel|huitièmes?|octavos?",
    10: r"tenths?|zehntel|dixièmes?|décimos?",
}
_NAMED = "|".join(f"(?P<of_{size}>{names})" for size, names in _NAMES.items())
_PART = re.compile(rf"[\s-]+(?:{_NAMED})\b(?!\s+(?:past|to|after|before|nach|vor)\b)", re.I)
_PLURAL_ENDS = ("s", "drittel", "viertel", "achtel", "zehntel", "fünftel")
_ALONE = re.compile(
    rf"\b(?:(?:an?|ein(?:e[nr]?)?|une?)\s+)?(?<!\w)(?:{_NAMED}|(?P<three>dreiviertel))"
    r"(?P<of>\s+of)?(?=\s+(?P<what>an?\s+|the\s+|my\s+|de\s+|d['\u2019])?(?P<noun>[^\W\d_]+)|"
    r"\s*(?:$|[.,;!?]))",
    re.IGNORECASE,
)
_NO_PART_BEFORE = re.compile(
    r"(?:\b(?:past|after|and|et|y|to|um|last|next|this|first|every|each|at|the|on|menos|moins|le|"
    r"la|el|las|vor|nach|zu|per|in|en\s+een|och\s+en)\s+|[\d-]\s*)$",
    re.IGNORECASE,
)
_NO_PART_AFTER = re.compile(
    r"(?:past|to|after|before|nach|vor|past|ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|"
    r"zwölf|uhr|way|price|sister|brother|time|day|person|party|one|term|board|size)\b",
    re.IGNORECASE,
)
_LOOK_CHARS = 48
_SMALLEST_DIVIDED = 12


def with_fractions(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Return `numbers`, in order of the text, with the parts of a whole that are named."""
    found = [_counted(text, said) for said in numbers]
    for part in _ALONE.finditer(text):
        taken = any(part.start() < said.end and said.start < part.end() for said in found)
        if not taken and _is_part(text, part):
            size = 0.75 if part["three"] else 1 / _size(part)
            found.append(SaidNumber(part.start(), part.group().strip(), (size,)))
    return _of_numbers(text, sorted(found, key=lambda said: said.start))


def _counted(text: str, said: SaidNumber) -> SaidNumber:
    """Return `two` of "two thirds" as the part that it counts."""
    part = _PART.match(text[said.end : said.end + _LOOK_CHARS])
    if part is None or len(said.readings) != 1:
        return said
    count, size, name = said.readings[0], _size(part), part.group().casefold()
    if not (count == 1 or (1 < count < 100 and name.endswith(_PLURAL_ENDS))) or size == 2:
        return said
    words = text[said.start : said.end + part.end()]
    return replace(said, words=words, readings=(count / size,), digits="")


def _is_part(text: str, part: re.Match[str]) -> bool:
    before = text[max(0, part.start() - _LOOK_CHARS) : part.start()]
    if _NO_PART_BEFORE.search(before):
        return False
    if part["noun"] is None:
        return bool(part["of"]) or part.group().strip().count(" ") > 0
    if _NO_PART_AFTER.match(part["noun"]):
        return False
    # "Half an hour", "a third of it", "ein halbes Kilo"; not "a third person".
    return bool(part["of"] or part["what"] or part["three"]) or _size(part) in (2, 4)


def _of_numbers(text: str, numbers: Sequence[SaidNumber]) -> list[SaidNumber]:
    """Put a part and the number that it is a part of together: "a quarter of a million"."""
    found: list[SaidNumber] = []
    for said in numbers:
        before = found[-1] if found else None
        gap = text[before.end : said.start] if before else ""
        if (
            before
            and len(before.readings) == len(said.readings) == 1
            and 0 < before.readings[0] < 1
            and said.readings[0] >= _SMALLEST_DIVIDED
            and re.fullmatch(r"\s+(?:(?:of|von|de|d['\u2019])\s*)?(?:an?\s+|une?\s+)?", gap)
        ):
            words = text[before.start : said.end]
            value = before.readings[0] * said.readings[0]
            found[-1] = SaidNumber(before.start, words, (value,))
        else:
            found.append(said)
    return found


def _size(part: re.Match[str]) -> int:
    return next(size for size in _NAMES if part[f"of_{size}"])
