"""Vectors by model and text: what was embedded once is never embedded again."""

import hashlib
import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from kb.embedding.embedder import Embedder, Vectors
from kb.index.sqlite_file import connect_sqlite

_MAX_VARIABLES = 500
_WRITE_EVERY = 256
_TABLE = (
    "create table if not exists vectors (model_id text, text_key text, vector blob, "
    "primary key (model_id, text_key)) without rowid"
)


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
        """Open the file; `read_only`, what is computed is kept in memory only."""
        if read_only:
            self._connection = sqlite3.connect(":memory:", check_same_thread=False)
        else:
            self._connection = connect_sqlite(path, read_only=False)
            # Many rows are one transaction.
            self._connection.isolation_level = "DEFERRED"
        self._connection.execute("pragma synchronous = off")
        self._connection.execute(_TABLE)
        self._connection.commit()
        self._kept = connect_sqlite(path, read_only=True) if read_only and path.is_file() else None

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
