"""Answers of judges that are in force, counted; and how far they can be relied on."""

from collections import Counter
from collections.abc import Collection
from datetime import date
from typing import Any, NamedTuple

from analysis.store.audit import agreement_by_age, rows_without_conversation
from orchestration.deployment import Deployment
from orchestration.operations.operations import days_with_conversations, ended_on

MIN_LABELS_A_HALF = 10
DRIFT_LEVEL = 0.01


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


def value_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Values of the conversations of a day, by field: how many have which status."""
    in_force = {
        (found.conversation_id, found.field_id): found.status
        for found in deployment.evaluations.collected_values(_ids(deployment, [day]))
        if found.sample == 0
    }
    counts: dict[str, Counter[str]] = {}
    for (_, field_id), status in in_force.items():
        counts.setdefault(field_id, Counter())[status] += 1
    return dict(sorted(counts.items()))


def summary_share(deployment: Deployment, days: Collection[date]) -> Share:
    """Conversations of some days with a summary, of all of them."""
    ids = _ids(deployment, days)
    summarised = {run.conversation_id for run in deployment.evaluations.runs(ids) if run.summary}
    return Share(len(summarised), len(ids))


def flip_share(deployment: Deployment, days: Collection[date] | None) -> Share:
    """Repeated verdicts that differ from the one in force, of all repeated ones.

    A repetition counts when it was asked the same question by the same judge.
    """
    first: dict[tuple[str, ...], str | None] = {}
    repeated: list[tuple[tuple[str, ...], str | None]] = []
    for found in deployment.evaluations.evaluations(_ids(deployment, days)):
        key = (
            found.conversation_id,
            found.criterion_id,
            found.criterion_version,
            found.judge_model,
            found.judge_prompt_version,
            found.transcript_sha256,
        )
        if found.sample == 0:
            first[key] = found.verdict
        elif found.verdict is not None:
            repeated.append((key, found.verdict))
    compared = [(first[key], verdict) for key, verdict in repeated if first.get(key) is not None]
    return Share(sum(before != after for before, after in compared), len(compared))


def label_drift(deployment: Deployment) -> list[str]:
    """Criteria on which the judge agrees less with new labels than with old ones, each in words.

    The labelled conversations are halved by their end. A difference counts when Fisher's exact
    test would show one so large by chance in less than one case of a hundred.
    """
    from scipy.stats import fisher_exact

    problems: list[str] = []
    for criterion_id, (old, new) in agreement_by_age(deployment.engine).items():
        if (
            old.compared < MIN_LABELS_A_HALF
            or new.agreed * old.compared >= old.agreed * new.compared
        ):
            continue
        tested: Any = fisher_exact(
            [
                [old.agreed, old.compared - old.agreed],
                [new.agreed, new.compared - new.agreed],
            ]
        )
        if tested.pvalue < DRIFT_LEVEL:
            problems.append(
                f"{criterion_id}: judge and people agree on {new.agreed} of {new.compared} new "
                f"labels, and on {old.agreed} of {old.compared} older ones"
            )
    return problems


def orphan_rows(deployment: Deployment) -> list[tuple[str, int]]:
    """Tables of the analysis store with rows of conversations that are gone, and how many."""
    return rows_without_conversation(deployment.engine)


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
