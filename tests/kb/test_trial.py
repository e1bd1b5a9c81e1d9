from pathlib import Path

import pytest

from kb.errors import KnowledgeBaseError
from kb.knowledge_base import KnowledgeBase
from kb.trial import trial_copy
from tests.kb.conftest import OpenKnowledgeBase, WordEmbedder


@pytest.fixture
def live(open_kb: OpenKnowledgeBase) -> KnowledgeBase:
    knowledge_base = open_kb()
    knowledge_base.add_text("Refunds", "Refunds take five days.")
    return knowledge_base


@pytest.fixture(autouse=True)
def same_embedder(monkeypatch: pytest.MonkeyPatch, embedder: WordEmbedder) -> None:
    monkeypatch.setattr("kb.knowledge_base.open_embedder", lambda *_: embedder)


def test_a_change_of_the_copy_leaves_the_original(
    live: KnowledgeBase, embedder: WordEmbedder, tmp_path: Path
):
    before = embedder.embedded
    with trial_copy(live, folder=tmp_path) as copy:
        copy.add_text("Vouchers", "Gift vouchers are sold here.")
        copy.remove(copy.documents()[0].document_id)
        assert [p.document_name for p in copy.retrieve("gift vouchers")] == ["Vouchers"]
        assert embedder.embedded == before + 1
        directory = copy.directory
    assert not directory.exists()
    assert [document.name for document in live.documents()] == ["Refunds"]
    assert [p.document_name for p in live.retrieve("refunds")] == ["Refunds"]


def test_a_copy_finds_what_the_original_finds(live: KnowledgeBase):
    live.add_texts([(f"Text {n}", f"Subject {n} is about thing {n}.") for n in range(20)])
    with trial_copy(live) as copy:
        for question in ("refunds", "subject 7", "thing 12"):
            assert copy.retrieve(question) == live.retrieve(question)


def test_a_copy_can_go_back_to_an_earlier_publish(live: KnowledgeBase):
    live.add_text("Vouchers", "Gift vouchers are sold here.")
    with trial_copy(live, index_version=1) as copy:
        assert [document.name for document in copy.documents()] == ["Refunds"]
    assert len(live.documents()) == 2


def test_there_is_nothing_to_try_on_an_empty_knowledge_base(open_kb: OpenKnowledgeBase):
    with (
        pytest.raises(KnowledgeBaseError, match="Nothing was ever added"),
        trial_copy(open_kb()),
    ):
        pass
