"""How the time of a function grows with the length of what it reads."""

import gc
import time
from collections.abc import Callable

_REPEATS = 8
_CLEARLY_LINEAR = 5.5
_LEAST_S = 0.002
"""Below this a clock tells noise."""


def growth(work: Callable[[str], object], piece: str, *, chars: int = 4_000) -> float:
    """Time at four times `chars` over time at `chars`: 4 where it is linear, 16 where quadratic.

    What is clearly linear at the first look is not run again.
    """
    small, large = (_text(piece, length) for length in (chars, 4 * chars))
    small_s = min(_seconds(work, small), _seconds(work, small))
    large_s = _seconds(work, large)
    for _ in range(_REPEATS - 1):
        if large_s / max(small_s, _LEAST_S) < _CLEARLY_LINEAR:
            break
        small_s = min(small_s, _seconds(work, small))
        large_s = min(large_s, _seconds(work, large))
    return large_s / max(small_s, _LEAST_S)


def _text(piece: str, length: int) -> str:
    return piece * (length // len(piece))


def _seconds(work: Callable[[str], object], text: str) -> float:
    """Processor time of this thread: other processes take none of it.

    No garbage is collected meanwhile: a look through everything that earlier tests left would be
    counted as reading, and the longer the text, the likelier one falls into it.
    """
    gc.disable()
    try:
        began_s = time.thread_time()
        work(text)
        return time.thread_time() - began_s
    finally:
        gc.enable()
