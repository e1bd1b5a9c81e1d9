"""What judges may cost in a day, over all runs of that day."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time

from analysis.evaluation.tally import EvaluationRun
from analysis.store.audit import usage_since
from orchestration.deployment import Deployment
from orchestration.operations.narrowing import Narrowing
from orchestration.operations.operations import evaluate


def evaluate_within_budget(
    deployment: Deployment, days: Sequence[date], *, now: datetime
) -> EvaluationRun:
    """Judge the conversations of `days`, with what is left of today's budget.

    A run stops before it would pass the budget: `EvaluationRun.stopped` says so, and the
    conversations that were not reached are judged by the next run that may spend again.

    Raises:
        BudgetError: A budget is set, and a judge whose price is not known.
    """
    most = deployment.settings.max_judge_usd_per_day
    left = None if most is None else max(0.0, most - spent_today(deployment, now=now))
    return evaluate(deployment, days, Narrowing(max_usd=left))


def spent_today(deployment: Deployment, *, now: datetime) -> float:
    """What all runs since midnight (UTC) cost, in USD; answers without a known price are free."""
    midnight = datetime.combine(now.astimezone(UTC).date(), time(), UTC)
    usages = usage_since(deployment.evaluations.engine, midnight)
    return sum(usage.cost_usd or 0.0 for usage in usages)
