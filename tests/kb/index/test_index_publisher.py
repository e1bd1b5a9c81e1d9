"""What is checked after each publish: a vector index that is not right is built anew."""

from pathlib import Path

import numpy as np
import pytest

from kb.config import IndexConfig, KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.index.chroma_index import ChromaClient
from tests.kb.conftest import OpenKnowledgeBase, WordEmbedder

LIFTED = Limits(max_documents=None, max_total_bytes=None)
COUNT = 30


def config(**index: float) -> KnowledgeBaseConfig:
    return KnowledgeBaseConfig(
        limits=LIFTED,
        index=IndexConfig.model_validate({"self_recall_samples": COUNT, **index}),
        retrieval=RetrievalConfig(search="approximate"),
    )


class Damaged:
    """The vectors of a filled knowledge base, to be spoiled while nobody has it open."""

    def __init__(self, folder: Path) -> None:
        self._client = ChromaClient(folder / "chroma", IndexConfig())
        self.index = self._client.collection("chunks-1", ef_search=100)
        every = np.eye(WordEmbedder.dimension, dtype=np.float32)[:1]
        self.ids = [found for found, _ in self.index.search(every, limit=COUNT)[0]]

    def __enter__(self) -> "Damaged":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()


@pytest.fixture
def folder(open_kb: OpenKnowledgeBase, tmp_path: Path) -> Path:
    kb = open_kb(config())
    kb.add_texts((f"Text {number}", f"Fact {number} of topic {number}.") for number in range(COUNT))
    kb.close()
    return tmp_path / "kb"


def collections_after_a_publish(open_kb: OpenKnowledgeBase, folder: Path, **index: float) -> int:
    """Vectors in the second collection, which only a rebuild makes; 0 when there was none."""
    kb = open_kb(config(**index))
    kb.add_text("One more", "Something else entirely.")
    kb.close()
    client = ChromaClient(folder / "chroma", IndexConfig())
    try:
        return client.collection("chunks-2", ef_search=100).count()
    finally:
        client.close()


def test_a_right_index_is_kept(open_kb: OpenKnowledgeBase, folder: Path):
    assert collections_after_a_publish(open_kb, folder) == 0


def test_an_index_that_lost_a_vector_is_built_anew(open_kb: OpenKnowledgeBase, folder: Path):
    with Damaged(folder) as damaged:
        assert len(damaged.ids) == COUNT
        damaged.index.delete(damaged.ids[:1])

    # A floor this low leaves it to the count to notice.
    assert collections_after_a_publish(open_kb, folder, self_recall_floor=0.01) == COUNT + 1


def test_an_index_that_does_not_find_its_own_vectors_is_built_anew(
    open_kb: OpenKnowledgeBase, folder: Path
):
    with Damaged(folder) as damaged:
        damaged.index.delete(damaged.ids)
        wrong = np.random.default_rng(0).standard_normal((COUNT, WordEmbedder.dimension))
        damaged.index.add(damaged.ids, wrong.astype(np.float32))
        assert damaged.index.count() == COUNT

    assert collections_after_a_publish(open_kb, folder) == COUNT + 1
