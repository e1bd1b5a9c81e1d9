"""Back to an earlier version of an agent, with the documents that are there now. No writing."""

from dataclasses import replace
from pathlib import Path

from conversation.agent.agent_file import document_paths
from conversation.agent.config import AgentConfig, KnowledgeBaseSection
from conversation.server.agents.files import AgentRecord, AgentRecords
from conversation.server.errors import IN_THE_WAY, ApiError, not_found

_SOURCES = ("files", "links", "sites", "texts")
_NAMED = 5


def earlier(records: AgentRecords, agent_id: str, version_id: str) -> AgentRecord:
    """An agent as it was in a version, with the tags that it has.

    Raises:
        NoSuchAgentError: No file has this id.
        ApiError: This version is not kept.
    """
    record = records.get(agent_id)
    agent = records.versions.agent(agent_id, version_id)
    entry = records.versions.entry(agent_id, version_id)
    if agent is None or entry is None:
        raise not_found("version", version_id[:64])
    return replace(record, agent=agent, sent=record.sent if entry.sent is None else entry.sent)


def restored(record: AgentRecord, wanted: AgentRecord, *, keep_documents: bool) -> AgentRecord:
    """An agent as it shall be to be what it was.

    Args:
        record: As it stands.
        wanted: As `earlier` gives it.
        keep_documents: Whether it goes on answering from what it answers from now.

    Raises:
        ApiError: It would answer from documents that are gone.
    """
    agent, present = wanted.agent, record.agent.knowledge_base
    if keep_documents:
        agent = _with_sources(agent, present)
    else:
        _require_documents(agent, present, record.path)
    return replace(record, agent=agent, sent=wanted.sent)


def _with_sources(agent: AgentConfig, section: KnowledgeBaseSection) -> AgentConfig:
    """`agent`, answering from what `section` names."""
    named = {name: getattr(section, name) for name in _SOURCES}
    own = agent.knowledge_base.model_copy(update=named)
    return agent.model_copy(update={"knowledge_base": own})


def _require_documents(agent: AgentConfig, present: KnowledgeBaseSection, path: Path) -> None:
    """Refuse an agent whose files are gone.

    Args:
        agent: As it shall be.
        present: What it answers from now: a file that is missing already stands in nobody's way.
        path: Of the agent's file.

    Raises:
        ApiError: Names the files.
    """
    new = tuple(each for each in agent.knowledge_base.files if each not in present.files)
    wanted = agent.knowledge_base.model_copy(update={"files": new})
    asked = agent.model_copy(update={"knowledge_base": wanted})
    missing = [each.name for each in document_paths(asked, path) if not each.exists()]
    if missing:
        more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
        raise ApiError(
            IN_THE_WAY,
            "documents_missing",
            f"This version answers from documents that are gone: "
            f"{', '.join(map(repr, missing[:_NAMED]))}{more}. Put them back, or restore it with "
            "`keep_documents`, so that the agent goes on answering from what it answers from now.",
        )
