"""Agents as reports show them: those that can be used, and the last that is known of the others.

A typing error in an agent file takes away neither its view nor what stands in it; `evaluate` names
the file and what is wrong with it.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError

from conversation.agent.agent_file import AgentListing
from conversation.agent.config import AgentConfig
from kb.whole_file import write_whole
from orchestration.agents import agent_listings
from orchestration.deployment import Deployment
from orchestration.operations.masking import usable_agents

_ID = re.compile(r"^agent_id:\s*['\"]?([a-z][a-z0-9_-]{0,63})\b", re.MULTILINE)
_READ_CHARS = 2**20


def broken_agents(deployment: Deployment) -> list[AgentListing]:
    """Agent files that cannot be used, each with the reason."""
    if not deployment.settings.agents_dir.is_dir():
        return []
    return [row for row in agent_listings(deployment.settings) if row.agent is None]


def broken_agents_text(listings: Sequence[AgentListing]) -> str:
    """What to tell of agent files that cannot be used."""
    return "\n".join(
        f"{row.error}\nIts conversations are not judged until that is mended; its reports stay."
        for row in listings
    )


def agents_to_publish(deployment: Deployment) -> list[AgentConfig]:
    """Usable agents, and of each broken file the questions it asked when it could be used."""
    usable = usable_agents(deployment)
    known = {agent.agent_id for agent in usable}
    broken = {_id_of(row.path) for row in broken_agents(deployment)} - known
    noted = _noted(deployment)
    return [*usable, *(noted[agent_id] for agent_id in sorted(broken & noted.keys()))]


def note_agents(deployment: Deployment, agents: Sequence[AgentConfig]) -> None:
    """Keep what these agents ask, for a time when a file is broken."""
    asked = {
        agent.agent_id: {
            "agent_id": agent.agent_id,
            "name": agent.name,
            "criteria": [each.model_dump(mode="json") for each in agent.criteria],
            "data_collection": [each.model_dump(mode="json") for each in agent.data_collection],
        }
        for agent in agents
    }
    write_whole(_notes(deployment), json.dumps(asked, sort_keys=True))


def _noted(deployment: Deployment) -> dict[str, AgentConfig]:
    path = _notes(deployment)
    if not path.exists():
        return {}
    agents: dict[str, AgentConfig] = {}
    for agent_id, section in json.loads(path.read_text("utf-8")).items():
        try:
            agents[agent_id] = AgentConfig.model_validate(section)
        except ValidationError:
            continue  # written by another version: the view comes back with the mended file
    return agents


def _id_of(path: Path) -> str:
    """The agent id of a file that is no valid agent: as it says, else its name."""
    with path.open(encoding="utf-8", errors="replace") as file:
        found = _ID.search(file.read(_READ_CHARS))
    return found.group(1) if found else path.stem


def _notes(deployment: Deployment) -> Path:
    return deployment.warehouse_dir / "agents.json"
