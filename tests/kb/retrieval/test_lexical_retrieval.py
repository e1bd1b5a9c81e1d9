"""Passages from words alone, for when there is no time or no embedding model."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.embedding.embedder import Vectors
from kb.knowledge_base import KnowledgeBase
from tests.bench.data import SaidTurn
from tests.kb.conftest import UNLIMITED, OpenKnowledgeBase, WordEmbedder

HOTELS = {
    "Hotel Aurora": "# Hotel Aurora\n\n## Pets\n\nDogs stay for free.",
    "Hotel Borealis": "# Hotel Borealis\n\n## Pets\n\nDogs cannot stay.",
    "Shipping": "# Shipping\n\nParcels are shipped to every country.",
}


class BrokenEmbedder(WordEmbedder):
    """A model that cannot be reached."""

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        raise ConnectionError("no such host")


@pytest.fixture
def kb(open_kb: OpenKnowledgeBase) -> KnowledgeBase:
    kb = open_kb()
    kb.add_texts(HOTELS.items())
    return kb


def test_it_finds_by_words_and_says_why(kb: KnowledgeBase):
    passages = kb.retrieve_lexical("are parcels shipped abroad")

    assert passages[0].document_name == "Shipping"
    assert passages[0].matched_terms[:2] == ("parcel", "ship")
    assert set(passages[0].ranks) == {"lexical_last"}
    assert passages[0].parts["meaning"] == 0.0
    assert passages[0].rank == 1
    assert 0.0 < passages[0].score < 1.0
    text = kb.text_of(passages[0].document_id)
    assert passages[0].text == text[passages[0].start_char : passages[0].end_char]


def test_a_name_said_turns_ago_still_counts(kb: KnowledgeBase):
    for name in ("Hotel Aurora", "Hotel Borealis"):
        said = [SaidTurn("user", f"I booked {name}"), SaidTurn("agent", "Good choice.")]

        assert kb.retrieve_lexical("can dogs stay", history=said)[0].document_name == name


@pytest.mark.parametrize("query", ["", " ", "zebra", '"', "NEAR(", "日本"])
def test_a_turn_that_shares_no_word_finds_nothing(kb: KnowledgeBase, query: str):
    assert kb.retrieve_lexical(query) == []


def test_no_more_than_the_limit(kb: KnowledgeBase):
    assert len(kb.retrieve_lexical("dogs animals parcels", limit=2)) == 2
    assert kb.retrieve_lexical("dogs", limit=0) == []


def test_an_empty_knowledge_base_finds_nothing(open_kb: OpenKnowledgeBase):
    assert open_kb().retrieve_lexical("dogs") == []


def test_it_needs_no_model(kb: KnowledgeBase, open_kb: OpenKnowledgeBase):
    broken = open_kb(with_embedder=BrokenEmbedder(), read_only=True)

    with pytest.raises(ConnectionError):
        broken.retrieve("dogs")
    assert broken.retrieve_lexical("dogs")


def test_it_does_not_wait_for_a_model_that_is_being_loaded(kb: KnowledgeBase, tmp_path: Path):
    import threading

    loading, go_on = threading.Event(), threading.Event()

    def slow_embedder() -> WordEmbedder:
        loading.set()
        go_on.wait(60)
        return WordEmbedder()

    with KnowledgeBase(tmp_path / "kb", UNLIMITED, embedder=slow_embedder, read_only=True) as other:
        search = threading.Thread(target=other.retrieve, args=("dogs",))
        search.start()
        loading.wait(60)

        assert other.retrieve_lexical("dogs")
        assert search.is_alive()
        go_on.set()
        search.join()


def test_it_sees_what_was_added_since(kb: KnowledgeBase):
    assert kb.retrieve_lexical("zebra") == []

    kb.add_text("Zoo", "There is one zebra.")

    assert kb.retrieve_lexical("zebra")[0].document_name == "Zoo"
