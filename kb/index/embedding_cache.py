"""Vectors by model and text: what was embedded once is never embedded again."""

import hashlib
import logging
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from kb.embedding.embedder import Embedder, Vectors
from kb.index.sqlite_file import connect_sqlite

logger = logging.getLogger(__name__)

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MAX_VARIABLES = 500
_WRITE_EVERY = 256
_TABLE = (
    "create table if not exists vectors (model_id text, text_key text, vector blob, "
    "primary key (model_id, text_key))"
)
"""With row ids: in a table without them each vector takes a page of its own and is four times as
slow to find. Files that earlier releases began have such a table, and go on with it."""


class Counter(Protocol):
    """Told how many texts were embedded since the last time."""

    def __call__(self, done: int, /) -> None:
        """Take note of `done` more."""
        ...


def text_key(text: str) -> str:
    """Key of a text in the cache."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class EmbeddingCache:
    """A SQLite file beside the catalog. Losing it costs time, nothing else."""

    def __init__(self, path: Path, *, read_only: bool = False) -> None:
        """Open the file; `read_only`, what is computed is kept in memory only.

        A file that is damaged is begun anew: what it held is computed again when it is needed.
        """
        self._path, self._read_only = path, read_only
        self._kept: sqlite3.Connection | None = None
        try:
            self._connection = self._open()
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)

    def _open(self) -> sqlite3.Connection:
        if self._read_only:
            connection = sqlite3.connect(":memory:", check_same_thread=False)
            if self._path.is_file():
                self._kept = connect_sqlite(self._path, read_only=True)
        else:
            connection = connect_sqlite(self._path, read_only=False)
            # Many rows are one transaction.
            connection.isolation_level = "DEFERRED"
        connection.execute("pragma synchronous = off")
        connection.execute(_TABLE)
        connection.commit()
        return connection

    def _begin_anew(self, error: sqlite3.DatabaseError) -> None:
        """Go on without what the file held; raises `error` when it is no damage of the file."""
        if getattr(error, "sqlite_errorcode", 0) & 0xFF not in _DAMAGED:
            raise error
        logger.warning(
            "the embedding cache %s is damaged and is begun anew; what it held is computed again",
            self._path,
        )
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        if self._read_only:
            # Whoever writes next puts the file right; here it is done without.
            self._path = self._path.with_name("no cache")
        else:
            for suffix in ("", "-wal", "-shm", "-journal"):
                self._path.with_name(f"{self._path.name}{suffix}").unlink(missing_ok=True)
        self._connection = self._open()

    def close(self) -> None:
        """Close the file."""
        self._connection.close()
        if self._kept is not None:
            self._kept.close()

    def vectors(
        self, texts: Mapping[str, str], *, embedder: Embedder, on_embedded: Counter | None = None
    ) -> dict[str, Vectors]:
        """Vectors by text key; embeds what is not there and keeps it.

        Args:
            texts: Text by its key.
            embedder: Computes what is missing.
            on_embedded: Told about each batch that had to be computed.
        """
        found = self.held(list(texts), model_id=embedder.model_id)
        missing = sorted(
            (key for key in texts if key not in found), key=lambda key: len(texts[key])
        )
        for start in range(0, len(missing), _WRITE_EVERY):
            keys = missing[start : start + _WRITE_EVERY]
            computed = dict(zip(keys, embedder.embed([texts[key] for key in keys]), strict=True))
            self.store(computed, model_id=embedder.model_id)
            found.update(computed)
            if on_embedded is not None:
                on_embedded(len(keys))
        return found

    def held(self, keys: Sequence[str], *, model_id: str) -> dict[str, Vectors]:
        """Vectors that are there already."""
        try:
            return self._held(keys, model_id=model_id)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            return self._held(keys, model_id=model_id)

    def _held(self, keys: Sequence[str], *, model_id: str) -> dict[str, Vectors]:
        import numpy as np

        found: dict[str, Vectors] = {}
        for start in range(0, len(keys), _MAX_VARIABLES):
            part = keys[start : start + _MAX_VARIABLES]
            for connection in filter(None, (self._kept, self._connection)):
                rows = connection.execute(
                    "select text_key, vector from vectors where model_id = ? and text_key in "
                    f"({','.join('?' * len(part))})",
                    (model_id, *part),
                )
                found.update((str(key), np.frombuffer(vector, dtype="<f4")) for key, vector in rows)
        return found

    def forget(self, model_id: str) -> None:
        """Drop every vector of a model."""
        with self._connection:
            self._connection.execute("delete from vectors where model_id = ?", (model_id,))

    def store(self, vectors: Mapping[str, Vectors], *, model_id: str) -> None:
        """Keep vectors by text key."""
        try:
            self._store(vectors, model_id=model_id)
        except sqlite3.DatabaseError as error:
            self._begin_anew(error)
            self._store(vectors, model_id=model_id)

    def _store(self, vectors: Mapping[str, Vectors], *, model_id: str) -> None:
        import numpy as np

        with self._connection:
            self._connection.executemany(
                "insert or replace into vectors values (?, ?, ?)",
                [
                    (model_id, key, np.asarray(vector, dtype="<f4").tobytes())
                    for key, vector in vectors.items()
                ],
            )


def open_cache(directory: Path, *, read_only: bool) -> EmbeddingCache:
    """The cache of the knowledge base in `directory`."""
    return EmbeddingCache(directory / "embeddings.sqlite3", read_only=read_only)
