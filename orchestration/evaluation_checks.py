"""Answers of judges that are in force, counted; and how far they can be relied on."""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from orchestration.deployment import Deployment
from orchestration.operations import days_with_conversations, ended_on


class Share(NamedTuple):
    """`part` of `whole`."""

    part: int
    whole: int


def verdict_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Verdicts on the conversations of a day, by criterion; `error` where the judge failed."""
    in_force = {
        (found.conversation_id, found.criterion_id): found.verdict or "error"
        for found in deployment.evaluations.evaluations(_ids(deployment, [day]))
        if found.sample == 0
    }
    counts: dict[str, Counter[str]] = {}
    for (_, criterion_id), verdict in in_force.items():
        counts.setdefault(criterion_id, Counter())[verdict] += 1
    return dict(sorted(counts.items()))


def unsupported_share(deployment: Deployment, days: Collection[date] | None) -> Share:
    """Collected values that rest on words nobody said, of all values that were found."""
    values = {
        (value.conversation_id, value.field_id): value
        for value in deployment.evaluations.collected_values(_ids(deployment, days))
        if value.sample == 0
    }
    statuses = [value.status for value in values.values()]
    unsupported = statuses.count("unsupported")
    return Share(unsupported, unsupported + statuses.count("supported"))


def judge_error_share(deployment: Deployment, days: Collection[date] | None) -> Share:
    """Criteria and fields without an answer because the judge failed, of all that were asked."""
    ids = _ids(deployment, days)
    verdicts = {
        (found.conversation_id, found.criterion_id): found.error is not None
        for found in deployment.evaluations.evaluations(ids)
        if found.sample == 0
    }
    values = {
        (found.conversation_id, found.field_id): found.error is not None
        for found in deployment.evaluations.collected_values(ids)
        if found.sample == 0
    }
    failed = [*verdicts.values(), *values.values()]
    return Share(sum(failed), len(failed))


def first_judge_error(deployment: Deployment, days: Collection[date] | None) -> str | None:
    """Why the judge failed, as it said the first time; None when it never failed."""
    for found in deployment.evaluations.evaluations(_ids(deployment, days)):
        if found.error is not None:
            return found.error
    return None


def _ids(deployment: Deployment, days: Collection[date] | None) -> list[str]:
    chosen = days_with_conversations(deployment) if days is None else days
    return [found.conversation_id for day in chosen for found in ended_on(deployment, day)]
