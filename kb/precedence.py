"""Turns first: work that can wait steps aside while somebody waits for passages.

An ingest in the process that answers would otherwise share the processor half and half with every
turn. It stops between two batches, so a turn waits for one of them at most.
"""

import threading
from collections.abc import Generator
from contextlib import contextmanager

_AT_MOST_S = 0.25
"""An ingest gets on a little under any load."""


class Precedence:
    """Who goes first in one process."""

    def __init__(self, *, at_most_s: float = _AT_MOST_S) -> None:
        self._at_most_s = at_most_s
        self._nobody_waits = threading.Condition()
        self._turns = 0
        self._mine = threading.local()

    @contextmanager
    def turn(self) -> Generator[None]:
        """What runs in here goes first."""
        with self._nobody_waits:
            self._turns += 1
        self._mine.turns = self._turns_of_thread() + 1
        try:
            yield
        finally:
            self._mine.turns -= 1
            with self._nobody_waits:
                self._turns -= 1
                if not self._turns:
                    self._nobody_waits.notify_all()

    def step_aside(self) -> None:
        """Wait while a turn of another thread is answered, for a short while at most."""
        # Unlocked: a turn that begins right now is seen before the next batch.
        if not self._turns or self._turns_of_thread():
            return
        with self._nobody_waits:
            self._nobody_waits.wait_for(lambda: not self._turns, timeout=self._at_most_s)

    def _turns_of_thread(self) -> int:
        return getattr(self._mine, "turns", 0)


PRECEDENCE = Precedence()
"""Of this process: knowledge bases share its processor, so they share this too."""
