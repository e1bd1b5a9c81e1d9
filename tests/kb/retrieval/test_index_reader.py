"""Queries while the index changes under them."""

import threading
import time
from collections.abc import Callable, Sequence

import pytest

from kb.config import KnowledgeBaseConfig, RetrievalConfig
from kb.embedding.embedder import Vectors
from kb.errors import KnowledgeBaseError
from kb.index.index_publisher import VectorCollections
from kb.knowledge_base import KnowledgeBase
from kb.precedence import PRECEDENCE
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase, WordEmbedder

REFUNDS = "Refunds take five working days."
SHIPPING = "Parcels are shipped within two days."


def searched(search: str) -> KnowledgeBaseConfig:
    retrieval = RetrievalConfig.model_validate({"search": search})
    return UNLIMITED.model_copy(update={"retrieval": retrieval})


def names(kb: KnowledgeBase, query: str) -> set[str]:
    return {passage.document_name for passage in kb.retrieve(query)}


class AskingEmbedder(WordEmbedder):
    """Asks while documents are embedded, as another thread would."""

    def __init__(self) -> None:
        super().__init__()
        self.kb: KnowledgeBase | None = None
        self.found: list[set[str]] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        if self.kb is not None:
            self.found.append(names(self.kb, "days"))
        return super().embed(texts)


@pytest.mark.parametrize("search", ["approximate", "exact"])
def test_a_query_under_way_is_answered_when_a_new_version_is_published(
    open_kb: OpenKnowledgeBase, search: str
):
    kb = open_kb(searched(search))
    kb.add_text("Refunds", REFUNDS)

    with kb._reader.reading() as retriever:
        kb.add_text("Shipping", SHIPPING)
        assert retriever is not None
        found = retriever.retrieve("days", history=(), limit=5)

    assert "Refunds" in {passage.document_name for passage in found}
    assert names(kb, "days") == {"Refunds", "Shipping"}


@pytest.mark.parametrize("search", ["approximate", "exact"])
def test_queries_go_on_while_documents_are_taken_in(open_kb: OpenKnowledgeBase, search: str):
    embedder = AskingEmbedder()
    kb = open_kb(searched(search), with_embedder=embedder)
    kb.add_text("Refunds", REFUNDS)
    embedder.kb = kb
    assert names(kb, "days") == {"Refunds"}

    kb.add_text("Shipping", SHIPPING)

    assert embedder.found == [{"Refunds"}]
    assert names(kb, "days") == {"Refunds", "Shipping"}


def test_the_old_version_is_closed_by_its_last_query(open_kb: OpenKnowledgeBase):
    kb = open_kb(searched("approximate"))
    kb.add_text("Refunds", REFUNDS)
    with kb._reader.reading():
        opened = kb._reader._opened
        assert opened is not None
        closed: list[bool] = []
        collections = opened.collections
        assert collections is not None
        close = collections.close
        collections.close = lambda: closed.append(True) or close()
        with kb._reader.reading():
            kb.add_text("Shipping", SHIPPING)
        assert not closed

    assert closed == [True]


def found_by_meaning(kb: KnowledgeBase, query: str) -> set[str]:
    """Names of the documents that the vector index found; words are looked up in the catalog."""
    found = kb.retrieve(query)
    return {passage.document_name for passage in found if "dense_last" in passage.ranks}


def eventually(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_no_query_waits_until_what_another_process_published_is_loaded(
    open_kb: OpenKnowledgeBase,
):
    writer = open_kb(searched("approximate"))
    writer.add_text("Refunds", REFUNDS)
    reader = open_kb(searched("approximate"), read_only=True)
    assert names(reader, "days") == {"Refunds"}
    may_load = threading.Event()
    opening: list[bool] = []
    open_collections = reader._reader._open_collections

    def open_when_told() -> VectorCollections:
        opening.append(may_load.wait(60))
        return open_collections()

    reader._reader._open_collections = open_when_told
    writer.add_text("Shipping", SHIPPING)

    before = [found_by_meaning(reader, "days") for _ in range(3)]
    may_load.set()

    assert before == [{"Refunds"}] * 3
    eventually(lambda: found_by_meaning(reader, "days") == {"Refunds", "Shipping"})
    assert opening == [True]


def test_an_index_that_cannot_be_loaded_is_told_by_the_next_query(open_kb: OpenKnowledgeBase):
    writer = open_kb(searched("approximate"))
    writer.add_text("Refunds", REFUNDS)
    reader = open_kb(searched("approximate"), read_only=True)
    assert names(reader, "days") == {"Refunds"}

    def broken() -> VectorCollections:
        raise KnowledgeBaseError("The disk is gone.")

    reader._reader._open_collections = broken
    writer.add_text("Shipping", SHIPPING)
    reader.retrieve("days")
    eventually(lambda: reader._reader._opened is None)

    with pytest.raises(KnowledgeBaseError, match="disk is gone"):
        reader.retrieve("days")


def test_a_turn_goes_first(open_kb: OpenKnowledgeBase, monkeypatch: pytest.MonkeyPatch):
    waiting: list[int] = []

    class Counting(WordEmbedder):
        def embed_queries(self, texts: Sequence[str]) -> Vectors:
            waiting.append(PRECEDENCE._turns)
            return super().embed_queries(texts)

    kb = open_kb(with_embedder=Counting())
    kb.add_text("Refunds", REFUNDS)
    waiting.clear()

    kb.retrieve("days")
    kb.similarities("days", ["refunds"])

    assert waiting
    assert set(waiting) == {1}
    assert PRECEDENCE._turns == 0
