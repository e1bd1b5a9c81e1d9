"""Snapshots as folders of this machine, deleted when none of its processes reads them."""

import secrets
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.snapshots.manifest import PIECE_BYTES, Manifest, digest_of, read_manifest
from kb.snapshots.objects import SnapshotObjects
from kb.snapshots.taking import read_piece

_MANIFEST = "manifest.json"
_FILES = "files"
_READERS = "readers"
_AT_ONCE = 8
_AHEAD = 64
"""Pieces that are held in memory at most."""
_FOLDER_LOCK_TIMEOUT_S = 600.0


@dataclass(frozen=True, slots=True)
class HeldCopy:
    """A copy that stays as long as it is held."""

    snapshot_id: str
    directory: Path
    """Where the files are."""
    _mark: Any

    def release(self) -> None:
        """It may go when nobody else holds it."""
        self._mark.release()
        Path(self._mark.lock_file).unlink(missing_ok=True)


class LocalCopies:
    """The copies of one knowledge base on this machine. Safe to share between processes.

    Who reads a copy holds a lock on a file in it, which the system frees when the process dies.
    """

    def __init__(self, folder: Path, objects: SnapshotObjects) -> None:
        self._folder = folder
        self._objects = objects

    def hold(self, snapshot_id: str) -> HeldCopy:
        """Hold the copy of a snapshot; only what no other copy has is fetched.

        Raises:
            SnapshotError: The snapshot cannot be fetched.
        """
        with self._locked():
            place = self._folder / snapshot_id
            if not place.is_dir():
                self._fetch(self._objects.manifest(snapshot_id), place)
            return self._held(snapshot_id)

    def fetch_again(self, snapshot_id: str) -> HeldCopy:
        """Hold a copy in place of one that is damaged, as others keep it."""
        with self._locked():
            place = self._folder / snapshot_id
            if place.is_dir():
                place.replace(self._folder / f".{snapshot_id}-{secrets.token_hex(4)}.gone")
            self._fetch(self._objects.manifest(snapshot_id), place)
            return self._held(snapshot_id)

    def take_over(self, manifest: Manifest, folder: Path) -> HeldCopy:
        """Make a folder, of which `manifest` is the manifest, the copy of its snapshot."""
        with self._locked():
            place = self._folder / manifest.snapshot_id
            if place.is_dir():
                shutil.rmtree(folder)
            else:
                following = self._begin(manifest)
                folder.replace(following / _FILES)
                following.replace(place)
            return self._held(manifest.snapshot_id)

    def write_into(self, directory: Path, snapshot_id: str) -> None:
        """Write the files of a snapshot into a folder."""
        held = self.hold(snapshot_id)
        try:
            shutil.copytree(held.directory, directory, dirs_exist_ok=True)
        finally:
            held.release()

    def drop_unused(self, keep: Iterable[str]) -> list[str]:
        """Delete the copies that no process holds, but for those named; returns which."""
        kept, dropped = set(keep), list[str]()
        if not self._folder.is_dir():
            return dropped
        with self._locked():
            for place in self._places():
                if place.name not in kept and not _is_read(place / _READERS):
                    # Whatever is left of it is no copy any more.
                    place.replace(self._folder / f".{place.name}.gone")
                    dropped.append(place.name)
            self._clear()
        return dropped

    def new_folder(self) -> Path:
        """Where the files of a copy that is being made may be put; deleted by the next one."""
        self._folder.mkdir(parents=True, exist_ok=True)
        return self._folder / f".taken-{secrets.token_hex(4)}"

    def clear_taken(self) -> None:
        """Delete what takings left that were killed. The caller is the only one that takes."""
        for left in self._folder.glob(".taken-*"):
            shutil.rmtree(left, ignore_errors=True)

    def _held(self, snapshot_id: str) -> HeldCopy:
        from filelock import FileLock

        place = self._folder / snapshot_id
        (place / _READERS).mkdir(exist_ok=True)
        mark = FileLock(place / _READERS / f"{secrets.token_hex(8)}.lock", thread_local=False)
        mark.acquire()
        return HeldCopy(snapshot_id, place / _FILES, mark)

    def _fetch(self, manifest: Manifest, place: Path) -> None:
        self._clear()
        here = self._pieces_here()
        following = self._begin(manifest)
        for name, file in manifest.files.items():
            path = following / _FILES / name
            path.parent.mkdir(parents=True, exist_ok=True)
            with path.open("wb") as target:
                for data in self._pieces(file.pieces, here):
                    target.write(data)
        following.replace(place)

    def _pieces(
        self, digests: Sequence[str], here: Mapping[str, tuple[Path, int]]
    ) -> Iterator[bytes]:
        """Pieces in their order, some of them fetched at the same time."""

        def piece(digest: str) -> bytes:
            data = _from_here(here.get(digest), digest)
            return self._objects.piece(digest) if data is None else data

        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for start in range(0, len(digests), _AHEAD):
                yield from threads.map(piece, digests[start : start + _AHEAD])

    def _begin(self, manifest: Manifest) -> Path:
        following = self._folder / f".{manifest.snapshot_id}.next"
        if following.exists():
            shutil.rmtree(following)
        (following / _READERS).mkdir(parents=True)
        (following / _MANIFEST).write_bytes(manifest.as_bytes())
        return following

    def _pieces_here(self) -> dict[str, tuple[Path, int]]:
        """Where pieces are on this machine; readers may have changed files, so each is checked."""
        found: dict[str, tuple[Path, int]] = {}
        for place in self._places():
            manifest = read_manifest((place / _MANIFEST).read_bytes(), place=str(place))
            for name, file in manifest.files.items():
                for number, digest in enumerate(file.pieces):
                    found[digest] = (place / _FILES / name, number * PIECE_BYTES)
        return found

    def _places(self) -> Iterator[Path]:
        return (path for path in sorted(self._folder.iterdir()) if not path.name.startswith("."))

    def _clear(self) -> None:
        """Delete what was half made or half deleted by a process that was killed."""
        for left in (*self._folder.glob(".*.next"), *self._folder.glob(".*.gone")):
            shutil.rmtree(left, ignore_errors=True)

    def _locked(self) -> Any:
        from filelock import FileLock

        self._folder.mkdir(parents=True, exist_ok=True)
        return FileLock(self._folder / ".lock", timeout=_FOLDER_LOCK_TIMEOUT_S)


def _from_here(where: tuple[Path, int] | None, digest: str) -> bytes | None:
    if where is None:
        return None
    with suppress(OSError):
        data = read_piece(*where)
        if digest_of(data) == digest:
            return data
    return None


def _is_read(readers: Path) -> bool:
    """Whether a process holds one of the marks; marks of processes that died are deleted."""
    from filelock import FileLock, Timeout

    for mark in readers.glob("*.lock"):
        lock = FileLock(mark, timeout=0)
        try:
            lock.acquire()
        except Timeout:
            return True
        lock.release()
        mark.unlink(missing_ok=True)
    return False
