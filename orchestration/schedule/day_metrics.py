"""Numbers of a day's conversations that need no model, and what is missing from them."""

import statistics
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from analysis.warehouse.call_metrics import CallMetrics, call_metrics
from conversation.errors import ConversationError
from conversation.store.writing import CRASHED
from orchestration.deployment import Deployment
from orchestration.operations.operations import days_with_conversations, ended_on

UNREADABLE = (ConversationError, ValidationError)
"""What a conversation is that does not come out of the store whole. The others of its day do."""


@dataclass(frozen=True, slots=True)
class DayMetrics:
    """What the conversations of a day add up to. None where no conversation tells."""

    conversations: int
    turns: int
    interruptions: int
    failed_turns: int
    duration_p50_s: float | None
    first_token_p50_ms: float | None
    """Median over the conversations of their own medians."""
    first_token_p95_ms: float | None
    """Median over the conversations of their own 95th percentiles."""
    grounded_share: float | None
    cost_usd: float | None


def day_metrics(deployment: Deployment, day: date) -> DayMetrics:
    """Measure the conversations that ended on a day; those that cannot be read are left out."""
    measured: list[CallMetrics] = []
    for found in ended_on(deployment, day):
        try:
            measured.append(
                call_metrics(deployment.conversations.transcript(found.conversation_id))
            )
        except UNREADABLE:
            continue  # `incomplete_transcripts` names it
    costs = [found.cost_usd for found in measured]
    return DayMetrics(
        conversations=len(measured),
        turns=sum(found.turns for found in measured),
        interruptions=sum(found.interruptions for found in measured),
        failed_turns=sum(found.failed_turns for found in measured),
        duration_p50_s=_median([found.duration_s for found in measured]),
        first_token_p50_ms=_median([found.request_to_first_token_p50_ms for found in measured]),
        first_token_p95_ms=_median([found.request_to_first_token_p95_ms for found in measured]),
        grounded_share=_median([found.grounded_share for found in measured]),
        cost_usd=None if not costs or None in costs else sum(cost or 0.0 for cost in costs),
    )


def incomplete_transcripts(deployment: Deployment, days: Collection[date] | None) -> list[str]:
    """Conversations that cannot be read, have fewer turns than were stored, or were cut off."""
    problems: list[str] = []
    for day in days_with_conversations(deployment) if days is None else days:
        for found in ended_on(deployment, day):
            try:
                transcript = deployment.conversations.transcript(found.conversation_id)
            except UNREADABLE as error:
                problems.append(f"{found.conversation_id}: {_reason(error)}")
                continue
            if len(transcript.turns) != found.turn_count:
                problems.append(
                    f"{found.conversation_id}: {found.turn_count} turns were stored, "
                    f"{len(transcript.turns)} can be read"
                )
            elif transcript.end_reason == CRASHED:
                problems.append(f"{found.conversation_id}: its process ended in the middle of it")
    return problems


def _reason(error: ConversationError | ValidationError) -> str:
    # The validator's own message repeats what it was given, which may be what somebody said.
    if isinstance(error, ValidationError):
        return "what is stored of it is not a conversation"
    return str(error)


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
