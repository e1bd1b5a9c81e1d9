"""Spoken sentences to clauses for a synthesizer: the first short, the others not long. Pure.

The user waits for the first one; a later one that is long keeps the synthesizer from everybody
else, and cannot be taken back.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from conversation.language.spoken_text import SpokenPiece
from conversation.voice.turns.source_places import Mark, word_marks

FIRST_CHARS = 48
MAX_CHARS = 120
_LEAST_CHARS = 12
"""A clause of one word sounds like a list."""
_PAUSE = re.compile(
    r"[,;:\u2026)\u2013\u2014](?=\s)|[\u3001\uff0c\uff1b\uff1a\u060c\u061b\u061f\u06d4\u0964]|[.!?](?=\s)"
)
_SPACE = re.compile(r"\s")


@dataclass(frozen=True, slots=True)
class Clause:
    """What a synthesizer is given at once."""

    text: str
    marks: tuple[Mark, ...] = ()
    """Where its words end, and how much of the turn's text has been said by then."""
    is_first: bool = False
    """Whether the user waits for it."""


class ClauseCutter:
    """Cuts the sentences of one turn."""

    def __init__(self, *, first_chars: int = FIRST_CHARS, max_chars: int = MAX_CHARS) -> None:
        self._first_chars = first_chars
        self._max_chars = max_chars
        self._is_first = True

    def cut(self, piece: SpokenPiece, source: str) -> list[Clause]:
        """The clauses of a sentence.

        Args:
            piece: The sentence as it is read aloud.
            source: The text of the turn that it was made of, as far as it is known.
        """
        written = source[piece.start_char : piece.end_char]
        marks = word_marks(piece.text, written, offset=piece.start_char)
        clauses: list[Clause] = []
        for start, end in self._borders(piece.text):
            clauses.append(
                Clause(
                    piece.text[start:end].strip(),
                    marks=tuple(_within(marks, start, end, piece.text)),
                    is_first=self._is_first,
                )
            )
            self._is_first = False
        return clauses

    def own(self, text: str) -> list[Clause]:
        """The clauses of words that are no part of the turn's text, e.g. that it takes a while."""
        return [
            replace(clause, marks=()) for clause in self.cut(SpokenPiece(text, 0, len(text)), text)
        ]

    def _borders(self, text: str) -> Iterator[tuple[int, int]]:
        start, most = 0, self._first_chars if self._is_first else self._max_chars
        while len(text) - start > most:
            end = _cut_within(text, start, most)
            yield start, end
            start, most = end, self._max_chars
        if text[start:].strip():
            yield start, len(text)


def _cut_within(text: str, start: int, most: int) -> int:
    """Where to cut: after the last pause within `most` characters, else after the last word."""
    window = text[start : start + most + 1]
    for pattern, least in ((_PAUSE, _LEAST_CHARS), (_SPACE, 1)):
        ends = [match.end() for match in pattern.finditer(window) if match.end() >= least]
        if ends:
            return start + min(ends[-1], most)
    following = _SPACE.search(text, start + most)
    if following is not None and following.start() < start + 2 * most:
        return following.end()
    return start + most


def _within(marks: Sequence[Mark], start: int, end: int, text: str) -> Iterator[Mark]:
    """The marks of one clause, counted from its own beginning."""
    begins = start + len(text[start:end]) - len(text[start:end].lstrip())
    last: Mark | None = None
    for mark in marks:
        if start < mark.spoken <= end:
            last = Mark(mark.spoken - begins, mark.source)
            yield last
        elif last is None and mark.spoken > end:  # a word so long that it was cut
            return
