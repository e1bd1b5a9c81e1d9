"""Letters that people say by a word: "B as in boy", "A wie Anton", "Alpha Bravo". Pure."""

import re
from typing import NamedTuple

_ALPHABET = (
    "alfa alpha bravo charlie delta echo foxtrot golf hotel india juliet juliett kilo lima mike "
    "november oscar papa quebec romeo sierra tango uniform victor whiskey whisky xray x-ray "
    "yankee zulu"
)
"""The international radiotelephony alphabet (ITU Radio Regulations, appendix 14)."""
_EXPLAINED = re.compile(
    r"\b(?P<letter>[^\W\d_])[,\s]+(?:as\s+in|for|like|wie|comme|come|como|de|van|jak)\s+"
    r"(?P=letter)[^\W\d_]+\b",
    re.IGNORECASE,
)
_BY_ALPHABET = re.compile(rf"\b(?:{'|'.join(_ALPHABET.split())})\b", re.IGNORECASE)
_BESIDE = re.compile(r"[\s,.\u2013\u2014-]+")


class SaidLetter(NamedTuple):
    """A letter, and where the words that say it stand in a text."""

    start: int
    end: int
    letter: str
    """Small."""


def letters_by_word(text: str) -> list[SaidLetter]:
    """Return the letters that `text` says by words, in order.

    A letter is explained by any word that begins with it. A word of the radiotelephony alphabet
    stands for one only beside another or beside a digit: alone, Charlie is somebody.
    """
    explained = [
        SaidLetter(found.start(), found.end(), found["letter"].casefold())
        for found in _EXPLAINED.finditer(text)
    ]
    taken = [(each.start, each.end) for each in explained]
    words = [
        found
        for found in _BY_ALPHABET.finditer(text)
        if not any(start <= found.start() < end for start, end in taken)
    ]
    starts, ends = ({found.start() for found in words}, {found.end() for found in words})
    coded = [
        SaidLetter(found.start(), found.end(), found.group()[0].casefold())
        for found in words
        if _is_beside(text, found, starts, ends)
    ]
    return sorted([*explained, *coded])


def _is_beside(text: str, word: re.Match[str], starts: set[int], ends: set[int]) -> bool:
    after = _BESIDE.match(text, word.end())
    if after and (after.end() in starts or text[after.end() : after.end() + 1].isdecimal()):
        return True
    before = len(text[: word.start()].rstrip(" \t\n,.-\u2013\u2014"))
    return before < word.start() and (before in ends or text[before - 1 : before].isdecimal())
