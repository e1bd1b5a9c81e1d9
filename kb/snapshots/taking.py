"""A folder -> a snapshot of it, whose pieces are put where other machines find them."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from kb.index.catalog import Catalog
from kb.index.sqlite_file import connect_sqlite
from kb.snapshots.manifest import PIECE_BYTES, Manifest, SnapshotFile, digest_of
from kb.snapshots.objects import SnapshotObjects

CATALOG = "catalog.sqlite3"
_DATABASES = (CATALOG, "embeddings.sqlite3", "chroma/chroma.sqlite3")
_VECTORS = "chroma"
_JOURNALS = ("-wal", "-shm", "-journal")


def copy_folder(source: Path, target: Path) -> None:
    """Copy what a knowledge base consists of. The caller holds its writer lock."""
    target.mkdir(parents=True)
    if (source / _VECTORS).is_dir():
        shutil.copytree(
            source / _VECTORS,
            target / _VECTORS,
            ignore=lambda _, names: [name for name in names if _is_database(name)],
        )
    for name in _DATABASES:
        if (source / name).is_file():
            # Not as files: what is committed may still lie in the write-ahead log.
            with (
                closing(connect_sqlite(source / name, read_only=True)) as held,
                closing(sqlite3.connect(target / name)) as copied,
            ):
                held.backup(copied)


def compact(directory: Path) -> None:
    """Leave nothing of what was deleted in the pages of the catalog."""
    with closing(connect_sqlite(directory / CATALOG, read_only=False)) as connection:
        connection.execute("insert into chunk_search (chunk_search) values ('optimize')")
        connection.execute("insert into name_search (name_search) values ('optimize')")
        connection.execute("vacuum")
        connection.execute("pragma wal_checkpoint(truncate)")


def manifest_of(folder: Path) -> Manifest:
    """The manifest of files that nobody changes."""
    with closing(Catalog(folder / CATALOG, read_only=True)) as catalog:
        index_version, chunks = catalog.index_version, catalog.live_count()
        documents = sum(each.status == "ready" for each in catalog.documents())
        rows = catalog.connection.execute("select distinct document_id from document_versions")
        held = sorted(str(row[0]) for row in rows)
    files = {
        path.relative_to(folder).as_posix(): SnapshotFile(
            size=path.stat().st_size, pieces=tuple(map(digest_of, _pieces_of(path)))
        )
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(_JOURNALS)
    }
    return Manifest(
        index_version=index_version,
        documents=documents,
        chunks=chunks,
        held=tuple(held),
        files=files,
    )


def upload(manifest: Manifest, folder: Path, objects: SnapshotObjects, *, known: set[str]) -> None:
    """Put what a snapshot consists of where others find it, its manifest last.

    Args:
        manifest: Of the files in `folder`.
        folder: Nobody changes it meanwhile.
        objects: Where to.
        known: Pieces that are there already, since a snapshot that is kept consists of them.
    """
    objects.put_pieces(_missing(manifest, folder, known))
    objects.put_manifest(manifest)


def _missing(
    manifest: Manifest, folder: Path, known: set[str]
) -> Iterator[tuple[str, Callable[[], bytes]]]:
    named = set(known)
    for name, file in manifest.files.items():
        for place, digest in enumerate(file.pieces):
            if digest not in named:
                named.add(digest)
                path, start = folder / name, place * PIECE_BYTES
                yield digest, lambda path=path, start=start: read_piece(path, start)


def read_piece(path: Path, start: int) -> bytes:
    """One piece of a file."""
    with path.open("rb") as file:
        file.seek(start)
        return file.read(PIECE_BYTES)


def _pieces_of(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece


def _is_database(name: str) -> bool:
    return name == "chroma.sqlite3" or name.endswith(_JOURNALS)
