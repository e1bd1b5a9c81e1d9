"""Changes of a shared knowledge base: made on one machine, live when the pointer moves."""

import json
import shutil
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from kb.document import Document, Source, SyncReport
from kb.errors import KnowledgeBaseError, SnapshotError, UnknownDocumentError
from kb.folder import Changes, FolderParts, OpenedFolder, writer_of
from kb.ingest.site_listing import ListedSources
from kb.ingest.source_store import IngestProgress
from kb.ingest.writer_lock import writer_lock
from kb.snapshots.collecting import collect, collect_strays
from kb.snapshots.copies import HeldCopy, LocalCopies
from kb.snapshots.pointers import Pointer, SnapshotRecord, WriterLease
from kb.snapshots.shared import Shared
from kb.snapshots.taking import CATALOG, compact, copy_folder, manifest_of, upload
from kb.whole_file import write_whole

_T = TypeVar("_T")
_STARTED_FROM = "snapshot.json"
ANEW = (CATALOG, "chroma", "derived")
_WRITTEN = (CATALOG, "embeddings.sqlite3", "chroma", "derived")


class SharedChanges:
    """What `Writer` offers, on many machines: one of them at a time, each change a snapshot."""

    def __init__(
        self,
        directory: Path,
        parts: FolderParts,
        shared: Shared,
        *,
        copies: LocalCopies,
        adopt: Callable[[Pointer, HeldCopy | None], None],
    ) -> None:
        """Change `directory`, and give what came of it to `adopt`."""
        self._directory = directory
        self._parts = parts
        self._shared = shared
        self._copies = copies
        self._adopt = adopt
        self._lock = threading.RLock()

    def add(self, sources: Sequence[Source], *, progress: IngestProgress | None) -> list[Document]:
        """As of `Writer`."""
        return self._change(lambda changes: changes.add(sources, progress=progress))

    def take_in(
        self, listed: ListedSources, *, remove_others: bool, progress: IngestProgress | None
    ) -> SyncReport:
        """As of `Writer`."""
        return self._change(
            lambda changes: changes.take_in(listed, remove_others=remove_others, progress=progress)
        )

    def remove(self, document_id: str, *, erase: bool) -> None:
        """As of `Writer`; what is erased is in no snapshot any more once the grace period is over.

        A document that is only in earlier snapshots is erased from them.
        """

        def take_out(changes: Changes) -> None:
            try:
                changes.remove(document_id, erase=erase)
            except UnknownDocumentError:
                if not erase or not self._holding(document_id):
                    raise

        self._change(take_out, erased=document_id if erase else None)

    def rollback(self, index_version: int | None) -> int:
        """As of `Writer`."""
        return self._change(lambda changes: changes.rollback(index_version))

    def rebuild_index(self) -> int:
        """As of `Writer`."""
        return self._change(lambda changes: changes.rebuild_index())

    def go_back_to(self, snapshot: str) -> SnapshotRecord:
        """Make an earlier snapshot live, by its id or the beginning of it."""
        if self._parts.config.index.chroma_url is not None:
            raise SnapshotError(
                "The vectors are on a Chroma server, which knows only the present ones. Go back "
                "to an index version instead: `vivavoce kb rollback AGENT VERSION`."
            )
        with self._writing() as (lease, live):
            record = chosen(self._shared.pointers.records(self._shared.name), snapshot)
            if live is not None and live.snapshot_id == record.snapshot_id:
                return record
            held = self._copies.hold(record.snapshot_id)
            try:
                moved = self._move(record, live, lease)
            except BaseException:
                held.release()
                raise
        self._adopt(moved, held)
        return record

    def collect(self) -> tuple[int, int]:
        """Delete what is no longer needed; returns how many snapshots and stray pieces."""
        with self._writing():
            return collect(self._shared), collect_strays(self._shared)

    def delete_all(self) -> None:
        """Delete every snapshot, here and everywhere."""
        with self._writing():
            self._shared.pointers.forget_all(self._shared.name)
            self._shared.objects.delete_all()

    def begin_anew(self) -> None:
        """Let the next change begin with nothing, whatever is live; vectors stay, by their texts.

        What is live answers until then.
        """
        with self._writing() as (_, live):
            self._note_start(None)
            clear(self._directory, ANEW)
            self._note_start(live, is_anew=True)

    def _change(self, change: Callable[[Changes], _T], *, erased: str | None = None) -> _T:
        with self._writing() as (lease, live):
            self._bring_up_to_date(live)
            opened = OpenedFolder(self._directory, self._parts, read_only=False)
            try:
                failed: KnowledgeBaseError | None = None
                result: _T | None = None
                try:
                    result = change(writer_of(opened, self._parts))
                except KnowledgeBaseError as error:
                    # What went in before it counts, as it does in a folder.
                    failed = error
            finally:
                opened.close()
            lease.require()
            moved, held = self._publish(live, lease, erased=erased)
        if held is not None:
            self._adopt(moved, held)
        if failed is not None:
            raise failed
        return result  # pyright: ignore[reportReturnType]

    @contextmanager
    def _writing(self) -> Generator[tuple[WriterLease, Pointer | None]]:
        """Hold the lease; gives what is live."""
        timeout_s = self._parts.config.index.writer_timeout_s
        pointers, name = self._shared.pointers, self._shared.name
        with self._lock, pointers.lease(name, timeout_s=timeout_s) as lease:
            yield lease, pointers.pointer(name)

    def _bring_up_to_date(self, live: Pointer | None) -> None:
        """Make the folder what is live, unless this machine made that."""
        if live is None:
            forget_deleted(self._directory)
            return
        if started_from(self._directory) == live.snapshot_id:
            return
        self._note_start(None)
        clear(self._directory)
        self._copies.write_into(self._directory, live.snapshot_id)
        self._note_start(live)

    def _publish(
        self, live: Pointer | None, lease: WriterLease, *, erased: str | None
    ) -> tuple[Pointer, HeldCopy | None]:
        """Take a snapshot of the folder and make it live; nothing where nothing changed."""
        shared, config = self._shared, self._parts.config
        if erased is not None:
            compact(self._directory)
        self._copies.clear_taken()
        folder = self._copies.new_folder()
        with writer_lock(self._directory, timeout_s=config.index.writer_timeout_s):
            copy_folder(self._directory, folder)
        manifest = manifest_of(folder)
        withdrawn = [] if erased is None else self._holding(erased)
        if live is not None and manifest.snapshot_id == live.snapshot_id:
            shutil.rmtree(folder)
            shared.pointers.withdraw(shared.name, withdrawn, at=shared.now())
            return live, None
        held = None
        try:
            upload(manifest, folder, shared.objects, known=self._known_pieces())
            held = self._copies.take_over(manifest, folder)
            record = SnapshotRecord(
                manifest.snapshot_id,
                shared.now(),
                manifest.index_version,
                manifest.documents,
                manifest.chunks,
                manifest.size,
            )
            moved = self._move(record, live, lease, withdrawn)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            if held is not None:
                held.release()
            raise
        self._note_start(moved)
        collect(shared)
        return moved, held

    def _move(
        self,
        record: SnapshotRecord,
        live: Pointer | None,
        lease: WriterLease,
        withdrawn: Sequence[str] = (),
    ) -> Pointer:
        return self._shared.pointers.move(
            self._shared.name, record, expected=live, lease=lease, withdrawn=withdrawn
        )

    def _known_pieces(self) -> set[str]:
        if _is_anew(self._directory):
            return set()
        records = self._shared.pointers.records(self._shared.name)
        newest = [each.snapshot_id for each in records if each.withdrawn_at is None][:1]
        manifests = self._shared.objects.manifests(newest).values()
        return set[str]().union(*(manifest.pieces() for manifest in manifests))

    def _holding(self, document_id: str) -> list[str]:
        """Snapshots that hold a text of a document."""
        records = self._shared.pointers.records(self._shared.name)
        ids = [each.snapshot_id for each in records if each.withdrawn_at is None]
        found = self._shared.objects.manifests(ids)
        return [each for each, manifest in found.items() if document_id in manifest.held]

    def _note_start(self, live: Pointer | None, *, is_anew: bool = False) -> None:
        path = self._directory / _STARTED_FROM
        if live is None:
            path.unlink(missing_ok=True)
            return
        write_whole(path, json.dumps({"snapshot_id": live.snapshot_id, "anew": is_anew}))


def started_from(directory: Path) -> str | None:
    """The snapshot that the folder was made of, or that was made of it."""
    path = directory / _STARTED_FROM
    return json.loads(path.read_text("utf-8"))["snapshot_id"] if path.is_file() else None


def _is_anew(directory: Path) -> bool:
    """Whether nothing that is kept elsewhere is relied on."""
    path = directory / _STARTED_FROM
    return path.is_file() and bool(json.loads(path.read_text("utf-8"))["anew"])


def clear(directory: Path, names: Sequence[str] = _WRITTEN) -> None:
    """Delete what a knowledge base wrote into its folder."""
    for name in names:
        for path in directory.glob(f"{name}*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def forget_deleted(directory: Path) -> None:
    """Nothing is live: a folder that was made of a snapshot is left of one that was deleted."""
    if started_from(directory) is not None:
        clear(directory)
        (directory / _STARTED_FROM).unlink()


class RefusedChanges:
    """Changes of what was opened to read only."""

    def __getattr__(self, name: str) -> object:
        raise KnowledgeBaseError(
            "The knowledge base was opened to read only. Open it without `read_only` to change it."
        )


def chosen(records: Sequence[SnapshotRecord], snapshot: str) -> SnapshotRecord:
    """The snapshot with this id, or whose id alone begins so.

    Raises:
        SnapshotError: There is none, there are several, or nobody may go back to it.
    """
    found = [each for each in records if snapshot and each.snapshot_id.startswith(snapshot)]
    if len(found) != 1:
        known = ", ".join(each.snapshot_id[:12] for each in records if each.withdrawn_at is None)
        raise SnapshotError(
            f"{'Several snapshots begin' if found else 'No snapshot begins'} with {snapshot!r}. "
            f"There are: {known or 'none'}."
        )
    if found[0].withdrawn_at is not None:
        raise SnapshotError(
            f"The snapshot {snapshot!r} holds a document that was erased since, or is being "
            "deleted, so that nobody can go back to it. `vivavoce kb snapshots` lists the others."
        )
    return found[0]
