"""Text cut into sentences with exact offsets. Pure; works on a growing text too."""

import re
from typing import NamedTuple

_LIST_MARKER = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")
_END = re.compile(
    "(?<![.!?\u2026])[.!?\u2026]++[\"'\u201d\u2019)\\]]*(?=\\s)|[\u3002\uff01\uff1f]+|\\n+"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|mr|mrs|ms|dr|prof|st|inc|ltd|approx|cf|fig|sec|max|min|incl)"
    r"|\b(?-i:Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)"
    r"|\b(?-i:[A-Z]))$",
    re.IGNORECASE,
)
_MAY_END_LATER = ".!?\u2026\"'\u201d\u2019)]"
_NUMBER_OF_A_LIST = re.compile(r"\s{0,80}\d{1,2}")
_LOOKED_BACK_CHARS = 16
"""More than the longest abbreviation: a sentence full of them is not read again at each."""


class Sentence(NamedTuple):
    """One sentence: characters [start, end) of its text, without white space around it."""

    text: str
    start: int
    end: int


def split_sentences(text: str) -> list[Sentence]:
    """The sentences of `text` in order. Line breaks end one, list markers belong to none."""
    found: list[Sentence] = []
    start = 0
    for match in _END.finditer(text):
        if _is_inside_sentence(text, start, match):
            continue
        _add(found, text, start, match.end())
        start = match.end()
    _add(found, text, start, len(text))
    return found


def finished_length(text: str, *, searched: int = 0) -> int:
    """How many characters of a growing text are whole sentences.

    Args:
        text: From the beginning of a sentence.
        searched: `settled_length` of the same text when it was shorter and held no whole sentence.
    """
    end = 0
    start = 0
    for match in _END.finditer(text, searched):
        if not _is_inside_sentence(text, start, match):
            start = end = match.end()
    return end


def settled_length(text: str) -> int:
    """How many characters hold no whole sentence, whatever comes after a text that holds none.

    It is 0 for marks that may end a sentence once more than such marks come after them.
    """
    return len(text.rstrip(_MAY_END_LATER))


def _is_inside_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if not match.group().startswith("."):
        return False
    end = match.start()
    if _ABBREVIATION.search(text, max(start, end - _LOOKED_BACK_CHARS), end) is not None:
        return True
    return _NUMBER_OF_A_LIST.fullmatch(text, start, end) is not None


def _add(found: list[Sentence], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    marker = _LIST_MARKER.match(piece)
    if marker:
        start += marker.end()
        piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + piece.index(stripped)
        found.append(Sentence(stripped, begin, begin + len(stripped)))
