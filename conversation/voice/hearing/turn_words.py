"""Whether a turn reads finished: a logistic regression over its last words.

The coefficients lie beside this file; `turn_words.md` says what they were trained on, and by which
script.
"""

import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

COEFFICIENTS = Path(__file__).with_name("turn_words.npz")
BUCKETS = 1 << 16
LANGUAGES = frozenset({"en"})
"""Of the turns that it was trained on."""

_LAST_WORDS = 3
_READ_CHARS = 400
_LENGTHS = (1, 2, 3, 4, 6, 8, 12, 20)
_WORD = re.compile(r"[^\W_]+(?:['\u2019][^\W_]+)*")
_HESITATION = re.compile(r"u+h*m*|a+h+m*|e+r+m*")
"""Sounds that hold the turn, in the many ways in which they are written."""
_DASH = re.compile(r"(?:\.\.\.|\u2026|[-\u2013\u2014,])\s*$")


class TurnWordsModel:
    """The trained coefficients, loaded once."""

    def __init__(self, weights: NDArray[np.float32], bias: float) -> None:
        """Take one coefficient for each of `BUCKETS` hashes of a feature."""
        self._weights = weights
        self._bias = bias

    def probability(self, text: str, *, language: str) -> float | None:
        """How likely the speaker is done, 0 to 1, by the words alone.

        None without a word, or in a language that it does not know: the melody has to tell.
        """
        words = words_of(text)
        if not words or language.partition("-")[0].lower() not in LANGUAGES:
            return None
        score = self._bias + float(self._weights[list(buckets(words))].sum())
        likely = float(1 / (1 + np.exp(-score)))
        # What a transcriber leaves open was not heard to its end.
        return min(likely, 0.05) if _DASH.search(text[-_READ_CHARS:]) else likely


@cache
def turn_words() -> TurnWordsModel:
    """Return the model that is shipped."""
    with np.load(COEFFICIENTS) as kept:
        weights = kept["weights"].astype(np.float32) * np.float32(kept["step"])
        return TurnWordsModel(weights, float(kept["bias"]))


def words_of(text: str) -> list[str]:
    """Return the words that are looked at, in lower case and without what stands between them."""
    head, tail = text[:_READ_CHARS], text[-_READ_CHARS:]
    last = _words(tail)
    return last if len(text) <= _READ_CHARS else [*_words(head)[:2], *last[1:]]


def _words(text: str) -> list[str]:
    said = (match.group().lower() for match in _WORD.finditer(text))
    return ["um" if _HESITATION.fullmatch(word) else word for word in said]


def buckets(words: Sequence[str]) -> Iterator[int]:
    """Yield the hash of each feature of a turn with these words, of which there is at least one."""
    for feature in _features(words):
        yield zlib.crc32(feature.encode()) % BUCKETS


def _features(words: Sequence[str]) -> Iterator[str]:
    last = words[-1]
    for count in range(1, min(_LAST_WORDS, len(words)) + 1):
        yield f"last{count} {' '.join(words[-count:])}"
    yield f"suffix {last[-3:]}"
    yield f"first {words[0]}"
    yield f"first and last {words[0]} {last}"
    yield f"length {sum(len(words) >= bound for bound in _LENGTHS)}"
    yield "digits" if last.isdigit() else "letters"
    if len(words) > 1:
        yield f"before {words[-2]}"
