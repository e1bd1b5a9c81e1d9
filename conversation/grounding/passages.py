"""A user's turn -> the passages that the agent may answer from, in time.

A search that misses its deadline is replaced by one for words alone, which needs no embedding. A
knowledge base that is small enough stands in the prompt whole, and is searched all the same.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from conversation.language.tokens import estimated_tokens
from conversation.transcript import Turn
from kb.document import Document, RetrievedPassage
from kb.index.catalog import ChunkRow
from kb.retrieval.passages import places_of
from kb.retrieval.small_talk import should_search


class PassageSource(Protocol):
    """What a session needs of a knowledge base; `kb.knowledge_base.KnowledgeBase` is one."""

    def retrieve(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        """Passages for a user's turn, best first. `history` does not contain the turn."""
        ...


@runtime_checkable
class LexicalSource(Protocol):
    """A knowledge base that can also search without its embedding model."""

    def retrieve_lexical(
        self, query: str, *, history: Sequence[Turn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        """Passages that share words with the turn, best first."""
        ...


class NamedModel(Protocol):
    """A model that has a name."""

    @property
    def model(self) -> str:
        """The name."""
        ...


@runtime_checkable
class EmbeddedSource(Protocol):
    """A knowledge base that says which model compares meanings in it."""

    @property
    def embedding(self) -> NamedModel:
        """The model."""
        ...


@runtime_checkable
class ReadableSource(Protocol):
    """A knowledge base whose documents can be read whole."""

    def documents(self) -> list[Document]:
        """Every document."""
        ...

    def text_of(self, document_id: str) -> str:
        """The stored text of a document."""
        ...

    def chunks_of(self, document_id: str) -> list[ChunkRow]:
        """Its chunks, which know where they stand."""
        ...


@dataclass(frozen=True, slots=True)
class RetrievalDone:
    """The knowledge base was asked: the event that whoever follows a turn is given.

    The store keeps a `conversation.transcript.Retrieval` of each passage.
    """

    passages: tuple[RetrievedPassage, ...]
    """Best first; those that fit into its budget stand in the prompt."""
    query: str
    mode: str = "hybrid"
    """`hybrid`; `lexical` when the deadline passed; `whole` when all documents are in the prompt;
    `none` when the user asked for nothing."""
    latency_ms: float | None = None


def find_passages(
    source: PassageSource, turns: Sequence[Turn], *, limit: int, deadline_s: float | None
) -> RetrievalDone:
    """Search `source` for the last of `turns`; after `deadline_s`, search for words alone.

    A source that knows no search for words is waited for. Nothing is searched for a greeting or
    thanks: what would be found fits nothing, and the model would have to read it.
    """
    *history, asked = turns
    if not should_search(asked.text, history):
        return RetrievalDone((), asked.text, "none")
    if deadline_s is None or not isinstance(source, LexicalSource):
        return RetrievalDone(
            tuple(source.retrieve(asked.text, history=history, limit=limit)), asked.text
        )
    search: Future[list[RetrievedPassage]] = Future()

    def run() -> None:
        try:
            search.set_result(source.retrieve(asked.text, history=history, limit=limit))
        except BaseException as error:
            search.set_exception(error)

    # Not of a pool: a search that hangs must hold up neither the next one nor the end of the
    # process.
    threading.Thread(target=run, name="retrieval", daemon=True).start()
    try:
        return RetrievalDone(tuple(search.result(timeout=deadline_s)), asked.text)
    except TimeoutError:
        if search.done():
            raise
    words = source.retrieve_lexical(asked.text, history=history, limit=limit)
    return RetrievalDone(tuple(words), asked.text, "lexical")


def whole_documents(source: PassageSource | None, budget: int) -> list[RetrievedPassage]:
    """Each document as one passage, when all of them together have at most `budget` tokens."""
    if budget == 0 or not isinstance(source, ReadableSource):
        return []
    ready = [document for document in source.documents() if document.status == "ready"]
    if sum(document.chars for document in ready) > budget * 4:
        return []
    texts = [(document, source.text_of(document.document_id)) for document in ready]
    if sum(estimated_tokens(text) for _, text in texts) > budget:
        return []
    return [
        RetrievedPassage(
            document_id=document.document_id,
            document_name=document.name,
            chunk_id=f"{document.document_id}:whole",
            text=text,
            start_char=0,
            end_char=len(text),
            heading_path=(),
            page=None,
            score=1.0,
            rank=rank,
            document_version=document.version,
            places=places_of(source.chunks_of(document.document_id)),
        )
        for rank, (document, text) in enumerate(texts, start=1)
    ]


def chunks_of_whole(source: PassageSource | None) -> list[RetrievedPassage]:
    """Every chunk of documents that stand in the prompt whole, as answers cite them."""
    if not isinstance(source, ReadableSource):
        return []
    ready = [document for document in source.documents() if document.status == "ready"]
    rows = [row for document in ready for row in source.chunks_of(document.document_id)]
    return [
        RetrievedPassage(
            document_id=row.document_id,
            document_name=row.document_name,
            chunk_id=row.chunk_id,
            text=row.text,
            start_char=row.start_char,
            end_char=row.end_char,
            heading_path=row.heading_path,
            page=row.page,
            score=0.0,
            rank=rank,
            document_version=row.document_version,
            places=row.places,
        )
        for rank, row in enumerate(rows, start=1)
    ]
