"""ended_conversations -> evaluations -> report_tables, by the UTC day on which they ended.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import date

import dagster as dg

from orchestration.defs.metadata import (
    check_result,
    ended_metadata,
    evaluation_metadata,
    export_metadata,
    verdict_metadata,
)
from orchestration.defs.partitions import chosen_days, days, days_in_a_run
from orchestration.deployment import Deployment
from orchestration.evaluation_checks import judge_error_share, unsupported_share, verdict_counts
from orchestration.operations import ended_on, evaluate, export_days

MAX_UNSUPPORTED_SHARE = 0.2
MAX_JUDGE_ERROR_SHARE = 0.05


@dg.asset(
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="conversations",
    kinds={"sqlite"},
)
def ended_conversations(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Conversations that ended on a day, as the durable store holds them.

    Sessions and imports write that store themselves; this asset shows what is in it, so that
    everything after it has something to hang on.
    """
    found = {key: ended_on(deployment, date.fromisoformat(key)) for key in context.partition_keys}
    for key, conversations in found.items():
        context.add_asset_metadata(ended_metadata(conversations), partition_key=key)
    return dg.MaterializeResult(metadata={"days": len(found)})


@dg.asset(
    deps=[ended_conversations],
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="evaluations",
    kinds={"llm", "sqlite"},
)
def evaluations(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """A judge's verdict on each criterion, the value of each field, and a summary.

    Only what has no answer yet is asked: the key is transcript, version of the question, judge
    and version of the judge's instructions. Answers are never overwritten. A judge that fails
    leaves a recorded error, and the next run asks again.
    """
    chosen = [date.fromisoformat(key) for key in context.partition_keys]
    run = evaluate(deployment, chosen)
    for day in chosen:
        counts = verdict_counts(deployment, day)
        context.add_asset_metadata(verdict_metadata(counts), partition_key=str(day))
    return dg.MaterializeResult(metadata=evaluation_metadata(run))


@dg.asset(
    deps=[evaluations],
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="reports",
    kinds={"parquet"},
)
def report_tables(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """The rows of a day for every table of the reports: one Parquet file for each table."""
    exported = export_days(deployment, [date.fromisoformat(key) for key in context.partition_keys])
    for day in exported:
        context.add_asset_metadata(export_metadata([day]), partition_key=str(day.day))
    return dg.MaterializeResult(metadata={"days": len(exported)})


@dg.asset_check(asset=evaluations)
def evidence_is_supported(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Few values rest on quotes that nobody said. A warning: those values are left out anyway."""
    unsupported, found = unsupported_share(deployment, chosen_days(context))
    problems = [f"{unsupported} of {found} values rest on words that nobody said"]
    return check_result(
        problems if unsupported > MAX_UNSUPPORTED_SHARE * found else [],
        severity=dg.AssetCheckSeverity.WARN,
        unsupported=unsupported,
        values=found,
    )


@dg.asset_check(asset=evaluations)
def judge_answers(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """The judge rarely fails: rates leave its failures out, so that many of them hide the truth."""
    errors, asked = judge_error_share(deployment, chosen_days(context))
    problems = [f"{errors} of {asked} questions have no answer because the judge failed"]
    return check_result(
        problems if errors > MAX_JUDGE_ERROR_SHARE * asked else [], errors=errors, questions=asked
    )
