import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from conversation.config import AgentConfig, PromptSection
from conversation.events import AgentTurn, RetrievalDone
from conversation.retrieving import find_passages, whole_documents
from conversation.session import Session
from conversation.store import ConversationStore
from conversation.transcript import Turn
from kb.document import Document, RetrievedPassage
from kb.errors import KnowledgeBaseError
from tests.fakes import ScriptedChatModel

ASKED = [Turn(role="agent", text="Hi"), Turn(role="user", text="How long?")]
AGENT = AgentConfig(agent_id="a", name="A", prompt=PromptSection(whole_knowledge_base_tokens=100))


def passage(text: str) -> RetrievedPassage:
    return RetrievedPassage("d", "a.md", "c", text, 0, len(text), (), None, 1.0, 1)


class SlowSource:
    """Its full search ends when the test lets it; its search for words at once."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.released.wait(10)
        return [passage("full")]

    def retrieve_lexical(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [passage("words")]


class FailingSource(SlowSource):
    def __init__(self, error: Exception) -> None:
        self.error = error

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        raise self.error


class TwoDocuments:
    """A knowledge base of two short documents and one that failed."""

    def __init__(self) -> None:
        self.texts = {"doc_1": "Refunds take 14 days.", "doc_2": "Shipping is free."}

    def documents(self) -> list[Document]:
        return [
            Document(
                document_id=document_id,
                name=f"{document_id}.md",
                kind="text",
                source=document_id,
                bytes=1,
                chars=len(self.texts.get(document_id, "")),
                status="ready" if document_id in self.texts else "failed",
                version=7,
            )
            for document_id in ("doc_1", "doc_2", "doc_3")
        ]

    def text_of(self, document_id: str) -> str:
        return self.texts[document_id]

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [passage("found")]


def test_a_search_in_time_is_complete():
    source = SlowSource()
    source.released.set()

    found = find_passages(source, ASKED, limit=3, deadline_s=10)

    assert (found.mode, found.passages[0].text) == ("hybrid", "full")


def test_a_late_search_is_replaced_by_one_for_words():
    source = SlowSource()

    found = find_passages(source, ASKED, limit=3, deadline_s=0.01)

    source.released.set()
    assert (found.mode, found.passages[0].text) == ("lexical", "words")


@pytest.mark.parametrize("error", [KnowledgeBaseError("gone"), TimeoutError("inside")])
def test_an_error_of_the_search_is_not_taken_for_lateness(error: Exception):
    with pytest.raises(type(error), match=str(error)):
        find_passages(FailingSource(error), ASKED, limit=3, deadline_s=10)


def test_a_small_knowledge_base_is_given_whole():
    whole = whole_documents(AGENT, TwoDocuments())

    assert [(each.document_name, each.text, each.document_version) for each in whole] == [
        ("doc_1.md", "Refunds take 14 days.", 7),
        ("doc_2.md", "Shipping is free.", 7),
    ]
    small = AGENT.model_copy(update={"prompt": PromptSection(whole_knowledge_base_tokens=5)})
    assert whole_documents(small, TwoDocuments()) == []
    assert whole_documents(AgentConfig(agent_id="a", name="A"), TwoDocuments()) == []


def test_whole_documents_stand_in_the_static_part_and_are_cited(tmp_path: Path):
    model = ScriptedChatModel("Refunds take 14 days.", always="Sure.")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        session = Session.start(AGENT, knowledge_base=TwoDocuments(), store=store, chat_model=model)
        done, *_, turn = list(session.reply("How long do refunds take?"))
        list(session.reply("Thanks"))
        retrieved = store.retrievals(session.conversation_id)

    assert isinstance(done, RetrievalDone)
    assert isinstance(turn, AgentTurn)
    assert done.mode == "whole"
    assert '<passage id="2" document="doc_2.md">' in model.prompts[0][0].content
    assert model.prompts[0][0] == model.prompts[1][0]
    assert model.prompts[1][-1].content == "Thanks"
    assert [citation.document_id for citation in turn.citations] == ["doc_1"]
    assert {(each.mode, each.in_prompt, each.text) for each in retrieved} == {("whole", True, "")}
