"""Answers of judges that are in force, counted; and how far they can be relied on."""

from collections import Counter
from collections.abc import Collection, Mapping
from datetime import date
from typing import Any, NamedTuple

from analysis.store.audit import agreement_by_age, rows_without_conversation
from analysis.store.counts import (
    failures_in_force,
    first_error,
    flips,
    outcomes_in_force,
    statuses_in_force,
    summarised,
)
from orchestration.deployment import Deployment

MIN_LABELS_A_HALF = 10
DRIFT_LEVEL = 0.01


class Share(NamedTuple):
    """`part` of `whole`."""

    part: int
    whole: int


def verdict_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Verdicts on conversations of a day, by AGENT/CRITERION; `error` where the judge failed."""
    return outcomes_in_force(deployment.engine, [day])


def unsupported_shares(deployment: Deployment, days: Collection[date] | None) -> dict[str, Share]:
    """By agent: values that rest on words nobody said, of all values that were found."""
    statuses: dict[str, Counter[str]] = {}
    for name, counts in statuses_in_force(deployment.engine, days).items():
        statuses.setdefault(name.partition("/")[0], Counter()).update(counts)
    return {
        agent_id: Share(found["unsupported"], found["unsupported"] + found["supported"])
        for agent_id, found in statuses.items()
    }


def value_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Values of the conversations of a day, by AGENT/FIELD: how many have which status."""
    return statuses_in_force(deployment.engine, [day])


def summary_share(deployment: Deployment, days: Collection[date]) -> Share:
    """Conversations of some days with a summary, of all of them."""
    return Share(*summarised(deployment.engine, days))


def flip_shares(deployment: Deployment, days: Collection[date] | None) -> dict[str, Share]:
    """By agent: repeated verdicts that differ from the one in force, of all repeated ones.

    A repetition counts when it was asked the same question by the same judge.
    """
    return {agent_id: Share(*counts) for agent_id, counts in flips(deployment.engine, days).items()}


def label_drift(deployment: Deployment) -> list[str]:
    """Criteria on which the judge agrees less with new labels than with old ones, each in words.

    The conversations of one agent do not hide those of another.

    The labelled conversations are halved by their end. A difference counts when Fisher's exact
    test would show one so large by chance in less than one case of a hundred.
    """
    from scipy.stats import fisher_exact

    problems: list[str] = []
    for name, (old, new) in agreement_by_age(deployment.engine).items():
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
                f"{name}: judge and people agree on {new.agreed} of {new.compared} new "
                f"labels, and on {old.agreed} of {old.compared} older ones"
            )
    return problems


def orphan_rows(deployment: Deployment) -> list[tuple[str, int]]:
    """Tables of the analysis store with rows of conversations that are gone, and how many."""
    return rows_without_conversation(deployment.engine)


def judge_error_share(deployment: Deployment, days: Collection[date] | None) -> Share:
    """Criteria and fields without an answer because the judge failed, of all that were asked."""
    return together(judge_error_shares(deployment, days))


def judge_error_shares(deployment: Deployment, days: Collection[date] | None) -> dict[str, Share]:
    """The same by agent."""
    found = failures_in_force(deployment.engine, days)
    return {agent_id: Share(*counts) for agent_id, counts in found.items()}


def together(shares: Mapping[str, Share]) -> Share:
    """Of all agents."""
    return Share(sum(s.part for s in shares.values()), sum(s.whole for s in shares.values()))


def first_judge_error(deployment: Deployment, days: Collection[date] | None) -> str | None:
    """Why the judge failed, as it said the first time; None when it never failed."""
    return first_error(deployment.engine, days)
