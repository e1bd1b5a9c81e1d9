"""Exact search in memory, and when it is used."""

from pathlib import Path

import numpy as np
import pytest

from kb.config import KnowledgeBaseConfig, Limits, RetrievalConfig
from kb.index.exact_index import ExactIndex
from tests.kb.conftest import OpenKnowledgeBase

LIFTED = Limits(max_documents=None, max_total_bytes=None)


def with_search(search: str, **more: int) -> KnowledgeBaseConfig:
    retrieval = RetrievalConfig.model_validate({"search": search, **more})
    return KnowledgeBaseConfig(limits=LIFTED, retrieval=retrieval)


def test_the_nearest_come_first():
    vectors = np.array([[1, 0], [0, 1], [0.6, 0.8]], dtype=np.float32)
    index = ExactIndex(["a", "b", "c"], vectors)

    found = index.search(np.array([[0, 1], [1, 0]], dtype=np.float32), limit=2)

    assert [[name for name, _ in row] for row in found] == [["b", "c"], ["a", "c"]]
    assert found[0][1][1] == pytest.approx(0.8)


@pytest.mark.parametrize("limit", [0, 1, 3, 9])
def test_it_finds_as_many_as_there_are(limit: int):
    index = ExactIndex(["a", "b", "c"], np.eye(3, dtype=np.float32))

    assert [len(row) for row in index.search(np.eye(3, dtype=np.float32), limit=limit)] == [
        min(limit, 3)
    ] * 3


def test_an_empty_index_finds_nothing():
    assert ExactIndex([], np.empty((0, 0), dtype=np.float32)).search(
        np.eye(2, dtype=np.float32), limit=5
    ) == [[], []]


@pytest.fixture
def filled(open_kb: OpenKnowledgeBase) -> OpenKnowledgeBase:
    open_kb().add_texts((f"Text {n}", f"Fact {n} is about topic {n % 7}.") for n in range(40))
    return open_kb


def test_both_ways_of_searching_find_the_same(filled: OpenKnowledgeBase):
    exact = filled(with_search("exact")).retrieve("topic 3", limit=10)
    approximate = filled(with_search("approximate")).retrieve("topic 3", limit=10)

    assert [found.chunk_id for found in exact] == [found.chunk_id for found in approximate]


@pytest.mark.parametrize(
    ("config", "opens_chroma"),
    [
        (with_search("auto"), False),
        (with_search("auto", exact_up_to_chunks=39), True),
        (with_search("approximate"), True),
        (with_search("exact", exact_up_to_chunks=0), False),
    ],
)
def test_chroma_is_opened_only_where_it_is_needed(
    filled: OpenKnowledgeBase,
    config: KnowledgeBaseConfig,
    opens_chroma: bool,
    monkeypatch: pytest.MonkeyPatch,
):
    opened: list[bool] = []
    kb = filled(config)
    open_collections = kb._reader._open_collections
    monkeypatch.setattr(
        kb._reader, "_open_collections", lambda: opened.append(True) or open_collections()
    )

    assert kb.retrieve("topic 3")
    assert bool(opened) == opens_chroma


def test_lost_vectors_are_looked_for_in_the_collection(filled: OpenKnowledgeBase, tmp_path: Path):
    for kept in (tmp_path / "kb").glob("embeddings.sqlite3*"):
        kept.unlink()

    assert filled(read_only=True).retrieve("topic 3", limit=5)[0].ranks["dense_last"] >= 1
