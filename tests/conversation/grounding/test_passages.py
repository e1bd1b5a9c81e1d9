import threading
from collections.abc import Sequence
from pathlib import Path

import pytest

from conversation.agent.config import AgentConfig, KnowledgeBaseSection, PromptSection
from conversation.grounding.passages import find_passages, whole_documents
from conversation.session.session import Session
from conversation.store.store import ConversationStore
from conversation.transcript import Turn
from conversation.turn.events import AgentTurn, RetrievalDone
from kb.config import KnowledgeBaseConfig
from kb.document import Document, RetrievedPassage
from kb.embedding.embedder import Vectors
from kb.errors import KnowledgeBaseError
from kb.index.catalog import ChunkRow
from kb.knowledge_base import KnowledgeBase
from tests.fakes import ScriptedChatModel
from tests.kb.conftest import WordEmbedder

ASKED = [Turn(role="agent", text="Hi"), Turn(role="user", text="How long?")]
AGENT = AgentConfig(agent_id="a", name="A", prompt=PromptSection(whole_knowledge_base_tokens=100))


def passage(text: str) -> RetrievedPassage:
    return RetrievedPassage("d", "a.md", "c", text, 0, len(text), (), None, 1.0, 1)


def chunk_row(document_id: str, start: int, page: str, body: str = "") -> ChunkRow:
    return ChunkRow(
        row_id=start,
        chunk_id=f"{document_id}{start}",
        document_id=document_id,
        document_name="",
        ordinal=start,
        start_char=start,
        end_char=start + max(len(body), 1),
        heading_path=(),
        page=page,
        text=body,
        text_key="",
        document_version=7,
        headings="",
        name_id=None,
    )


class SlowSource:
    """Its full search ends when the test lets it; its search for words at once."""

    def __init__(self) -> None:
        self.released = threading.Event()

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.released.wait(60)
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

    def chunks_of(self, document_id: str) -> list[ChunkRow]:
        text = self.texts[document_id]
        half = len(text) - 1
        return [
            chunk_row(document_id, 0, "1", text[:half]),
            chunk_row(document_id, half, "2", text[half:]),
        ]

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [passage("found")]


def test_a_search_in_time_is_complete():
    source = SlowSource()
    source.released.set()

    found = find_passages(source, ASKED, limit=3, deadline_s=60)

    assert (found.mode, found.passages[0].text) == ("hybrid", "full")


def test_a_late_search_is_replaced_by_one_for_words():
    source = SlowSource()

    found = find_passages(source, ASKED, limit=3, deadline_s=0.01)

    source.released.set()
    assert (found.mode, found.passages[0].text) == ("lexical", "words")


@pytest.mark.parametrize("error", [KnowledgeBaseError("gone"), TimeoutError("inside")])
def test_an_error_of_the_search_is_not_taken_for_lateness(error: Exception):
    with pytest.raises(type(error), match=str(error)):
        find_passages(FailingSource(error), ASKED, limit=3, deadline_s=60)


def test_a_small_knowledge_base_is_given_whole():
    whole = whole_documents(TwoDocuments(), 100)

    assert [(each.document_name, each.text, each.document_version) for each in whole] == [
        ("doc_1.md", "Refunds take 14 days.", 7),
        ("doc_2.md", "Shipping is free.", 7),
    ]
    assert [place.page for place in whole[0].places] == ["1", "2"]
    assert whole[0].place_at(len(whole[0].text) - 1).page == "2"
    assert whole_documents(TwoDocuments(), 5) == []
    assert whole_documents(TwoDocuments(), 0) == []


def test_whole_documents_stand_in_the_static_part_and_are_cited(tmp_path: Path):
    model = ScriptedChatModel("Refunds take 14 days.", always="Sure.")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        session = Session.start(AGENT, knowledge_base=TwoDocuments(), store=store, chat_model=model)
        done, *_, turn = list(session.reply("How long do refunds take?"))
        list(session.reply("Thanks"))
        retrieved = store.retrievals(session.conversation_id)

    assert isinstance(done, RetrievalDone)
    assert isinstance(turn, AgentTurn)
    assert done.mode == "hybrid"
    assert '<passage id="2" document="doc_2.md">' in model.prompts[0][0].content
    assert model.prompts[0][0] == model.prompts[1][0]
    assert model.prompts[1][-1].content == "Thanks"
    assert [citation.document_id for citation in turn.citations] == ["doc_1"]
    assert turn.citations[0].chunk_id == "doc_10"
    assert [(each.chunk_id, each.in_prompt, each.text) for each in retrieved] == [
        ("c", True, "found")
    ]


class HeldUpEmbedder(WordEmbedder):
    """Embeds documents at once, and queries only when the test lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.released = threading.Event()

    def embed(self, texts: Sequence[str]) -> Vectors:
        return super().embed_queries(texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        self.released.wait(60)
        return super().embed_queries(texts)


def test_a_turn_is_answered_by_words_while_the_embedder_is_held_up(tmp_path: Path):
    embedder = HeldUpEmbedder()
    agent = AgentConfig(
        agent_id="a",
        name="A",
        knowledge_base=KnowledgeBaseSection(retrieval_deadline_s=0.2),
    )
    with (
        KnowledgeBase(
            tmp_path / "kb", KnowledgeBaseConfig(), embedder=lambda: embedder, read_only=False
        ) as knowledge_base,
        ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store,
    ):
        knowledge_base.add_text("refunds", "# Refunds\n\nRefunds are paid within 14 days.")
        knowledge_base.add_text("shop", "# Shop\n\nThe shop opens at nine.")
        model = ScriptedChatModel(always="Refunds are paid within 14 days.")
        session = Session.start(agent, knowledge_base=knowledge_base, store=store, chat_model=model)

        late, *_, answered = list(session.reply("How long do refunds take?"))
        embedder.released.set()
        retrieved = store.retrievals(session.conversation_id)

    assert isinstance(late, RetrievalDone)
    assert isinstance(answered, AgentTurn)
    assert (late.mode, late.passages[0].document_name) == ("lexical", "refunds")
    assert "within 14 days" in model.prompt_texts[0]
    assert [citation.document_name for citation in answered.citations] == ["refunds"]
    assert {found.mode for found in retrieved if found.turn_id.endswith(".1")} == {"lexical"}


class Comparing(SlowSource):
    """Finds one passage, and takes everything for alike, or cannot tell."""

    def __init__(self, *, broken: bool = False) -> None:
        super().__init__()
        self.released.set()
        self.broken = broken

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        self.released.wait(60)
        return [passage("Customers obtain their money within a fortnight.")]

    def retrieve_lexical(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        return [passage("Customers obtain their money within a fortnight.")]

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        if self.broken:
            raise KnowledgeBaseError("no model")
        return [0.9] * len(others)


@pytest.mark.parametrize(
    ("source", "in_time", "share"),
    [(Comparing(), True, 1.0), (Comparing(), False, 0.0), (Comparing(broken=True), True, 0.0)],
)
def test_a_sentence_in_other_words_is_supported_when_the_embedder_finds_it_alike(
    tmp_path: Path, source: Comparing, in_time: bool, share: float
):
    section = KnowledgeBaseSection(retrieval_deadline_s=60 if in_time else 0.01)
    agent = AgentConfig(agent_id="a", name="A", knowledge_base=section)
    if not in_time:
        source.released.clear()
    model = ScriptedChatModel("Customers see reimbursement arrive inside a fortnight.")
    with ConversationStore.open(f"sqlite:///{tmp_path / 'c.sqlite'}") as store:
        session = Session.start(agent, knowledge_base=source, store=store, chat_model=model)
        *_, turn = list(session.reply("How long does it take?"))
    source.released.set()

    assert isinstance(turn, AgentTurn)
    assert turn.grounded_share == share
