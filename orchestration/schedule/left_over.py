"""Conversations that a run should have judged and did not: their days are asked for again.

A judge that was down, a budget that was used up or a file that was wrong leaves them. The sensor
that sees conversations end asks once for each; changed questions are nobody's left-overs: when to
pay for those is for people to say.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

from analysis.evaluation.plan import EvaluationScope, plan_evaluations
from orchestration.deployment import Deployment
from orchestration.operations.masking import redacted_conversations, usable_agents
from orchestration.operations.narrowing import is_judged, judged_since

BEING_JUDGED_FOR = timedelta(minutes=10)
"""So soon after its end, the run that was asked for first may still be at work."""
TRIED_FOR = timedelta(days=3)
"""What fails for longer waits for a person: `vivavoce evaluate`, or a new run of its day."""


def days_left_over(deployment: Deployment, *, now: datetime) -> list[date]:
    """Days (UTC) with conversations that ended lately and that no run got through, oldest first."""
    since = judged_since(deployment, now)
    ended = {
        found.conversation_id: found.ended_at.astimezone(UTC).date()
        for found in deployment.conversations.conversations(closed_from=now - TRIED_FOR)
        if found.ended_at is not None
        and found.closed_at is not None
        and found.closed_at <= now - BEING_JUDGED_FOR
        and is_judged(found, since)
    }
    judged = _judged(deployment, list(ended))
    left = [conversation_id for conversation_id in ended if conversation_id not in judged]
    plan = plan_evaluations(
        redacted_conversations(deployment),
        deployment.evaluations,
        usable_agents(deployment),
        EvaluationScope(conversation_ids=left),
    )
    return sorted({ended[planned.conversation_id] for planned in plan.conversations})


def _judged(deployment: Deployment, ids: Sequence[str]) -> set[str]:
    """Conversations that a run got through without an error."""
    store = deployment.evaluations
    through = {run.conversation_id for run in store.runs(ids) if run.error is None}
    answers = (*store.evaluations(ids), *store.collected_values(ids))
    return through - {found.conversation_id for found in answers if found.error is not None}
