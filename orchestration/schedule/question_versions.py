"""What a day's conversations are asked, as one version that moves when the questions change."""

import hashlib
from collections.abc import Collection, Mapping
from datetime import date

from analysis.evaluators.versions import judge_prompt_version
from analysis.store.closed_days import agents_by_day
from conversation.agent.config import AgentConfig
from orchestration.deployment import Deployment
from orchestration.operations.masking import usable_agents


def versions_by_day(
    deployment: Deployment, days: Collection[date] | None = None
) -> dict[date, str]:
    """Version of the questions for every day, or those of `days`, on which conversations ended.

    It moves for exactly the days with conversations of an agent whose criteria, fields or judge
    changed: those have answers to older questions.
    """
    asked = versions_by_agent(deployment)
    found = agents_by_day(deployment.conversations.engine, days)
    versions = {
        day: {name: asked[name] for name in agents if name in asked}
        for day, agents in found.items()
    }
    return {day: joined_version(asked) for day, asked in versions.items() if asked}


def versions_by_agent(deployment: Deployment) -> dict[str, str]:
    """Version of the questions of every agent whose file can be used."""
    return {agent.agent_id: questions_version(agent) for agent in usable_agents(deployment)}


def questions_version(agent: AgentConfig) -> str:
    """Twelve hexadecimal digits for what an agent's conversations are asked, and by whom."""
    parts = {
        **{f"criterion {found.criterion_id}": found.version for found in agent.criteria},
        **{f"field {found.field_id}": found.version for found in agent.data_collection},
        **{
            f"judge of {found.criterion_id}": judge_prompt_version(
                found.judge or agent.judge.name, found.variant
            )
            + (found.judge or agent.judge.name)
            for found in agent.criteria
        },
        "judge": agent.judge.name + judge_prompt_version(agent.judge.name, None),
        "summary": str(agent.analysis.summary),
    }
    return joined_version(parts)


def joined_version(parts: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits that move when any part does."""
    text = "\n".join(f"{name}\t{parts[name]}" for name in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
