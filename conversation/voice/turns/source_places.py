"""Where the words of a spoken sentence stand in the text that was written. Pure.

    spoken:  It costs forty two dollars a year.
    written: It costs **$42** a year.

Words that are the same on both sides hold the two together; what lies between them is shared out
evenly, so that the place of every word is right to within the run that was rewritten.
"""

import re
from bisect import bisect_left
from dataclasses import dataclass
from itertools import pairwise

_WORD = re.compile(r"\S+")
_EDGE = re.compile(r"^\W+|\W+$")
_REACH = 12
"""Words that are looked at for the same one: what a voice rewrites is shorter than that."""


@dataclass(frozen=True, slots=True)
class Mark:
    """When `spoken` characters of a clause were said, the text was heard up to `source`."""

    spoken: int
    source: int


def word_marks(spoken: str, source: str, *, offset: int = 0) -> tuple[Mark, ...]:
    """The end of each word of `spoken`, and how much of `source` has been said by then.

    Args:
        spoken: A sentence as it is read aloud.
        source: The same sentence as it was written, white space and markup included.
        offset: Of `source` in its text; added to every place in it.

    Returns:
        One for each word, in order; places never go back, and the last is the end of `source`.
    """
    said, written = list(_WORD.finditer(spoken)), list(_WORD.finditer(source))
    if not said:
        return ()
    pairs = _same_words([_bare(word[0]) for word in said], [_bare(word[0]) for word in written])
    anchors = [(-1, 0), *((one, written[other].end()) for one, other in pairs)]
    if anchors[-1][0] != len(said) - 1:
        anchors.append((len(said) - 1, len(source)))
    else:
        anchors[-1] = (len(said) - 1, len(source))
    ends = [word.end() for word in written]
    marks: list[Mark] = []
    for (before, low), (after, high) in pairwise(anchors):
        for place in range(before + 1, after + 1):
            share = (place - before) / (after - before)
            exact = high if place == after else _word_end(ends, low, low + share * (high - low))
            marks.append(Mark(said[place].end(), offset + exact))
    return tuple(marks)


def _word_end(ends: list[int], low: int, place: float) -> int:
    """The last end of a written word up to `place`: half a word was not heard."""
    found = bisect_left(ends, place + 1e-9)
    return max(low, ends[found - 1] if found else 0)


def _bare(word: str) -> str:
    return _EDGE.sub("", word).casefold() or word


def _same_words(said: list[str], written: list[str]) -> list[tuple[int, int]]:
    """Pairs of places that hold the same word, in order: the nearest ones within reach."""
    pairs: list[tuple[int, int]] = []
    one = other = 0
    while one < len(said) and other < len(written):
        step = _next_pair(said[one : one + _REACH], written[other : other + _REACH])
        if step is None:
            one, other = one + 1, other + 1
            continue
        one, other = one + step[0], other + step[1]
        pairs.append((one, other))
        one, other = one + 1, other + 1
    return pairs


def _next_pair(said: list[str], written: list[str]) -> tuple[int, int] | None:
    """The pair with the fewest words left out on both sides."""
    best: tuple[int, int] | None = None
    for one, word in enumerate(said):
        if best is not None and one > sum(best):
            break
        if word in written:
            other = written.index(word)
            if best is None or one + other < sum(best):
                best = (one, other)
    return best
