"""How far the agents are that name a document in their files with reading it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from conversation.server.agents.authoring import Authoring
from conversation.server.agents.files import AgentRecord
from conversation.server.documents.bodies import IndexStatus
from conversation.server.library.ingest_queue import SyncState
from kb.document import Document
from kb.knowledge_base import KnowledgeBase

_WORST_FIRST: tuple[IndexStatus, ...] = ("failed", "new", "created", "processing", "succeeded")


@dataclass(frozen=True, slots=True)
class NamedProgress:
    """How far one document is; of several agents, the one that is least far tells."""

    status: IndexStatus
    reason: str | None = None
    detail: str | None = None
    held: Document | None = None
    """As an agent's knowledge base holds it."""


def named_progress(
    document_id: str,
    agents: Sequence[AgentRecord],
    authored: Authoring,
    syncs: Mapping[str, SyncState],
) -> NamedProgress:
    """How far a document is that these agents (at least one) name in their files."""
    each = [
        _of_agent(document_id, record.agent.agent_id, authored, syncs.get(record.agent.agent_id))
        for record in agents
    ]
    worst = min(each, key=lambda progress: _WORST_FIRST.index(progress.status))
    held = next((progress.held for progress in each if progress.held is not None), None)
    return NamedProgress(worst.status, worst.reason, worst.detail, held)


def agents_without(
    document_id: str, agents: Sequence[AgentRecord], authored: Authoring
) -> list[str]:
    """Ids of those of these agents whose knowledge base never took the document up."""
    ids = [record.agent.agent_id for record in agents]
    return [each for each in ids if held_by(authored.open(each), document_id) is None]


def held_by(knowledge_base: KnowledgeBase, document_id: str) -> Document | None:
    """What a knowledge base holds of a document; None when it never took it up."""
    return next(
        (each for each in knowledge_base.documents() if each.document_id == document_id), None
    )


def _of_agent(
    document_id: str, agent_id: str, authored: Authoring, sync: SyncState | None
) -> NamedProgress:
    held = held_by(authored.open(agent_id), document_id)
    if held is not None:
        status: IndexStatus = "succeeded" if held.status == "ready" else "failed"
        return NamedProgress(status, held.reason, held.detail, held)
    if sync is not None and sync.status in ("created", "processing"):
        return NamedProgress(sync.status)
    if sync is not None and sync.detail is not None:
        # Asking again by itself would fail again, and a client that polls would never end.
        said = f"{sync.detail} Mend it, then ask `POST .../knowledge-base/{document_id}/refresh`."
        return NamedProgress("failed", "sync_failed", said)
    said = (
        f"The agent {agent_id!r} has not read it yet. Ask "
        f"`POST /v1/convai/knowledge-base/{document_id}/rag-index`, or run "
        f"`vivavoce ingest {agent_id}`."
    )
    return NamedProgress("new", "not_ingested", said)
