"""An embedder and a knowledge base whose answers can be worked out by hand. Shared by the tests."""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from conversation.transcript import Turn
from kb.document import RetrievedPassage
from kb.embedding.embedder import Tokenizer, Vectors


class WordsTokenizer:
    def offsets(self, text: str) -> Sequence[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"\w+", text)]


class WordsEmbedder:
    """Texts that share words are near each other."""

    model_id = "words"
    tokenizer: Tokenizer = WordsTokenizer()

    def __init__(self) -> None:
        self.embedded: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.embedded += texts
        rows = np.zeros((len(texts), 512), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for word in re.findall(r"\w+", text.lower()):
                row[zlib.crc32(word.encode()) % 512] += 1
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        return self.embed(texts)


@dataclass
class ShelfSource:
    """A knowledge base of (name, text); the score is the share of the query's words in the text."""

    documents: dict[str, str] = field(default_factory=dict[str, str])
    index_version: int = 1
    asked: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])

    def put(self, name: str, text: str) -> None:
        self.documents[name] = text
        self.index_version += 1

    def take(self, name: str) -> None:
        del self.documents[name]
        self.index_version += 1

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.asked.append((query, len(history)))
        words = set(re.findall(r"\w+", query.lower()))
        found = [
            (len(words & set(re.findall(r"\w+", text.lower()))) / max(1, len(words)), name, text)
            for name, text in self.documents.items()
        ]
        return [
            a_passage(name, text, score=score, rank=rank)
            for rank, (score, name, text) in enumerate(sorted(found, reverse=True)[:limit], start=1)
            if score > 0
        ]


def a_passage(name: str, text: str, *, score: float, rank: int, **changes: Any) -> RetrievedPassage:
    given = {
        "document_id": f"doc-{name}",
        "document_name": name,
        "chunk_id": f"{name}-{zlib.crc32(text.encode()):08x}",
        "text": text,
        "start_char": 0,
        "end_char": len(text),
        "heading_path": (),
        "page": None,
        "score": score,
        "rank": rank,
        "document_version": 1,
    }
    return RetrievedPassage(**(given | changes))
