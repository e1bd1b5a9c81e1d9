"""Embedders of the bench: one that remembers what it embedded, one that makes vectors up."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kb.config import EmbeddingConfig
from kb.embedding.embedder import Embedder, Tokenizer, Vectors
from kb.embedding.open_embedder import open_embedder
from kb.index.embedding_cache import EmbeddingCache, text_key
from tests.bench.places import store

_SPREAD = 0.6


class Remembering:
    """Embeds a text once for all parts and runs of the bench."""

    def __init__(self, embedder: Embedder, path: Path, *, queries_too: bool = False) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._embedder = embedder
        self._cache = EmbeddingCache(path)
        self.queries_too = queries_too
        """Whether queries are remembered too; not while they are timed."""

    @property
    def model_id(self) -> str:
        """Of the embedder behind it."""
        return self._embedder.model_id

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the embedder behind it."""
        return self._embedder.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Vectors that are there already, or are kept from now on."""
        keys = {text_key(text): text for text in texts}
        held = self._cache.vectors(keys, embedder=self._embedder)
        return np.stack([held[text_key(text)] for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries."""
        return self.embed(texts) if self.queries_too else self._embedder.embed_queries(texts)

    def close(self) -> None:
        """Close the file."""
        self._cache.close()


class Scattered:
    """Draws the vector of a text around one of some real vectors, in no time; always the same one.

    An index of such vectors is as hard to search as a real one: vectors drawn anywhere would be
    all equally far from a query. Queries are embedded by the model.
    """

    def __init__(self, embedder: Embedder, seeds: Vectors) -> None:
        self._embedder = embedder
        self._seeds = seeds

    @property
    def model_id(self) -> str:
        """Of the embedder behind it, so that queries of that one are understood."""
        return self._embedder.model_id

    @property
    def tokenizer(self) -> Tokenizer:
        """Of the embedder behind it."""
        return self._embedder.tokenizer

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Draw one vector a text."""
        return np.stack([self._draw(text) for text in texts])

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """Embed queries."""
        return self._embedder.embed_queries(texts)

    def _draw(self, text: str) -> Vectors:
        digest = hashlib.sha256(text.encode()).digest()
        generator = np.random.default_rng(int.from_bytes(digest[:8]))
        around = self._seeds[generator.integers(len(self._seeds))]
        noise = generator.standard_normal(around.shape[0]) * _SPREAD / np.sqrt(around.shape[0])
        drawn = around + noise
        return (drawn / np.linalg.norm(drawn)).astype(np.float32)


def remembering(config: EmbeddingConfig | None = None, *, queries_too: bool = False) -> Remembering:
    """The embedder that `config` names, with the bench's memory."""
    return Remembering(
        open_embedder(config or EmbeddingConfig()),
        store() / "vectors.sqlite3",
        queries_too=queries_too,
    )
