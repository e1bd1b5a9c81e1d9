"""Looks at the pointers of all knowledge bases of a process together: one statement each time."""

import logging
import threading
from collections.abc import Callable
from contextlib import suppress

from kb.snapshots.pointers import Pointer, SnapshotPointers

_log = logging.getLogger(__name__)

Noticed = Callable[[Pointer | None], object]


class PointerWatch:
    """Tells knowledge bases what is live now. Turns wait for none of it."""

    def __init__(self, pointers: SnapshotPointers, *, every_s: float | None = 2.0) -> None:
        """Begin to look when the first knowledge base is watched; None looks when it is told to."""
        self._pointers = pointers
        self._every_s = every_s
        self._watched: dict[str, list[Noticed]] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None
        self.looks = 0
        """How often the store was asked."""

    def watch(self, name: str, noticed: Noticed) -> None:
        """Tell `noticed` at every look what is live of the knowledge base `name`."""
        with self._lock:
            self._watched.setdefault(name, []).append(noticed)
            if self._thread is None and self._every_s is not None:
                self._thread = threading.Thread(
                    target=self._run, args=[self._every_s], name="snapshot watch", daemon=True
                )
                self._thread.start()

    def unwatch(self, name: str, noticed: Noticed) -> None:
        """Tell it no more."""
        with self._lock, suppress(ValueError):
            self._watched[name].remove(noticed)

    def look(self) -> None:
        """Look once, now."""
        self.looks += 1
        live = self._pointers.pointers()
        with self._lock:
            told = [
                (noticed, live.get(name))
                for name, each in self._watched.items()
                for noticed in each
            ]
        for noticed, pointer in told:
            noticed(pointer)

    def close(self) -> None:
        """Look no more."""
        self._closed.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def _run(self, every_s: float) -> None:
        failing = False
        while not self._closed.wait(every_s):
            try:
                self.look()
                failing = False
            except Exception as error:
                # The store may be out of reach for a while; what is copied answers meanwhile.
                if not failing:
                    _log.warning("the live snapshots are not known: %s", type(error).__name__)
                failing = True
