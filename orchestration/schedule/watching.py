"""What tells that an agent's documents changed on disk, found without reading them."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from kb.document import FileSource
from orchestration.agents import agent_ids
from orchestration.deployment import Deployment
from orchestration.knowledge.sources import sources


@dataclass(frozen=True, slots=True)
class Watched:
    """Stamps of all agents, and those that differ from what was seen before."""

    stamps: Mapping[str, str]
    changed: tuple[str, ...]


def look_at_sources(deployment: Deployment, seen: Mapping[str, str] | None) -> Watched:
    """Compare the sources of every agent with the stamps of the last look.

    Args:
        deployment: Where the agents are.
        seen: Stamps by agent id; None on the very first look, which finds no change.
    """
    found = {
        agent_id: source_stamp(deployment, agent_id) for agent_id in watched_agents(deployment)
    }
    changed = () if seen is None else (id_ for id_ in found if seen.get(id_) != found[id_])
    # An agent file that is broken for a moment is no reason to forget what was seen of it.
    return Watched({**(seen or {}), **found}, tuple(changed))


def watched_agents(deployment: Deployment) -> list[str]:
    """Agents whose file can be used and names something to read."""
    return [
        agent_id for agent_id in agent_ids(deployment.settings) if sources(deployment, agent_id)
    ]


def source_stamp(deployment: Deployment, agent_id: str) -> str:
    """Changes when the agent's files, or what its file says of its knowledge base, change."""
    agent = deployment.sources(agent_id)
    files = [
        _stamp_of(source.path)
        for source in sources(deployment, agent_id)
        if isinstance(source, FileSource)
    ]
    said = [agent.knowledge_base.model_dump_json(), *files]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()[:16]


def agents_with_links(deployment: Deployment) -> list[str]:
    """Agents that read links or sites and were ingested before."""
    found: list[str] = []
    for agent_id in agent_ids(deployment.settings):
        section = deployment.sources(agent_id).knowledge_base
        installed = deployment.agent(agent_id)
        if (section.links or section.sites) and installed.knowledge_base_dir.is_dir():
            found.append(agent_id)
    return found


def _stamp_of(path: Path) -> str:
    try:
        found = path.stat()
    except OSError:
        return f"{path} missing"
    return f"{path} {found.st_size} {found.st_mtime_ns}"
