"""Moves in folders that began: written down first, so that a server that is killed leaves a note.

What lies in a folder is in the store, what an agent answers from in its file: no transaction spans
both. Whoever finds the note of a server that is gone has the agents follow what was moved.
"""

import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from conversation.server.library.folders import FolderTree
from conversation.server.records import ApiRecord, RecordStore
from conversation.store.ownership import is_gone, this_process

LONGEST = timedelta(minutes=1)
"""A move takes a moment: by then a note of another machine is taken for left."""
_lock = threading.Lock()
_under_way: set[str] = set()
"""Of this process, whose name says nothing about which of its moves goes on."""


@dataclass(frozen=True, slots=True)
class BegunMove:
    """A move that nobody finished."""

    move_id: str
    parents: Mapping[str, str | None]
    """Where each document or folder lay before; None at the root."""
    to: str | None
    """Where to."""
    by: str
    """Whose."""


class BegunMoves:
    """The notes of moves. Safe to share between threads and processes."""

    def __init__(self, records: RecordStore) -> None:
        """Take where they are kept."""
        self._records = records

    @contextmanager
    def noted(
        self,
        before: FolderTree,
        entity_ids: Sequence[str],
        to: str | None,
        *,
        by: str,
        now: datetime,
    ) -> Generator[None]:
        """Keep a note while something is moved.

        After an error it stays: what was not done is left to the next one who looks.
        """
        parents = {each: before.parent_of(each) for each in entity_ids}
        body = {"owner": this_process(), "parents": parents, "to": to, "by": by}
        # Nobody may see the note before this process says that it is under way.
        with _lock:
            move_id = self._records.add("moving", body, now=now).record_id
            _under_way.add(move_id)
        try:
            yield
            self.end(move_id)
        finally:
            with _lock:
                _under_way.discard(move_id)

    def end(self, move_id: str) -> None:
        """Nothing is left to do for a move."""
        self._records.remove("moving", move_id)

    def left(self, *, now: datetime) -> list[BegunMove]:
        """Moves whose process is gone, or whose work there ended with an error; oldest first."""
        with _lock:
            return [
                BegunMove(
                    each.record_id, each.body["parents"], each.body["to"], str(each.body["by"])
                )
                for each in self._records.all("moving")
                if _is_left(each, now)
            ]


def as_before(present: FolderTree, moves: Sequence[BegunMove]) -> FolderTree:
    """The folders as they were before the first of these moves, which are oldest first."""
    parents: dict[str, str | None] = {}
    for move in reversed(moves):
        parents |= move.parents
    placed = {key: folder for key, folder in present.placed.items() if key not in parents}
    folders = {
        key: replace(folder, parent_id=parents[key]) if key in parents else folder
        for key, folder in present.folders.items()
    }
    placed |= {
        key: parent for key, parent in parents.items() if parent is not None and key not in folders
    }
    return FolderTree(folders, placed)


def _is_left(note: ApiRecord, now: datetime) -> bool:
    owner, me = str(note.body["owner"]), this_process()
    if owner == me:
        return note.record_id not in _under_way
    return is_gone(owner, asked_by=me) or abs(now - note.created_at) > LONGEST
