"""Article numbers, error codes, amounts, telephone numbers, addresses: one term however written.

"SKU-4411B", "sku 4411 b" and "SKU4411B" are letters and digits in the same order. What stands
together is one identifier; a number also makes one with the word before it ("article 41") and
with what follows it ("4411 B"). Thousands separators do not count, decimal places do. Pure.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from kb.words.spelling import IDEOGRAPH, SPACELESS, folded
from kb.words.telephone import telephone_numbers

_THOUSANDS = "[.,' \u2019\u02bc]"
_NUMBER = re.compile(
    rf"(?P<whole>[0-9]{{1,3}}(?P<mark>{_THOUSANDS})[0-9]{{3}}(?:(?P=mark)[0-9]{{3}}){{0,8}}(?![0-9])"
    # Lakhs and crores: groups of two before the last three.
    r"|[0-9]{1,2}(?:,[0-9]{2}){1,5},[0-9]{3}(?![0-9])"
    r"|[0-9]+)"
    r"(?:[.,](?P<places>[0-9]{1,2})(?![0-9]))?"
)
_LETTERS = (
    # Of a run of ideographs, those beside the digits: the signs of "article 41" are around them.
    rf"{IDEOGRAPH}(?=[0-9])|(?<=[0-9]){IDEOGRAPH}|(?:(?!{SPACELESS})[^\W\d_])+"
)
_ITEM = re.compile(rf"(?P<digits>{_NUMBER.pattern})|(?P<letters>{_LETTERS})")
_BEFORE_POINT = re.compile(r"[0-9]\.$")
_AFTER_POINT = re.compile(r"\.[0-9]")
"""Around the middle of a version or date: 2.10.3 is another one than 2.1.3."""
_DIGIT = re.compile("[0-9]")
_JOINER = re.compile(r"[-\u2010-\u2015\u2212./@+#:&\\]")
_JOINED = re.compile(rf"\w{_JOINER.pattern}\w")
_SIGNED = re.compile(
    r"(?<!\w)(?P<letters>[^\W\d_]\w{0,31})(?P<signs>[+#]{1,2})(?![\w+#])",
)
_SIGNS = str.maketrans("+#", "\uff0b\uff03")
"""Full width, which no respelled text has: the index takes plain signs for the end of a word."""
_POINTS = frozenset(".,:")
_DECIMAL = "\u00b7"
"""Between digits that are not one number: 1.25 is not 125."""
_MAX_CHARS = 64
_LONG_NUMBER = 3
"""Digits from which a number by itself is worth looking for: "5" and "30" stand everywhere."""
_SUFFIX_CHARS = 2
"""Letters after a number that belong to it although a space is between: "4411 B"."""


@dataclass(frozen=True, slots=True)
class Identifier:
    """One way to read a place of a text as an identifier."""

    text: str
    """Joined and folded."""
    start: int
    end: int
    """Of its place in the text."""
    is_exact: bool
    """Whether it names one thing, and is no quantity such as "10 guests"."""
    apart: tuple[str, ...] = ()
    """Folded words of it that a space keeps apart from its digits."""


@dataclass(frozen=True, slots=True)
class _Item:
    text: str
    is_number: bool
    start: int
    end: int
    gap: str | None
    """What stands between this and the item before: nothing, a joiner or a space. None for more."""

    @property
    def is_tight(self) -> bool:
        return self.gap is not None and self.gap != " "


def identifiers(text: str) -> list[Identifier]:
    """Every identifier of a respelled text, in the order of the places; may overlap."""
    if not any(pattern.search(text) for pattern in (_DIGIT, _JOINED, _SIGNED)):
        return []
    items = list(_items(text))
    found: dict[tuple[str, int, int], Identifier] = {}
    for first, last in (*_chains(items), *_around_numbers(items)):
        made = _identifier(items, first, last)
        if made is not None:
            found.setdefault((made.text, made.start, made.end), made)
            if _DECIMAL in made.text and _is_code(items[first : last + 1]):
                # Room "B2.14" is "b214" where somebody says it.
                plain = replace(made, text=made.text.replace(_DECIMAL, ""))
                found.setdefault((plain.text, plain.start, plain.end), plain)
    for signed in _SIGNED.finditer(text):
        # "C++" and "C#" are neither "C" nor one another.
        made = Identifier(_signed(signed), signed.start(), signed.end(), True)
        found.setdefault((made.text, made.start, made.end), made)
    for start, end, spellings in telephone_numbers(text):
        for spelling in spellings:
            found.setdefault((spelling, start, end), Identifier(spelling, start, end, True))
    return sorted(found.values(), key=lambda each: (each.start, each.end))


def _signed(match: re.Match[str]) -> str:
    return folded(match["letters"]) + match["signs"].translate(_SIGNS)


def _items(text: str) -> Iterator[_Item]:
    before: int | None = None
    for match in _ITEM.finditer(text):
        between = None if before is None else text[before : match.start()]
        if between is not None and between not in ("", " ") and not _JOINER.fullmatch(between):
            between = None
        digits = match["digits"]
        spelled = folded(match[0]) if digits is None else _number(match)
        yield _Item(spelled, digits is not None, match.start(), match.end(), between)
        before = match.end()


def _number(match: re.Match[str]) -> str:
    """A number without separators, and without places that are zero unless they are no places."""
    whole = re.sub(r"[^0-9]", "", match["whole"])
    places = match["places"] or ""
    if not _BEFORE_POINT.search(match.string, max(0, match.start() - 2), match.start()) and not (
        _AFTER_POINT.match(match.string, match.end())
    ):
        places = places.rstrip("0")
    return f"{whole}{_DECIMAL}{places}" if places else whole


def _chains(items: Sequence[_Item]) -> Iterator[tuple[int, int]]:
    """First and last item of what is written together."""
    first = 0
    for place in range(1, len(items) + 1):
        if place == len(items) or not items[place].is_tight:
            if place - first > 1:
                yield first, place - 1
            first = place


def _around_numbers(items: Sequence[_Item]) -> Iterator[tuple[int, int]]:
    """Each number, or numbers in a row, alone and with the letters on either side."""
    place = 0
    while place < len(items):
        if not items[place].is_number:
            place += 1
            continue
        last = place
        while last + 1 < len(items) and items[last + 1].is_number and items[last + 1].gap in _ROW:
            last += 1
        before = place - 1 if place and items[place].gap is not None else place
        after = last + 1 if last + 1 < len(items) and items[last + 1].gap is not None else last
        spans = {(place, last), (before, last), (place, after), (before, after)}
        if last > place:
            spans |= {(at, at) for at in range(place, last + 1)}
        yield from sorted(spans)
        place = last + 1


def _is_code(parts: Sequence[_Item]) -> bool:
    """Whether a point between digits only parts them: "B2.14" is no 2.14 of anything."""
    return (not parts[0].is_number and parts[1].is_tight) or any(
        part.gap is not None and part.gap in _DASHES for part in parts[1:]
    )


_DASHES = frozenset("-\u2010\u2011\u2012\u2013/")
_ROW = frozenset((" ", "-", "/"))
"""Between the groups of a telephone or account number."""


def _identifier(items: Sequence[_Item], first: int, last: int) -> Identifier | None:
    parts = items[first : last + 1]
    text = parts[0].text
    for before, item in pairwise(parts):
        apart = before.is_number and item.is_number and item.gap in _POINTS
        text += f"{_DECIMAL if apart else ''}{item.text}"
    if len(text) > _MAX_CHARS:
        return None
    apart = tuple(
        part.text
        for place, part in enumerate(parts)
        if not part.is_number
        and " "
        in (part.gap if place else "", *(after.gap for after in parts[place + 1 : place + 2]))
    )
    return Identifier(text, parts[0].start, parts[-1].end, _is_exact(parts), apart)


def _is_exact(parts: Sequence[_Item]) -> bool:
    numbers = [item for item in parts if item.is_number]
    if not numbers:
        return any(item.gap == "@" for item in parts[1:])
    if len(parts) == len(numbers):
        return sum(map(len, (item.text for item in numbers))) >= _LONG_NUMBER
    if not parts[0].is_number:
        return True
    if all(item.is_tight for item in parts[1:]) and parts[1].text.isascii():
        return True
    # Digits first and letters apart from them: a code, or a number of something.
    return all(item.is_number or len(item.text) <= _SUFFIX_CHARS for item in parts)
