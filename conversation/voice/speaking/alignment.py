"""Which characters of a clause are said when. Pure.

Whatever is known of single words, the characters given out join to the clause exactly, in order,
and their times never go back.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from conversation.voice.ports import SpeechChunk, TimedChars
from conversation.voice.speaking.english.pronouncing import SaidPart


@dataclass(frozen=True, slots=True)
class TimedSpan:
    """[start_char, end_char) of a clause is said from `start_s` to `end_s`."""

    start_char: int
    end_char: int
    start_s: float
    end_s: float


def timed_chars(clause: str, spans: Iterable[TimedSpan], *, total_s: float) -> list[TimedChars]:
    """All of `clause` with times: what stands between spans takes the time between them.

    Args:
        clause: The text.
        spans: What is known, in order. What lies before another span, or outside of the sound, is
            cut to fit.
        total_s: Length of the sound.
    """
    timed: list[TimedChars] = []
    char, now = 0, 0.0
    for span in spans:
        start, end = max(char, span.start_char), min(span.end_char, len(clause))
        if start >= end:
            continue
        begins = min(max(now, span.start_s), total_s)
        ends = min(max(begins, span.end_s), total_s)
        if start > char:
            timed.append(TimedChars(clause[char:start], now, begins - now))
        else:
            begins = now  # nothing stands between that could take the time before it
        timed.append(TimedChars(clause[start:end], begins, ends - begins))
        char, now = end, ends
    if char < len(clause):
        timed.append(TimedChars(clause[char:], now, max(0.0, total_s - now)))
    return timed


def spread_evenly(clause: str, *, total_s: float) -> list[TimedChars]:
    """Word by word in proportion to their letters, where nothing is known: an estimate."""
    spans: list[TimedSpan] = []
    each_s = total_s / len(clause) if clause else 0.0
    for start, end in _words(clause):
        spans.append(TimedSpan(start, end, start * each_s, end * each_s))
    return timed_chars(clause, spans, total_s=total_s)


def spans_of(
    parts: Sequence[SaidPart], owners: Sequence[int], ends_s: NDArray[np.floating]
) -> list[TimedSpan]:
    """When each part is said, by the end of each of its phonemes."""
    spans: list[TimedSpan] = []
    for at, part in enumerate(parts):
        mine = [place for place, owner in enumerate(owners) if owner == at]
        if not mine:
            continue
        starts_s = float(ends_s[mine[0] - 1]) if mine[0] else 0.0
        spans.append(TimedSpan(part.start_char, part.end_char, starts_s, float(ends_s[mine[-1]])))
    return spans


def unsaid(clause: str) -> SpeechChunk:
    """The chunk of a clause in which nothing is to be said, e.g. "..."."""
    timed = (TimedChars(clause, 0.0, 0.0),) if clause else ()
    return SpeechChunk(np.zeros(0, dtype=np.int16), timed)


class AlignmentFeed:
    """Hands out timed characters with the chunks in which they begin."""

    def __init__(self, timed: Sequence[TimedChars]) -> None:
        self._waiting = list(reversed(timed))

    def until(self, end_s: float) -> tuple[TimedChars, ...]:
        """Those that begin before `end_s` and were not handed out yet."""
        return tuple(self._take(end_s))

    def rest(self) -> tuple[TimedChars, ...]:
        """All that are left, with the last chunk."""
        return tuple(self._take(float("inf")))

    def _take(self, end_s: float) -> Iterator[TimedChars]:
        while self._waiting and self._waiting[-1].start_s < end_s:
            yield self._waiting.pop()


class GrowingEstimate:
    """Hands out words while sound comes in whose length nobody knows yet, by a voice's pace."""

    def __init__(self, clause: str, *, seconds_per_char: float) -> None:
        timed = spread_evenly(clause, total_s=len(clause) * seconds_per_char)
        self._last = timed.pop() if timed else None
        """Kept until the end: sound after the last word belongs to it."""
        self._feed = AlignmentFeed(timed)
        self._now = 0.0

    def until(self, end_s: float) -> tuple[TimedChars, ...]:
        """The words that have begun by `end_s`, as far as can be told."""
        timed = self._feed.until(end_s)
        if timed:
            self._now = timed[-1].start_s + timed[-1].duration_s
        return timed

    def finish(self, total_s: float) -> tuple[TimedChars, ...]:
        """All that are left, in the time that is left."""
        left = (*self._feed.rest(), *((self._last,) if self._last else ()))
        rest = "".join(timed.chars for timed in left)
        now = min(self._now, total_s)
        spread = spread_evenly(rest, total_s=total_s - now)
        return tuple(replace(timed, start_s=timed.start_s + now) for timed in spread)


def _words(clause: str) -> Iterator[tuple[int, int]]:
    start = None
    for at, char in enumerate(clause):
        if char.isspace():
            if start is not None:
                yield start, at
            start = None
        elif start is None:
            start = at
    if start is not None:
        yield start, len(clause)
