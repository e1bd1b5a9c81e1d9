"""Every document that agents can answer from: those of the library, and those of agent files."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any

from conversation.server.agents.authoring import Authoring
from conversation.server.agents.files import AgentRecord
from conversation.server.agents.named_documents import NamedDocument
from conversation.server.documents.bodies import (
    DependentAgent,
    DocumentAnswer,
    DocumentSummary,
    DocumentTimes,
    IndexStatus,
)
from conversation.server.documents.named_progress import held_by, named_progress
from conversation.server.errors import IN_THE_WAY, ApiError, not_found
from conversation.server.library.ingest_queue import SyncState
from conversation.server.library.library import HandedInAs, LibraryDocument
from kb.document import Document
from kb.index.catalog import ChunkRow
from kb.knowledge_base import KnowledgeBase


@dataclass(frozen=True, slots=True)
class KnownDocument:
    """A document, wherever it comes from."""

    document_id: str
    kind: HandedInAs
    name: str
    source: str
    """The URL of a page, or a file's name."""
    bytes: int
    created_at: datetime
    updated_at: datetime
    status: IndexStatus
    agents: tuple[AgentRecord, ...]
    reason: str | None = None
    detail: str | None = None
    stored: LibraryDocument | None = None
    """None for a document that an agent file names by itself."""

    @property
    def summary(self) -> DocumentSummary:
        """As the network protocol lists it."""
        return DocumentSummary(
            type=self.kind,
            id=self.document_id,
            name=self.name,
            metadata=DocumentTimes(
                created_at_unix_secs=int(self.created_at.timestamp()),
                last_updated_at_unix_secs=int(self.updated_at.timestamp()),
                size_bytes=self.bytes,
            ),
            dependent_agents=[
                dependent_agent(record, [self.document_id]) for record in self.agents
            ],
            url=self.source if self.kind == "url" else None,
            status=self.status,
            reason=self.reason,
            message=self.detail,
        )


def known_documents(authored: Authoring) -> list[KnownDocument]:
    """All of them."""
    library = authored.library.documents()
    named: dict[str, tuple[NamedDocument, list[AgentRecord]]] = {}
    for record in authored.records.all():
        for document in authored.documents_of(record, library):
            named.setdefault(document.document_id, (document, []))[1].append(record)
    stored: list[KnownDocument] = []
    for document in library:
        by_agents = named.pop(document.document_id, None)
        stored.append(_stored(document, by_agents[1] if by_agents else [], authored))
    syncs = authored.queue.sync_states()
    return [*stored, *(_named(document, by, authored, syncs) for document, by in named.values())]


def known_document(document_id: str, authored: Authoring) -> KnownDocument:
    """One document.

    Raises:
        ApiError: 404.
    """
    stored = authored.library.find(document_id)
    if stored is not None:
        return _stored(stored, authored.agents_with(document_id), authored)
    for document in known_documents(authored):
        if document.document_id == document_id:
            return document
    raise not_found("document", document_id[:100])


def text_of(document: KnownDocument, authored: Authoring) -> str:
    """The text as it was read.

    Raises:
        ApiError: It was not read yet, or could not be.
    """
    knowledge_base, indexed = _indexed(document, authored)
    if indexed is None:
        raise not_read(document)
    return knowledge_base.text_of(indexed.document_id)


def html_of(document: KnownDocument, authored: Authoring) -> str:
    """The text as paragraphs of HTML; empty as long as it was not read."""
    knowledge_base, indexed = _indexed(document, authored)
    if indexed is None:
        return ""
    blocks = knowledge_base.text_of(indexed.document_id).split("\n\n")
    return "".join(f"<p>{escape(block.strip())}</p>" for block in blocks if block.strip())


def document_answer(document: KnownDocument, authored: Authoring) -> DocumentAnswer:
    """A document with its text."""
    return DocumentAnswer(
        **document.summary.model_dump(),
        extracted_inner_html=html_of(document, authored),
        filename=document.source if document.kind == "file" else None,
    )


def failure(code: int, status: str, message: str) -> dict[str, Any]:
    """The entry of one of several documents that something is wrong with."""
    return {
        "status": "failure",
        "error_code": code,
        "error_status": status,
        "error_message": message,
    }


def chunks_of(document: KnownDocument, authored: Authoring) -> list[ChunkRow]:
    """Its chunks in reading order; none as long as it was not read."""
    knowledge_base, indexed = _indexed(document, authored)
    return [] if indexed is None else knowledge_base.chunks_of(indexed.document_id)


def not_read(document: KnownDocument) -> ApiError:
    """The answer while there is no text."""
    if document.status == "failed":
        said = document.detail or "It cannot be read."
        return ApiError(IN_THE_WAY, "document_failed", f"{document.name!r} has no text. {said}")
    if document.status == "new":
        said = f"{document.name!r} has no text. {document.detail}"
        return ApiError(IN_THE_WAY, "document_not_ingested", said)
    return ApiError(
        409, "document_not_ready", f"{document.name!r} is still being read; try again in a moment."
    )


def dependent_agent(record: AgentRecord, document_ids: list[str]) -> DependentAgent:
    """An agent that answers from these documents."""
    return DependentAgent(
        referenced_resource_ids=document_ids,
        id=record.agent.agent_id,
        name=record.agent.name,
        created_at_unix_secs=int(record.created_at.timestamp()),
    )


def _stored(
    document: LibraryDocument, agents: list[AgentRecord], authored: Authoring
) -> KnownDocument:
    return KnownDocument(
        document_id=document.document_id,
        kind=document.kind,
        name=document.name,
        source=document.source.rpartition("/")[2] if document.kind != "url" else document.source,
        bytes=document.bytes,
        created_at=document.created_at,
        updated_at=document.updated_at,
        status=authored.status_of(document, agents),
        agents=tuple(agents),
        reason=document.reason,
        detail=document.detail,
        stored=document,
    )


def _named(
    document: NamedDocument,
    agents: list[AgentRecord],
    authored: Authoring,
    syncs: Mapping[str, SyncState],
) -> KnownDocument:
    first = agents[0]
    progress = named_progress(document.document_id, agents, authored, syncs)
    held = progress.held
    return KnownDocument(
        document_id=document.document_id,
        kind=document.kind,
        name=document.name if held is None else held.name,
        source=document.name if held is None else held.source,
        bytes=0 if held is None else held.bytes,
        created_at=first.created_at,
        updated_at=first.created_at if held is None else held.updated_at or first.created_at,
        status=progress.status,
        agents=tuple(agents),
        reason=progress.reason,
        detail=progress.detail,
    )


def _indexed(document: KnownDocument, authored: Authoring) -> tuple[KnowledgeBase, Document | None]:
    """The knowledge base that read it, and what it holds of it."""
    if document.stored is not None:
        index, indexed_id = authored.library.index, authored.library.indexed_id(document.stored)
    else:
        index = next(
            (
                knowledge_base
                for record in document.agents
                if held_by(
                    knowledge_base := authored.open(record.agent.agent_id), document.document_id
                )
                is not None
            ),
            authored.open(document.agents[0].agent.agent_id),
        )
        indexed_id = document.document_id
    held = held_by(index, indexed_id)
    return index, held if held is not None and held.status == "ready" else None
