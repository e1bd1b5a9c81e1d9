"""Numbers of a day's conversations that need no model, and what is missing from them."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pydantic import ValidationError

from analysis.store.counts import ids_that_ended
from analysis.store.settled import ended_by_agent, open_ids, settle
from analysis.store.touched import ids_ended_on, last_mark, take_touched
from analysis.warehouse.call_metrics import CallMetrics, call_metrics
from conversation.store.database import batches
from conversation.store.writing import CRASHED
from conversation.transcript import Transcript
from orchestration.deployment import Deployment

_READABLE = "can be read whole, 1"
"""What conversations are settled for that could be read: another text reads all of them again."""


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
    for ids in batches(list(ids_ended_on(deployment.engine, [day]))):
        found = deployment.conversations.transcripts(ids)
        # `incomplete_transcripts` names the others.
        measured += [call_metrics(each) for each in found.values() if isinstance(each, Transcript)]
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


def incomplete_transcripts(deployment: Deployment) -> list[str]:
    """Conversations of all days that cannot be read, or were cut off, of these the newest first.

    Each is read once: those that could be read whole are read again when they are touched.
    """
    engine = deployment.engine
    take_touched(engine)
    mark = last_mark(engine)
    ended = ended_by_agent(engine)
    asked = dict.fromkeys(ended, _READABLE)
    ids = open_ids(engine, asked, ended)
    problems: list[str] = []
    for some in batches(ids):
        readable: dict[str, str] = {}
        for key, found in deployment.conversations.transcripts(some).items():
            if isinstance(found, ValidationError):
                problems.append(f"{key}: what is stored of it is not a conversation")
            else:
                readable[key] = found.agent_id
        settle(engine, readable, asked, seen=mark)
    cut_off = ids_that_ended(engine, CRASHED, None)
    return problems + [f"{key}: its process ended in the middle of it" for key in cut_off[::-1]]


def _median(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return statistics.median(known) if known else None
