"""A knowledge base on real SQLite and Chroma, with an embedder that needs no weights."""

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kb.config import KnowledgeBaseConfig, Limits
from kb.embedding.embedder import Vectors
from kb.knowledge_base import KnowledgeBase

_WORD = re.compile(r"\w+")


class WordEmbedder:
    """Texts that share words are near: each word has a fixed random direction.

    Counts what it embeds, so that a test can tell what came from the cache.
    """

    dimension = 64

    def __init__(self, model_id: str = "words/1") -> None:
        self.model_id = model_id
        self.embedded = 0
        self.tokenizer = self

    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w{1,6}|[^\w\s]", text)]

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += len(texts)
        return self.embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return np.stack([self._vector(text) for text in texts])

    def _vector(self, text: str) -> Vectors:
        words = _WORD.findall(text.lower()) or [""]
        total = np.sum([self._direction(word) for word in words], axis=0)
        return (total / np.linalg.norm(total)).astype(np.float32)

    def _direction(self, word: str) -> Vectors:
        seed = int.from_bytes(hashlib.sha256(f"{self.model_id}{word}".encode()).digest()[:8])
        return np.random.default_rng(seed).standard_normal(self.dimension).astype(np.float32)


UNLIMITED = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))

OpenKnowledgeBase = Callable[..., KnowledgeBase]


@pytest.fixture
def embedder() -> WordEmbedder:
    return WordEmbedder()


@pytest.fixture
def open_kb(tmp_path: Path, embedder: WordEmbedder) -> Iterator[OpenKnowledgeBase]:
    """Opens a knowledge base in one directory, as often as a test likes; closes all."""
    opened: list[KnowledgeBase] = []

    def open_one(
        config: KnowledgeBaseConfig = UNLIMITED,
        *,
        read_only: bool = False,
        with_embedder: WordEmbedder | None = None,
    ) -> KnowledgeBase:
        kb = KnowledgeBase(
            tmp_path / "kb", config, embedder=lambda: with_embedder or embedder, read_only=read_only
        )
        opened.append(kb)
        return kb

    yield open_one
    for kb in opened:
        kb.close()
