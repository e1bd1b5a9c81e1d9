"""Chroma as the vector index."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromadb.api.models.Collection import Collection
from chromadb.errors import InternalError

from kb.config import IndexConfig
from kb.index.chroma_index import ChromaClient


def test_a_broader_search_reaches_a_collection_that_is_there_already(tmp_path: Path):
    vectors = np.random.default_rng(0).standard_normal((3_000, 16)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    ids = [str(number) for number in range(len(vectors))]
    queries = vectors[:40] + 0.1
    nearest = [set(np.argsort(-(vectors @ query))[:10]) for query in queries]

    def recall(ef_search: int) -> float:
        client = ChromaClient(tmp_path, IndexConfig())
        index = client.collection("chunks-1", ef_search=ef_search)
        if index.count() == 0:
            index.add(ids, vectors)
        found = index.search(queries, limit=10)
        client.close()
        hits = [
            len(near & {int(chunk_id) for chunk_id, _ in row})
            for near, row in zip(nearest, found, strict=True)
        ]
        return sum(hits) / (10 * len(hits))

    narrow, broad = recall(10), recall(1_000)

    assert narrow < broad
    assert broad == pytest.approx(1.0)


def test_a_collection_opens_although_somebody_else_writes_at_that_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    client = ChromaClient(tmp_path, IndexConfig())
    client.collection("chunks-1", ef_search=10)
    refusals = [InternalError("error returned from database: (code: 5) database is locked")] * 2

    def locked_at_first(collection: Collection, *arguments: Any, **settings: Any) -> None:
        if refusals:
            raise refusals.pop()
        modify(collection, *arguments, **settings)

    modify = Collection.modify
    monkeypatch.setattr(Collection, "modify", locked_at_first)
    client.collection("chunks-1", ef_search=20)
    monkeypatch.undo()

    assert refusals == []
    client.close()
