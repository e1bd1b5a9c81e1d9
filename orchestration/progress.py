"""Progress and remaining time on a terminal, or as lines in a log.

Dagster redirects the process's standard output while a step runs; a `Progress` keeps writing to
the stream that was there before.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TextIO

REDRAW_S = 0.2
LOG_LINE_S = 5.0
SHOW_AFTER_S = 0.5
"""Work that is done by then needs no progress line."""


class Progress:
    """Prints steps, and for each piece of work how far it is and how long it will take."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._redraws = stream.isatty()

    @classmethod
    def on_standard_output(cls) -> "Progress":
        """Progress on a private copy of standard output."""
        sys.stdout.flush()
        copy = os.fdopen(os.dup(sys.stdout.fileno()), "w", buffering=1, encoding="utf-8")
        return cls(copy)

    def say(self, text: str = "", *, end: str = "\n") -> None:
        """Print `text` at once."""
        self._stream.write(text + end)
        self._stream.flush()

    @contextmanager
    def work(self, what: str, unit: str = "") -> "Iterator[Work]":
        """Show the progress of one piece of work while the block runs."""
        work = Work(self._stream, self._clock, what=what, unit=unit, redraws=self._redraws)
        try:
            yield work
        finally:
            work.clear()


class Work:
    """Call it with what is done and what there is in all."""

    def __init__(
        self, stream: TextIO, clock: Callable[[], float], *, what: str, unit: str, redraws: bool
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._what = what
        self._unit = unit
        self._redraws = redraws
        self._began_s = clock()
        self._drawn_s = self._began_s + SHOW_AFTER_S - (REDRAW_S if redraws else LOG_LINE_S)
        self._width = 0

    def __call__(self, done: float, total: float | None = None, what: str | None = None) -> None:
        """Report that `done` of `total` units are finished; `what` renames the work."""
        if what is not None:
            self._what = what
        now_s = self._clock()
        if now_s - self._drawn_s < (REDRAW_S if self._redraws else LOG_LINE_S):
            return
        self._drawn_s = now_s
        line = progress_line(
            self._what, done=done, total=total, unit=self._unit, elapsed_s=now_s - self._began_s
        )
        if self._redraws:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def clear(self) -> None:
        """Remove the line from a terminal."""
        if self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


def progress_line(
    what: str, *, done: float, total: float | None, unit: str, elapsed_s: float
) -> str:
    """One line such as `  model weights: 512 of 1,117 MB (46 %), about 0:40 left`."""
    suffix = f" {unit}" if unit else ""
    if not total:
        return f"  {what}: {done:,.0f}{suffix}, {format_duration(elapsed_s)} so far"
    line = f"  {what}: {done:,.0f} of {total:,.0f}{suffix} ({100 * done / total:.0f} %)"
    if done > 0:
        line += f", about {format_duration(elapsed_s * (total - done) / done)} left"
    return line


def format_duration(seconds: float) -> str:
    """`0:07`, `3:20` or `1:02:03`."""
    minutes, rest = divmod(round(max(seconds, 0)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
