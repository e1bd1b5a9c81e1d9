"""Chroma as the vector index."""

from pathlib import Path

import numpy as np
import pytest

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
