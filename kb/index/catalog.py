"""The catalog: documents, their versions, chunks and the lexical index in one SQLite file.

WAL mode, so that readers never wait for the writer. Vectors are not in it: they live in the vector
index, and are listed here as pending from the moment a change is stored until they are there too.
"""

import json
import sqlite3
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from kb.document import Chunk, Document, Place
from kb.errors import CatalogError
from kb.index.catalog_schema import SCHEMA_VERSION, STEPS, WORDS_VERSION
from kb.index.catalog_words import store_all_words
from kb.index.sqlite_file import connect_sqlite, is_writable
from kb.words.indexing import ChunkTerms

_T = TypeVar("_T")

_MIGRATION_TIMEOUT_MS = 1_800_000
"""How long to wait for another process that brings a large catalog up to date."""
_MAX_VARIABLES = 500
_decoded = lru_cache(maxsize=10_000)(json.loads)
"""Headings and places, many of which are alike; for reading only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChunkRow(Chunk):
    """A chunk as it is read from the catalog, with what its document says of it."""

    row_id: int
    text_key: str
    """Of its vector in the cache."""
    document_name: str
    document_version: int
    name_id: int | None
    """The name that the chunk stands under: title, outermost heading or document name."""
    terms: ChunkTerms = field(default_factory=ChunkTerms)
    """Without `known`, which the catalog keeps of all chunks together."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What decides whether a source changed since it was taken in."""

    document: Document
    signature: str
    etag: str | None
    last_modified: str | None


class Catalog:
    """Reads of the catalog. Each thread has its own connection."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file; create it unless `read_only`.

        Raises:
            CatalogError: There is no such file to read, or a newer release wrote it.
        """
        self._path = path
        self._read_only = read_only
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._connections_lock = threading.Lock()
        if read_only and not path.is_file():
            raise CatalogError(
                f"There is no knowledge base in {str(path.parent)!r}. Ingest documents first, or "
                "open it for writing to create an empty one."
            )
        self._prepare()

    @property
    def read_only(self) -> bool:
        """Whether nothing can be changed."""
        return self._read_only

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._connections_lock:
            for connection in self._connections:
                connection.close()
            self._connections.clear()

    @property
    def connection(self) -> sqlite3.Connection:
        """The calling thread's connection."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
        return connection

    @contextmanager
    def transaction(self) -> Generator[sqlite3.Connection]:
        """All or nothing; takes the write lock at once, so that what is read stays true."""
        connection = self.connection
        connection.execute("begin immediate")
        try:
            yield connection
        except BaseException:
            connection.execute("rollback")
            raise
        connection.execute("commit")

    def meta(self, key: str) -> str | None:
        """A stored setting of the knowledge base."""
        row = self.connection.execute("select value from meta where key = ?", (key,)).fetchone()
        return None if row is None else str(row[0])

    @property
    def index_version(self) -> int:
        """Number of publishes so far."""
        return int(self.meta("index_version") or 0)

    def documents(self) -> list[Document]:
        """All documents, in the order they were first taken in."""
        rows = self.connection.execute(f"select {_DOCUMENT} from documents order by rowid")
        return [_document(row) for row in rows]

    def fingerprint(self, document_id: str) -> Fingerprint | None:
        """The document with what tells whether its source changed."""
        row = self.connection.execute(
            f"select {_DOCUMENT}, signature, etag, last_modified from documents "
            "where document_id = ?",
            (document_id,),
        ).fetchone()
        if row is None:
            return None
        return Fingerprint(
            _document(row[:-3]), signature=row[-3], etag=row[-2], last_modified=row[-1]
        )

    def fingerprints(self) -> dict[str, Fingerprint]:
        """Every document by its id, with what tells whether its source changed."""
        found = (self.fingerprint(document.document_id) for document in self.documents())
        return {known.document.document_id: known for known in found if known is not None}

    def text_of(self, document_id: str, *, version: int | None = None) -> str | None:
        """Stored text of a version; None takes the newest."""
        row = self.connection.execute(
            "select text from document_versions where document_id = :id and version = "
            "coalesce(:version, (select max(version) from document_versions "
            "where document_id = :id))",
            {"id": document_id, "version": version},
        ).fetchone()
        return None if row is None else str(row[0])

    def chunks_by_row(self, row_ids: Sequence[int]) -> dict[int, ChunkRow]:
        """Live chunks among these rows."""
        return {row.row_id: row for row in self._chunks("c.row_id", row_ids)}

    def rows_of_chunks(self, chunk_ids: Sequence[str]) -> dict[str, int]:
        """Row numbers of the live chunks among these."""
        found: dict[str, int] = {}
        for part in _parts(chunk_ids):
            rows = self.connection.execute(
                f"select chunk_id, row_id from chunks where live and chunk_id in ({_marks(part)})",
                part,
            )
            found.update((str(chunk_id), int(row_id)) for chunk_id, row_id in rows)
        return found

    def chunks_of(self, document_id: str) -> list[ChunkRow]:
        """Live chunks of a document in reading order."""
        return sorted(self._chunks("c.document_id", [document_id]), key=lambda row: row.ordinal)

    def chunk(self, chunk_id: str) -> ChunkRow | None:
        """A chunk by its id, also one that is no longer in the index."""
        rows = self._chunks("c.chunk_id", [chunk_id], live_only=False)
        return rows[0] if rows else None

    def names(self, name_ids: Sequence[int]) -> dict[int, list[str]]:
        """Terms of names in order, by the ids of the names."""
        found: dict[int, list[str]] = {}
        for part in _parts(name_ids):
            rows = self.connection.execute(
                f"select name_id, terms from name_words where name_id in ({_marks(part)})", part
            )
            found.update((int(name_id), str(terms).split()) for name_id, terms in rows)
        return found

    def rows_under(self, name_id: int, *, limit: int) -> list[int]:
        """Row numbers of live chunks that stand under a name."""
        rows = self.connection.execute(
            "select row_id from chunks where name_id = ? and live order by row_id limit ?",
            (name_id, limit),
        )
        return [int(row[0]) for row in rows]

    def sample_rows(self, size: int) -> list[int]:
        """About `size` row numbers spread evenly over all chunks."""
        last = self.connection.execute("select coalesce(max(row_id), 0) from chunks").fetchone()[0]
        return list(range(1, int(last) + 1, max(1, int(last) // size)))

    def text_between(self, document_id: str, start: int, end: int, *, version: int) -> str:
        """Characters [start, end) of a version's stored text."""
        row = self.connection.execute(
            "select substr(text, ?, ?) from document_versions where document_id = ? "
            "and version = ?",
            (start + 1, end - start, document_id, version),
        ).fetchone()
        return "" if row is None else str(row[0])

    def live_keys(self) -> list[tuple[str, str]]:
        """(chunk id, key of its embedded text) of every chunk in the index, by chunk id."""
        rows = self.connection.execute(
            "select chunk_id, text_key from chunks where live order by 1"
        )
        return [(str(chunk_id), str(key)) for chunk_id, key in rows]

    def live_count(self) -> int:
        """Number of chunks in the index."""
        return int(self.connection.execute("select count(*) from chunks where live").fetchone()[0])

    def indexed_texts(self, chunk_ids: Sequence[str]) -> dict[str, tuple[str, str]]:
        """(text key, text as embedded) of chunks by chunk id."""
        found: dict[str, tuple[str, str]] = {}
        for part in _parts(chunk_ids):
            rows = self.connection.execute(
                "select chunk_id, text_key, headings, body from chunks "
                f"where chunk_id in ({_marks(part)})",
                part,
            )
            for chunk_id, key, headings, body in rows:
                found[str(chunk_id)] = (str(key), f"{headings}\n{body}" if headings else str(body))
        return found

    def pending_vectors(self) -> list[tuple[str, str]]:
        """(chunk id, `add` or `delete`) of every chunk that the vector index does not reflect."""
        rows = self.connection.execute("select chunk_id, operation from pending_vectors order by 1")
        return [(str(chunk_id), str(operation)) for chunk_id, operation in rows]

    def pending_among(self, chunk_ids: Sequence[str]) -> set[str]:
        """Those of these chunks that are not published yet."""
        found: set[str] = set()
        for part in _parts(chunk_ids):
            rows = self.connection.execute(
                f"select chunk_id from pending_vectors where chunk_id in ({_marks(part)})", part
            )
            found.update(str(row[0]) for row in rows)
        return found

    def deleted_since_rebuild(self) -> int:
        """Vectors deleted from the present collection, those pending included."""
        pending = self.connection.execute(
            "select count(*) from pending_vectors where operation = 'delete'"
        ).fetchone()[0]
        return int(self.meta("deleted") or 0) + int(pending)

    def set_meta(self, changes: Mapping[str, str]) -> None:
        """Store settings of the knowledge base."""
        with self.transaction() as connection:
            connection.executemany("insert or replace into meta values (?, ?)", changes.items())

    def finish_publish(self, collection: str, *, model_id: str) -> tuple[int, str | None]:
        """Switch to `collection`, clear what was pending and count up the index version.

        Returns:
            The new version, and the collection that nothing refers to any longer.
        """
        with self.transaction() as connection:
            present = self.meta("collection")
            version = self.index_version + 1
            dropped = None
            changes = {
                "index_version": str(version),
                "model_id": model_id,
                "deleted": str(self.deleted_since_rebuild()),
            }
            if collection != present:
                dropped = self.meta("previous_collection")
                changes["previous_collection"] = present or ""
                changes["collection"] = collection
                changes["collection_number"] = collection.rpartition("-")[2]
                changes["deleted"] = "0"
            connection.executemany("insert or replace into meta values (?, ?)", changes.items())
            connection.execute("delete from pending_vectors")
        return version, dropped or None

    def _chunks(
        self, column: str, values: Sequence[int] | Sequence[str], *, live_only: bool = True
    ) -> list[ChunkRow]:
        found: list[ChunkRow] = []
        for part in _parts(values):
            rows = self.connection.execute(
                f"select {_CHUNK} from chunks c join chunk_words w using (row_id) "
                "left join documents d using (document_id) "
                f"where {column} in ({_marks(part)}){' and c.live' if live_only else ''}",
                part,
            )
            found.extend(_chunk_row(row) for row in rows)
        return found

    def _connect(self) -> sqlite3.Connection:
        connection = connect_sqlite(self._path, read_only=self._read_only)
        connection.execute("pragma foreign_keys = on")
        if not self._read_only:
            connection.execute("pragma synchronous = normal")
        with self._connections_lock:
            self._connections.append(connection)
        return connection

    def _prepare(self) -> None:
        if self._schema_version() < SCHEMA_VERSION:
            if not self._read_only:
                self._migrate()
            elif is_writable(self._path) and is_writable(self._path.parent):
                # What readers see stays the same, so that they need not wait for a writer.
                Catalog(self._path).close()
        if (found := self._schema_version()) != SCHEMA_VERSION:
            self.close()
            remedy = "Upgrade vivavoce" if found > SCHEMA_VERSION else "Open it for writing once"
            raise CatalogError(
                f"The catalog {str(self._path)!r} has schema {found}, this release reads "
                f"{SCHEMA_VERSION}. {remedy}, or ingest into another directory."
            )

    def _migrate(self) -> None:
        self.connection.execute(f"pragma busy_timeout = {_MIGRATION_TIMEOUT_MS}")
        with self.transaction() as connection:
            # Another process may have been faster.
            found = self._schema_version()
            for version, script in enumerate(STEPS, start=1):
                if found < version:
                    for statement in script.split(";\n"):
                        connection.execute(statement)
            if found == 1:
                # Chunks stored before names were kept: each is named when it is stored again.
                connection.execute("update documents set signature = ''")
            if found < WORDS_VERSION:
                store_all_words(connection)
            connection.execute(f"pragma user_version = {SCHEMA_VERSION}")

    def _schema_version(self) -> int:
        try:
            return int(self.connection.execute("pragma user_version").fetchone()[0])
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.OperationalError):
                raise  # the disk or the folder, which no other file would make better
            raise CatalogError(
                f"The catalog {str(self._path)!r} cannot be read ({error}). "
                f"`vivavoce kb rebuild {self._path.parent.name}` makes it again from its sources."
            ) from error


_DOCUMENT_FIELDS = (
    "document_id", "name", "kind", "source", "media_type", "bytes", "chars", "status", "reason",
    "detail", "version", "chunk_count", "content_sha256", "title", "hidden_chars_dropped",
    "updated_at", "left_out",
)  # fmt: skip
_DOCUMENT = ", ".join(_DOCUMENT_FIELDS)


def _document(row: Sequence[str | int | None]) -> Document:
    values = dict(zip(_DOCUMENT_FIELDS, row, strict=True))
    updated_at = datetime.fromisoformat(str(values.pop("updated_at")))
    left_out = json.loads(str(values.pop("left_out")))
    return Document.model_validate({**values, "updated_at": updated_at, "left_out": left_out})


def _parts(values: Sequence[_T]) -> Iterator[Sequence[_T]]:
    for start in range(0, len(values), _MAX_VARIABLES):
        yield values[start : start + _MAX_VARIABLES]


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))


_CHUNK = (
    "c.heading_path, c.places, w.headings, w.body, w.extra, w.own_headings, "
    "c.row_id, c.chunk_id, c.document_id, coalesce(d.name, ''), coalesce(d.version, 0), c.ordinal, "
    "c.start_char, c.end_char, c.page, c.body, c.headings, c.text_key, c.name_id"
)


def _chunk_row(row: Sequence[Any]) -> ChunkRow:
    path, places, above, body, extra, own, *plain = row
    values: dict[str, Any] = dict(zip(_CHUNK_FIELDS, plain, strict=True))
    return ChunkRow(
        heading_path=tuple(_decoded(path)),
        places=tuple(Place(start, page, tuple(on)) for start, page, on in _decoded(places)),
        terms=ChunkTerms(above, body, extra, own),
        **values,
    )


_CHUNK_FIELDS = (
    "row_id", "chunk_id", "document_id", "document_name", "document_version", "ordinal",
    "start_char", "end_char", "page", "text", "headings", "text_key", "name_id",
)  # fmt: skip
