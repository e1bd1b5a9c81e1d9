"""ended_conversations, questions -> evaluations, collected_values, summaries -> report_tables.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime

import dagster as dg

from orchestration.checks.evaluations import (
    Share,
    bad_days,
    label_drift,
    orphan_rows,
    shares_by_day,
    summary_share,
    together,
    value_counts,
    verdict_counts,
)
from orchestration.defs.conversations import call_metrics, ended_conversations
from orchestration.defs.partitions import days, days_in_a_run
from orchestration.defs.policy import (
    AGAIN_LATER,
    ANALYSTS,
    MODEL_POOL,
    OPERATORS,
    PERSONAL,
    fail_for_refused,
    only_transient_failures_again,
)
from orchestration.defs.questions import QUESTIONS
from orchestration.defs.shown.lineage import column_lineage
from orchestration.defs.shown.metadata import (
    check_result,
    evaluation_metadata,
    export_metadata,
    summary_metadata,
    value_metadata,
    verdict_metadata,
)
from orchestration.defs.shown.schemas import column_schema, exported_schema
from orchestration.deployment import Deployment
from orchestration.operations.budget import evaluate_within_budget, spent_today
from orchestration.operations.operations import export_days

MAX_UNSUPPORTED_SHARE = 0.2
MAX_JUDGE_ERROR_SHARE = 0.05
MAX_FLIP_SHARE = 0.1

_UPSTREAM = [ended_conversations, QUESTIONS]
_ONLY_MISSING = (
    "Only what has no answer yet is asked: the key is transcript, version of the question, judge "
    "and version of the judge's instructions. Answers are never overwritten."
)

VERDICTS = dg.AssetSpec(
    "evaluations",
    deps=_UPSTREAM,
    group_name="evaluations",
    kinds={"llm", "sqlite"},
    tags=PERSONAL,
    owners=[ANALYSTS],
    metadata={**column_schema("evaluations"), **column_lineage("evaluations")},
    description=(
        "A judge's verdict on each success criterion, with a reason and quotes.\n\n"
        f"{_ONLY_MISSING} A judge that fails leaves a recorded error, and the next run asks again."
    ),
)
VALUES = dg.AssetSpec(
    "collected_values",
    deps=_UPSTREAM,
    group_name="evaluations",
    kinds={"llm", "sqlite"},
    tags=PERSONAL,
    owners=[ANALYSTS],
    metadata={**column_schema("collected_values"), **column_lineage("collected_values")},
    description=f"The typed value of each data collection field, with quotes.\n\n{_ONLY_MISSING}",
)
SUMMARIES = dg.AssetSpec(
    "summaries",
    deps=_UPSTREAM,
    group_name="evaluations",
    kinds={"llm", "sqlite"},
    tags=PERSONAL,
    owners=[ANALYSTS],
    metadata={**column_schema("summaries"), **column_lineage("summaries")},
    description="A title and a summary of each conversation, where the agent file asks for them.",
)


@dg.multi_asset(
    name="evaluate",
    specs=[VERDICTS, VALUES, SUMMARIES],
    partitions_def=days,
    backfill_policy=days_in_a_run,
    retry_policy=AGAIN_LATER,
    pool=MODEL_POOL,
)
def evaluate_days(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> Iterator[dg.MaterializeResult]:
    """Ask the judges what has no answer yet about the conversations of some days."""
    chosen = [date.fromisoformat(key) for key in context.partition_keys]
    with only_transient_failures_again():
        run = evaluate_within_budget(deployment, chosen, now=datetime.now(UTC))
    for day in chosen:
        for spec, found in (
            (VERDICTS, verdict_metadata(verdict_counts(deployment, day))),
            (VALUES, value_metadata(value_counts(deployment, day))),
            (SUMMARIES, summary_metadata(summary_share(deployment, [day]))),
        ):
            context.add_asset_metadata(found, asset_key=spec.key, partition_key=str(day))
    yield dg.MaterializeResult(
        asset_key=VERDICTS.key,
        metadata={**evaluation_metadata(run), **column_lineage("evaluations")},
    )
    yield dg.MaterializeResult(asset_key=VALUES.key, metadata=column_lineage("collected_values"))
    yield dg.MaterializeResult(asset_key=SUMMARIES.key, metadata=column_lineage("summaries"))
    fail_for_refused(run.refused_agents)


@dg.asset(
    deps=[VERDICTS, VALUES, SUMMARIES, call_metrics],
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="reports",
    kinds={"parquet"},
    tags=PERSONAL,
    owners=[OPERATORS],
    retry_policy=AGAIN_LATER,
    metadata={**exported_schema(), **column_lineage("report_tables")},
)
def report_tables(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """The rows of a day for every table of the reports: one Parquet file for each table."""
    chosen = [date.fromisoformat(key) for key in context.partition_keys]
    with only_transient_failures_again():
        exported = export_days(deployment, chosen)
    for day in exported:
        context.add_asset_metadata(export_metadata([day]), partition_key=str(day.day))
    return dg.MaterializeResult(metadata={"days": len(exported), **column_lineage("report_tables")})


@dg.asset_check(asset=VALUES.key)
def evidence_is_supported(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """On every day few values rest on quotes that nobody said.

    A warning: those values are left out anyway.
    """
    shares = shares_by_day(deployment, "unsupported")
    unsupported, found = _in_all(shares)
    return check_result(
        bad_days(shares, "values rest on words that nobody said", most=MAX_UNSUPPORTED_SHARE),
        severity=dg.AssetCheckSeverity.WARN,
        unsupported=unsupported,
        values=found,
    )


@dg.asset_check(asset=VERDICTS.key)
def judge_answers(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """On every day the judge rarely fails.

    An error: rates leave failures out, so that many hide the truth. It stays until that day is
    judged again.
    """
    shares = shares_by_day(deployment, "failures")
    errors, asked = _in_all(shares)
    words = "questions have no answer because the judge failed"
    problems = bad_days(shares, words, most=MAX_JUDGE_ERROR_SHARE)
    return check_result(problems, errors=errors, questions=asked)


@dg.asset_check(asset=VERDICTS.key)
def verdicts_are_steady(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Asked again (`vivavoce evaluate --sample 1`), the judge seldom says something else.

    A warning: a criterion whose verdicts flip is badly worded, and its rate still means something.
    """
    shares = shares_by_day(deployment, "flips")
    flipped, repeated = _in_all(shares)
    return check_result(
        bad_days(shares, "repeated verdicts differ from the first", most=MAX_FLIP_SHARE),
        severity=dg.AssetCheckSeverity.WARN,
        flipped=flipped,
        repeated=repeated,
    )


@dg.asset_check(asset=VERDICTS.key)
def judges_agree_with_people_as_before(
    deployment: dg.ResourceParam[Deployment],
) -> dg.AssetCheckResult:
    """The judge agrees with labels of the newest half about as often as with the older ones.

    A warning: what callers say has changed, or what people think of it; label some more.
    """
    return check_result(label_drift(deployment), severity=dg.AssetCheckSeverity.WARN)


@dg.asset_check(asset=VERDICTS.key)
def answers_belong_to_conversations(
    deployment: dg.ResourceParam[Deployment],
) -> dg.AssetCheckResult:
    """No answer is kept of a conversation that was deleted. An error: somebody asked for that."""
    orphans = orphan_rows(deployment)
    problems = [f"{count} rows of {table} belong to no conversation" for table, count in orphans]
    return check_result(problems, orphans=sum(count for _, count in orphans))


@dg.asset_check(asset=VERDICTS.key, blocking=True)
def judging_is_within_budget(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """What judges cost today is within VIVAVOCE_MAX_JUDGE_USD_PER_DAY.

    An error that stops what comes after: runs stop before they pass it, so that something else
    spends on the same account.
    """
    most = deployment.settings.max_judge_usd_per_day
    spent = spent_today(deployment, now=datetime.now(UTC))
    problems = [f"{spent:.2f} of {most:.2f} USD were spent today"] if most is not None else []
    return check_result(problems if most is not None and spent > most else [])


def _in_all(shares: Mapping[str, Mapping[date, Share]]) -> Share:
    return together(share for days in shares.values() for share in days.values())
