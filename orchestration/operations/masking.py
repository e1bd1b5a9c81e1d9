"""The stores of a deployment as judges and reports see them: masked as each agent file says."""

import hashlib
import json
from datetime import date
from pathlib import Path

from analysis.privacy.masked_stores import STRICTEST, RedactedAnalysis, RedactedConversations
from analysis.privacy.pii import BuiltinDetector
from analysis.store.closed_days import agents_by_day
from conversation.agent.config import AgentConfig
from conversation.agent.privacy_config import PrivacySection
from kb.whole_file import write_whole
from orchestration.agents import installed_agents
from orchestration.deployment import Deployment


def usable_agents(deployment: Deployment) -> list[AgentConfig]:
    """Every agent whose file can be used."""
    deployment.follow_agents()
    return [installed.agent for installed in installed_agents(deployment.settings)]


def redacted_conversations(deployment: Deployment) -> RedactedConversations:
    """The conversation store, masked; the masked words are kept beside the evaluations."""
    agents = usable_agents(deployment)
    _ = deployment.evaluations
    return RedactedConversations(
        deployment.conversations.engine,
        {agent.agent_id: agent.privacy for agent in agents},
        languages={agent.agent_id: agent.language for agent in agents},
    )


def redacted_evaluations(
    deployment: Deployment, conversations: RedactedConversations
) -> RedactedAnalysis:
    """The analysis store, masked as `conversations` is."""
    return RedactedAnalysis(deployment.evaluations.engine, conversations)


def agents_masked_otherwise(deployment: Deployment) -> list[str]:
    """Agents whose report rows were written before their `privacy` section was what it is now."""
    noted, current = _noted(deployment), _policies(deployment, _noted(deployment))
    return sorted(
        agent_id
        for agent_id, policy in current.items()
        if policy != noted.get(agent_id, _policy(PrivacySection()))
    )


def note_masking(deployment: Deployment) -> None:
    """Note what the report rows were masked by; call it once every day is written."""
    policies = _policies(deployment, _noted(deployment))
    write_whole(_notes(deployment), json.dumps(policies, sort_keys=True))


def days_of(deployment: Deployment, agents: list[str]) -> set[date]:
    """Days (UTC) on which conversations of these agents ended."""
    if not agents:
        return set()
    found = agents_by_day(deployment.conversations.engine)
    return {day for day, talked_to in found.items() if not talked_to.isdisjoint(agents)}


def _notes(deployment: Deployment) -> Path:
    return deployment.warehouse_dir / "privacy.json"


def _noted(deployment: Deployment) -> dict[str, str]:
    path = _notes(deployment)
    return json.loads(path.read_text("utf-8")) if path.exists() else {}


def _policies(deployment: Deployment, noted: dict[str, str]) -> dict[str, str]:
    """By agent. One that was known and has no usable file any more is masked strictly."""
    policies = {agent_id: _policy(STRICTEST) for agent_id in noted}
    return policies | {
        agent.agent_id: _policy(agent.privacy) for agent in usable_agents(deployment)
    }


def _policy(privacy: PrivacySection) -> str:
    if not privacy.redact:
        return "said"
    parts = (privacy.detector, BuiltinDetector.version, *sorted(privacy.kinds))
    return hashlib.sha256(" ".join(parts).encode()).hexdigest()[:12]
