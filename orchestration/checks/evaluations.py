"""Answers of judges that are in force, counted; and how far they can be relied on."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from datetime import date
from typing import Any, NamedTuple

from analysis.printable import counted
from analysis.store.audit import agreement_by_age, rows_without_conversation
from analysis.store.counts import (
    Fault,
    day_counts_of,
    failures_in_force,
    first_error,
    outcomes_in_force,
    statuses_in_force,
    summarised,
)
from orchestration.agents import agent_listings
from orchestration.deployment import Deployment

NAMED_DAYS = 3
MIN_LABELS_A_HALF = 10
DRIFT_LEVEL = 0.01


class Share(NamedTuple):
    """`part` of `whole`."""

    part: int
    whole: int


def verdict_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Verdicts on conversations of a day, by AGENT/CRITERION; `error` where the judge failed."""
    return outcomes_in_force(deployment.engine, [day])


def value_counts(deployment: Deployment, day: date) -> dict[str, Counter[str]]:
    """Values of the conversations of a day, by AGENT/FIELD: how many have which status."""
    return statuses_in_force(deployment.engine, [day])


def summary_share(deployment: Deployment, days: Collection[date]) -> Share:
    """Conversations of some days with a summary, of all of them."""
    return Share(*summarised(deployment.engine, days))


def shares_by_day(deployment: Deployment, fault: Fault) -> dict[str, dict[date, Share]]:
    """Answers with a fault, of all answers, by agent and day (UTC), of every day.

    Left out is what no agent asks any more, since nothing could mend it. Agents whose file cannot
    be used may ask everything.
    """
    asked = _asked(deployment)
    found: dict[str, dict[date, Share]] = {}
    for row in day_counts_of(deployment.engine, fault):
        if row.agent_id in asked and row.question_id in (asked[row.agent_id] or (row.question_id,)):
            days = found.setdefault(row.agent_id, {})
            before = days.get(row.day, Share(0, 0))
            days[row.day] = Share(before.part + row.part, before.whole + row.whole)
    return found


def bad_days(shares: Mapping[str, Mapping[date, Share]], words: str, *, most: float) -> list[str]:
    """Days on which more than `most` of an agent's answers have a fault, each in words.

    Args:
        shares: From `shares_by_day`.
        words: What `{part} of {whole}` of them do, e.g. `values rest on ...`.
        most: Share, 0 to 1.

    Returns:
        At most `NAMED_DAYS` days of an agent, the worst ones, then how many more.
    """
    problems: list[str] = []
    for agent_id, days in shares.items():
        bad = {day: share for day, share in days.items() if share.part > most * share.whole}
        # Of two that are as bad the newer one comes first.
        worst = sorted(bad, key=lambda day: (bad[day].part / bad[day].whole, day), reverse=True)
        problems += [
            f"{agent_id} on {day}: {bad[day].part} of {bad[day].whole} {words}"
            for day in worst[:NAMED_DAYS]
        ]
        if more := worst[NAMED_DAYS:]:
            problems.append(
                f"{agent_id}: {counted(len(more), 'more day')} between {min(more)} and {max(more)}"
            )
    return problems


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
    found = failures_in_force(deployment.engine, days).values()
    return together(Share(*counts) for counts in found)


def together(shares: Iterable[Share]) -> Share:
    """Of all of them."""
    added = list(shares)
    return Share(sum(each.part for each in added), sum(each.whole for each in added))


def first_judge_error(deployment: Deployment, days: Collection[date] | None) -> str | None:
    """Why the judge failed, as it said the first time; None when it never failed."""
    return first_error(deployment.engine, days)


def _asked(deployment: Deployment) -> dict[str, frozenset[str] | None]:
    """By agent the ids of its criteria and fields; None where its file cannot be read."""
    return {
        listed.path.stem if listed.agent is None else listed.agent.agent_id: None
        if listed.agent is None
        else frozenset(
            [each.criterion_id for each in listed.agent.criteria]
            + [each.field_id for each in listed.agent.data_collection]
        )
        for listed in agent_listings(deployment.settings)
    }
