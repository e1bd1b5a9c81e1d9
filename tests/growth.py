"""How the time of a function grows with the length of what it reads."""

import time
from collections.abc import Callable

_REPEATS = 3
_LEAST_S = 0.002
"""Below this a clock tells noise."""


def growth(work: Callable[[str], object], piece: str, *, chars: int = 4_000) -> float:
    """Time at four times `chars` over time at `chars`: 4 where it is linear, 16 where quadratic."""
    small, large = (_best_s(work, _text(piece, length)) for length in (chars, 4 * chars))
    return large / max(small, _LEAST_S)


def _text(piece: str, length: int) -> str:
    return piece * (length // len(piece))


def _best_s(work: Callable[[str], object], text: str) -> float:
    """The quickest of a few runs, in processor time: other processes take none of it."""
    times: list[float] = []
    for _ in range(_REPEATS):
        began_s = time.thread_time()
        work(text)
        times.append(time.thread_time() - began_s)
    return min(times)
