"""What a day's conversations are asked, as one version that moves when the questions change."""

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date

from analysis.prompts import judge_prompt_version
from conversation.config import AgentConfig
from orchestration.deployment import Deployment
from orchestration.redacting import usable_agents


def versions_by_day(deployment: Deployment) -> dict[date, str]:
    """Version of the questions for every day on which conversations ended.

    It moves for exactly the days with conversations of an agent whose criteria, fields or judge
    changed: those have answers to older questions.
    """
    asked = {agent.agent_id: questions_version(agent) for agent in usable_agents(deployment)}
    agents: dict[date, set[str]] = defaultdict(set)
    for found in deployment.conversations.conversations():
        if found.ended_at is not None and found.agent_id in asked:
            agents[found.ended_at.astimezone(UTC).date()].add(found.agent_id)
    return {day: _joined({name: asked[name] for name in names}) for day, names in agents.items()}


def questions_version(agent: AgentConfig) -> str:
    """Twelve hexadecimal digits for what an agent's conversations are asked, and by whom."""
    parts = {
        **{f"criterion {found.criterion_id}": found.version for found in agent.criteria},
        **{f"field {found.field_id}": found.version for found in agent.data_collection},
        **{
            f"judge of {found.criterion_id}": judge_prompt_version(
                found.judge or agent.judge, found.variant
            )
            + (found.judge or agent.judge)
            for found in agent.criteria
        },
        "judge": agent.judge + judge_prompt_version(agent.judge, None),
        "summary": str(agent.analysis.summary),
    }
    return _joined(parts)


def _joined(parts: Mapping[str, str]) -> str:
    text = "\n".join(f"{name}\t{parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
