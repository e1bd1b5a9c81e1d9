"""The live snapshot on this machine: a copy answers until the copy of the next one is there."""

import logging
import threading
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from kb.errors import CatalogError, KnowledgeBaseError, SnapshotError
from kb.folder import Changes, FolderParts, OpenedFolder
from kb.snapshots.changing import RefusedChanges, SharedChanges, chosen, forget_deleted
from kb.snapshots.copies import HeldCopy, LocalCopies
from kb.snapshots.pointers import Pointer, SnapshotRecord
from kb.snapshots.shared import Shared

_log = logging.getLogger(__name__)
_COPIES = "copies"
_TRY_AGAIN_S = 30.0
"""After a snapshot could not be fetched."""


def shared_folder(held: object) -> "SharedFolder":
    """The folder, where it is a shared one.

    Raises:
        SnapshotError: It is not.
    """
    if isinstance(held, SharedFolder):
        return held
    raise SnapshotError(
        "This knowledge base is kept in one folder and has no snapshots. Set VIVAVOCE_KB_URL to "
        "share it, or go back to an index version with `vivavoce kb rollback AGENT VERSION`."
    )


class _Answering:
    """An opened copy, and until when queries may be under way in it."""

    def __init__(self, opened: OpenedFolder, held: HeldCopy | None) -> None:
        self.opened, self.held = opened, held
        self.retired_at_s = 0.0

    def close(self) -> None:
        self.opened.close()
        if self.held is not None:
            self.held.release()


class SharedFolder:
    """One machine's part of a shared knowledge base. Safe to share between threads."""

    def __init__(
        self, directory: Path, parts: FolderParts, shared: Shared, *, read_only: bool
    ) -> None:
        """Open nothing yet: going back and ingesting anew work when what is live is damaged."""
        self._directory = directory
        self._parts = parts
        self._shared = shared
        self._read_only = read_only
        self._copies = LocalCopies(directory / _COPIES, shared.objects)
        self._lock = threading.RLock()
        self._fetching: threading.Thread | None = None
        self._failed: tuple[str, float] = ("", 0.0)
        self._retired: list[_Answering] = []
        self._closed = False
        self._live: Pointer | None = None
        self._answering: _Answering | None = None
        self.changes: Changes = self._changes()
        shared.watch.watch(shared.name, self._notice)

    @property
    def opened(self) -> OpenedFolder:
        """The live snapshot, as far as it is on this machine; what the folder holds before any is.

        Raises:
            SnapshotError: It cannot be fetched, and none before it is open.
            CatalogError: There is nothing to read yet, and it was opened to read only.
        """
        return self._now_answering().opened

    @property
    def snapshot_id(self) -> str | None:
        """Of what answers now; None before the first."""
        held = self._now_answering().held
        return None if held is None else held.snapshot_id

    def _now_answering(self) -> _Answering:
        answering = self._answering
        if answering is not None:
            return answering
        with self._lock:
            if self._answering is None:
                self._live = self._shared.pointers.pointer(self._shared.name)
                self._answering = self._open(self._live)
                self._tidy()
            return self._answering

    def snapshots(self) -> Sequence[SnapshotRecord]:
        """Every snapshot that is kept, newest first."""
        return self._shared.pointers.records(self._shared.name)

    def go_back_to(self, snapshot: str) -> SnapshotRecord:
        """Make an earlier snapshot live."""
        return self._sharing().go_back_to(snapshot)

    def collect(self) -> tuple[int, int]:
        """Delete what is no longer needed; returns how many snapshots and stray pieces."""
        counts = self._sharing().collect()
        self._tidy()
        return counts

    def begin_anew(self) -> None:
        """Let the next change begin with nothing; what is live answers until then."""
        self._sharing().begin_anew()

    def delete_all(self) -> None:
        """Delete every snapshot, here and everywhere."""
        self._sharing().delete_all()

    @contextmanager
    def copy_of(self, snapshot: str) -> Generator[Path]:
        """The files of a snapshot, which nobody may change."""
        held = self._copies.hold(chosen(self.snapshots(), snapshot).snapshot_id)
        try:
            yield held.directory
        finally:
            held.release()

    def close(self) -> None:
        """Let go of files and connections."""
        self._shared.watch.unwatch(self._shared.name, self._notice)
        with self._lock:
            self._closed = True
            fetching = self._fetching
        if fetching is not None:
            fetching.join()
        with self._lock:
            for answering in filter(None, (*self._retired, self._answering)):
                answering.close()
            self._retired.clear()

    def _sharing(self) -> SharedChanges:
        if not isinstance(self.changes, SharedChanges):
            raise KnowledgeBaseError("The knowledge base was opened to read only.")
        return self.changes

    def _changes(self) -> Changes:
        if self._read_only:
            return RefusedChanges()  # pyright: ignore[reportReturnType]
        return SharedChanges(
            self._directory, self._parts, self._shared, copies=self._copies, adopt=self._adopt
        )

    def _open(self, live: Pointer | None, held: HeldCopy | None = None) -> _Answering:
        if live is None:
            if not self._read_only:
                forget_deleted(self._directory)
            opened = OpenedFolder(self._directory, self._parts, read_only=self._read_only)
            return _Answering(opened, None)
        held = held or self._copies.hold(live.snapshot_id)
        try:
            return _Answering(OpenedFolder(held.directory, self._parts, read_only=True), held)
        except CatalogError:
            # The disk of this machine, since every piece was right when it came.
            _log.warning("the copy of %r is damaged and is fetched again", self._shared.name)
            held.release()
            held = self._copies.fetch_again(live.snapshot_id)
            return _Answering(OpenedFolder(held.directory, self._parts, read_only=True), held)
        except BaseException:
            held.release()
            raise

    def _notice(self, live: Pointer | None) -> None:
        """What is live; another one than answers is fetched beside it."""
        with self._lock:
            self._close_retired()
            is_known = self._answering is None or live == self._live
            if is_known or self._fetching is not None or self._closed:
                return
            failed_id, again_at_s = self._failed
            wanted = "" if live is None else live.snapshot_id
            if wanted == failed_id and time.monotonic() < again_at_s:
                return
            self._fetching = threading.Thread(
                target=self._fetch, args=[live], name="snapshot fetch", daemon=True
            )
            self._fetching.start()

    def _fetch(self, live: Pointer | None) -> None:
        try:
            self._adopt(live, None)
        except Exception as error:
            wanted = "" if live is None else live.snapshot_id
            _log.warning(
                "the snapshot %s of %r could not be fetched, the one before it answers: %s",
                wanted[:12],
                self._shared.name,
                error,
            )
            self._failed = (wanted, time.monotonic() + _TRY_AGAIN_S)
        finally:
            with self._lock:
                self._fetching = None

    def _adopt(self, live: Pointer | None, held: HeldCopy | None) -> None:
        """Answer from `live` from now on; queries that are under way end where they began."""
        fresh = self._open(live, held)
        if self._answering is not None and self._answering.opened.reader.is_open:
            # Models are loaded, and somebody asks: the first to ask does not wait either.
            with suppress(KnowledgeBaseError), fresh.opened.reader.reading() as retriever:
                if retriever is not None:
                    retriever.warm_up()
        with self._lock:
            if self._closed or _is_older(live, self._live):
                fresh.close()
                return
            old, self._answering, self._live = self._answering, fresh, live
            if old is not None:
                old.retired_at_s = time.monotonic()
                self._retired.append(old)
            self._close_retired()
        self._tidy()

    def _close_retired(self) -> None:
        """Close what nobody can be asking any more."""
        grace_s = self._shared.grace.total_seconds()
        now_s = time.monotonic()
        gone = [
            each
            for each in self._retired
            # However long a query takes: SQLite ends the process when its files go under it.
            if now_s - each.retired_at_s >= grace_s and not each.opened.reader.is_read
        ]
        for each in gone:
            self._retired.remove(each)
            each.close()
        if gone:
            self._tidy()

    def _tidy(self) -> None:
        keep = [] if self._live is None else [self._live.snapshot_id]
        self._copies.drop_unused(keep)


def _is_older(live: Pointer | None, present: Pointer | None) -> bool:
    """Whether somebody was faster with something newer."""
    return live is not None and present is not None and live.generation < present.generation
