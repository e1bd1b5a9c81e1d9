"""Agent files joined with this deployment: where each agent's documents and index are."""

from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from conversation.agent.agent_file import AgentListing, list_agents, load_agent
from conversation.agent.config import AgentConfig
from conversation.errors import AgentConfigError
from kb.config import IndexConfig, KnowledgeBaseConfig, Limits, LinkConfig
from orchestration.errors import UnknownAgentError
from orchestration.settings import Settings

LIBRARY = "Library"
"""Folder, and start of the collections, of the documents that belong to no agent yet."""


@dataclass(frozen=True, slots=True)
class InstalledAgent:
    """An agent of this deployment."""

    agent: AgentConfig
    """With the settings that replace a model applied."""
    path: Path
    """Its file; paths of documents are relative to it."""
    knowledge_base_dir: Path


def find_agent(agent_id: str, settings: Settings) -> InstalledAgent:
    """Return the agent with this id, or of the file at this path.

    Raises:
        UnknownAgentError: No agent file has this id.
        AgentConfigError: The file is there but is not a valid agent.
    """
    return installed_agent(_path_of(agent_id, settings), settings)


def installed_agent(path: Path, settings: Settings) -> InstalledAgent:
    """The agent of a file.

    Raises:
        AgentConfigError: It is not a valid agent.
    """
    agent = load_agent(path, override_llm=settings.llm)
    if settings.judge is not None:
        analysis = agent.analysis.model_copy(update={"judge": settings.judge})
        agent = agent.model_copy(update={"analysis": analysis})
    return InstalledAgent(agent, path, settings.store / "kb" / agent.agent_id)


def installed_agents(settings: Settings) -> list[InstalledAgent]:
    """Every agent that can be used, by name of its file; none where there is no agents folder.

    Each file is looked at once, and read when it changed.
    """
    if not settings.agents_dir.is_dir():
        return []
    return [
        installed_agent(row.path, settings)
        for row in agent_listings(settings)
        if row.agent is not None
    ]


def agent_listings(settings: Settings) -> list[AgentListing]:
    """Every agent file, also those that cannot be used, each with its reason."""
    return list_agents(settings.agents_dir)


def agent_ids(settings: Settings) -> list[str]:
    """Ids of the agents that can be used; none where there is no agents folder."""
    return [installed.agent.agent_id for installed in installed_agents(settings)]


def knowledge_base_config(agent: AgentConfig, settings: Settings) -> KnowledgeBaseConfig:
    """The parts of the agent file that its knowledge base is built with, and where vectors lie."""
    section = agent.knowledge_base
    index = IndexConfig()
    if settings.chroma_url is not None:
        # A server is shared by all agents, an embedded index is not.
        index = IndexConfig(chroma_url=settings.chroma_url, collection_prefix=agent.agent_id)
    return KnowledgeBaseConfig(
        limits=section.limits,
        chunking=section.chunking,
        embedding=section.embedding,
        parsing=section.parsing,
        retrieval=section.retrieval,
        links=LinkConfig(allowed_cidrs=(*section.allowed_cidrs, *settings.allowed_networks)),
        index=index,
        query_languages=(agent.language, *agent.languages),
    )


def library_config(settings: Settings) -> KnowledgeBaseConfig:
    """How documents are read that belong to no agent yet; the library keeps limits of its own."""
    index = IndexConfig()
    if settings.chroma_url is not None:
        index = IndexConfig(chroma_url=settings.chroma_url, collection_prefix=LIBRARY)
    return KnowledgeBaseConfig(
        limits=Limits(max_documents=None, max_total_bytes=None),
        links=LinkConfig(allowed_cidrs=settings.allowed_networks),
        index=index,
    )


def refuse_unknown_agent(agent_id: str, settings: Settings) -> None:
    """Raise `UnknownAgentError` unless there is such an agent, whether or not it can be used."""
    with suppress(AgentConfigError):
        find_agent(agent_id, settings)


def _path_of(agent_id: str, settings: Settings) -> Path:
    if agent_id.endswith((".yaml", ".yml")):
        return Path(agent_id)
    listings = agent_listings(settings)
    for row in listings:
        if row.agent is not None and row.agent.agent_id == agent_id:
            return row.path
        if row.agent is None and row.path.stem == agent_id:
            return row.path
    known = [row.agent.agent_id for row in listings if row.agent is not None]
    near = get_close_matches(agent_id, known, n=1)
    hint = f"Did you mean {near[0]!r}? " if near else ""
    raise UnknownAgentError(
        f"There is no agent {agent_id!r} in {str(settings.agents_dir)!r}. {hint}"
        f"Agents there: {', '.join(known) or 'none'}."
    )
