"""Which conversations and questions an evaluation is about, and what it may cost."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

from conversation.agent.config import AgentConfig
from conversation.store.store import ConversationSummary
from orchestration.deployment import Deployment
from orchestration.errors import UnknownQuestionError
from orchestration.operations.masking import redacted_conversations, usable_agents

if TYPE_CHECKING:
    from analysis.evaluation.plan import EvaluationPlan, EvaluationScope

ONE_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Narrowing:
    """What to ask. The default asks everything that has no answer yet."""

    days: Collection[date] | None = None
    """Conversations that ended on one of these days (UTC)."""
    since: date | None = None
    """First day on which they ended (UTC)."""
    until: date | None = None
    """Last day on which they ended (UTC)."""
    agent_id: str | None = None
    only: Collection[str] = ()
    """Ids of criteria and fields; none means all of them, and the summary."""
    judge: str | None = None
    """Model string in place of every agent's own judge."""
    sample: int = 0
    """1 and up ask everything once more."""
    max_usd: float | None = None
    max_tokens: int | None = None


def narrowed_agents(deployment: Deployment, narrowing: Narrowing) -> list[AgentConfig]:
    """Agents to ask for.

    Raises:
        UnknownAgentError: There is no such agent.
        UnknownQuestionError: No agent has such a criterion or field; says which there are.
    """
    if narrowing.agent_id is not None:
        agents = [deployment.agent(narrowing.agent_id).agent]
    else:
        agents = usable_agents(deployment)
    known = {criterion.criterion_id for agent in agents for criterion in agent.criteria}
    known |= {field.field_id for agent in agents for field in agent.data_collection}
    if unknown := sorted(set(narrowing.only) - known):
        raise UnknownQuestionError(
            f"No agent has a criterion or field {', '.join(map(repr, unknown))}. There are "
            f"{', '.join(sorted(known)) or 'none yet'}."
        )
    return agents


def narrowed_ids(
    deployment: Deployment, narrowing: Narrowing, *, now: datetime
) -> list[str] | None:
    """Conversations to ask about; None means all of them.

    Those whose evaluations were deleted by age are left out, so that they are not judged again.
    """
    since = judged_since(deployment, now)
    bounds = (narrowing.days, narrowing.since, narrowing.until, narrowing.agent_id)
    if not since and all(bound is None for bound in bounds):
        return None
    return [
        each.conversation_id
        for ended_from, ended_to in _spans(narrowing)
        for each in deployment.conversations.conversations(
            agent_id=narrowing.agent_id, ended_from=ended_from, ended_to=ended_to
        )
        if is_judged(each, since)
    ]


def judged_since(deployment: Deployment, now: datetime) -> dict[str, datetime]:
    """By agent that deletes evaluations by age: conversations of before are not judged again."""
    return {
        agent.agent_id: now - timedelta(days=agent.privacy.evaluations_days)
        for agent in usable_agents(deployment)
        if agent.privacy.evaluations_days is not None
    }


def is_judged(conversation: ConversationSummary, since: Mapping[str, datetime]) -> bool:
    """Whether a conversation is young enough; one that has not ended is."""
    bound = since.get(conversation.agent_id)
    return bound is None or conversation.ended_at is None or conversation.ended_at >= bound


def plan_narrowed(deployment: Deployment, narrowing: Narrowing, *, now: datetime) -> EvaluationPlan:
    """What would be asked; no judge is opened."""
    # What asks judges is loaded by those who do: `report` does not.
    from analysis.evaluation.plan import plan_evaluations

    return plan_evaluations(
        redacted_conversations(deployment),
        deployment.evaluations,
        narrowed_agents(deployment, narrowing),
        evaluation_scope(deployment, narrowing, now=now),
    )


def evaluation_scope(
    deployment: Deployment, narrowing: Narrowing, *, now: datetime
) -> EvaluationScope:
    """Return what `narrowing` comes to."""
    from analysis.evaluation.plan import EvaluationScope

    return EvaluationScope(
        judge=narrowing.judge,
        conversation_ids=narrowed_ids(deployment, narrowing, now=now),
        only=narrowing.only or None,
        sample=narrowing.sample,
    )


def _spans(narrowing: Narrowing) -> list[tuple[datetime | None, datetime | None]]:
    """Times from and to which the conversations ended, each as short as can be."""
    first, last = narrowing.since, narrowing.until
    if narrowing.days is None:
        return [(_midnight(first), None if last is None else _midnight(last + ONE_DAY))]
    return [
        (_midnight(day), _midnight(day + ONE_DAY))
        for day in sorted(narrowing.days)
        if (first is None or first <= day) and (last is None or day <= last)
    ]


def _midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), UTC)
