"""Pieces and manifests at an address that fsspec knows: `s3://`, `gs://`, `file://`, `memory://`."""

from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cached_property
from importlib import import_module
from typing import Any

from kb.errors import KnowledgeBaseError, SnapshotError
from kb.snapshots.manifest import Manifest, digest_of, read_manifest

_AT_ONCE = 8


class SnapshotObjects:
    """What snapshots of one knowledge base consist of. Safe to share between threads.

    Nothing is ever changed in place: an object is named by the digest of what is in it, so that
    one which was written only in part is found out, and written again.
    """

    def __init__(self, url: str) -> None:
        """Take the address of a folder; credentials come from where fsspec looks for them."""
        self.url = url.rstrip("/")
        self.read = 0
        """Pieces that were fetched from there."""
        self.written = 0
        """Pieces that were put there."""

    @cached_property
    def _place(self) -> tuple[Any, str]:
        core: Any = import_module("fsspec.core")
        with self._telling("cannot be used"):
            filesystem, root = core.url_to_fs(self.url)
            return filesystem, str(root).rstrip("/")

    def put_pieces(self, pieces: Iterable[tuple[str, Callable[[], bytes]]]) -> None:
        """Put pieces there, each read when its turn has come."""

        def put(piece: tuple[str, Callable[[], bytes]]) -> None:
            digest, read = piece
            self._put(self._piece(digest), read())

        with self._telling("could not be written"), ThreadPoolExecutor(_AT_ONCE) as threads:
            for _ in threads.map(put, pieces):
                self.written += 1

    def piece(self, digest: str) -> bytes:
        """One piece.

        Raises:
            SnapshotError: It is not there, or not what it was.
        """
        with self._telling(f"does not give the piece {digest[:12]}"):
            data: bytes = self._place[0].cat_file(self._piece(digest))
        if digest_of(data) != digest:
            raise SnapshotError(
                f"The piece {self._piece(digest)!r} is damaged. Ingest again, which writes it "
                "anew, or go back to another snapshot with `vivavoce kb rollback`."
            )
        self.read += 1
        return data

    def put_manifest(self, manifest: Manifest) -> None:
        """Keep a manifest."""
        with self._telling("could not be written"):
            self._put(self._manifest(manifest.snapshot_id), manifest.as_bytes())

    def manifest(self, snapshot_id: str) -> Manifest:
        """The manifest of a snapshot.

        Raises:
            SnapshotError: It is not there, or damaged.
        """
        path = self._manifest(snapshot_id)
        with self._telling(f"does not give the snapshot {snapshot_id[:12]}"):
            data: bytes = self._place[0].cat_file(path)
        if digest_of(data) != snapshot_id:
            raise SnapshotError(
                f"The manifest {path!r} is damaged. Go back to another snapshot with "
                "`vivavoce kb rollback`, or ingest again."
            )
        return read_manifest(data, place=path)

    def manifests(self, snapshot_ids: Iterable[str]) -> Mapping[str, Manifest]:
        """Those of these snapshots whose manifest is there."""
        found: dict[str, Manifest] = {}
        for snapshot_id in snapshot_ids:
            if self._is_there(self._manifest(snapshot_id)):
                found[snapshot_id] = self.manifest(snapshot_id)
        return found

    def delete(self, pieces: Iterable[str] = (), snapshot_ids: Iterable[str] = ()) -> None:
        """Delete pieces, then manifests; what is not there is passed over."""
        paths = [*map(self._piece, pieces), *map(self._manifest, snapshot_ids)]
        with self._telling("could not be tidied"):
            for path in paths:
                if self._is_there(path):
                    self._place[0].rm_file(path)

    def all_pieces(self) -> set[str]:
        """Digests of every piece that is there, whatever refers to it."""
        filesystem, root = self._place
        with self._telling("cannot be listed"):
            filesystem.invalidate_cache()
            try:
                found: list[str] = filesystem.find(f"{root}/pieces")
            except FileNotFoundError:
                return set()
        return {path.rpartition("/")[2] for path in found}

    def delete_all(self) -> None:
        """Delete everything of this knowledge base."""
        filesystem, root = self._place
        with self._telling("could not be deleted"):
            filesystem.invalidate_cache()
            if filesystem.exists(root):
                filesystem.rm(root, recursive=True)

    def check(self) -> None:
        """Ask whether the place answers at all.

        Raises:
            SnapshotError: It does not.
        """
        filesystem, root = self._place
        with self._telling("does not answer"):
            filesystem.invalidate_cache()
            filesystem.exists(root)

    def _put(self, path: str, data: bytes) -> None:
        filesystem, _ = self._place
        filesystem.makedirs(path.rpartition("/")[0], exist_ok=True)
        filesystem.pipe_file(path, data)

    def _is_there(self, path: str) -> bool:
        filesystem, _ = self._place
        filesystem.invalidate_cache()
        return bool(filesystem.exists(path))

    def _piece(self, digest: str) -> str:
        return f"{self._place[1]}/pieces/{digest[:2]}/{digest}"

    def _manifest(self, snapshot_id: str) -> str:
        return f"{self._place[1]}/snapshots/{snapshot_id}.json"

    @contextmanager
    def _telling(self, what: str) -> Generator[None]:
        try:
            yield
        except KnowledgeBaseError:
            raise
        except ImportError as error:
            raise SnapshotError(
                f"{self.url!r} {what}: {error}. Install what this kind of address needs, for "
                "`s3://` `pip install 'vivavoce[s3]'`."
            ) from error
        # Each filesystem raises what its own client raises, which has no class in common.
        except Exception as error:
            raise SnapshotError(
                f"{self.url!r} {what} ({type(error).__name__}: {error}). What is copied already "
                "still answers. Check VIVAVOCE_KB_URL, the credentials and the server, and try "
                "again."
            ) from error
