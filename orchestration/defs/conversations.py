"""ended_conversations -> call_metrics, by the UTC day on which they ended.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import date

import dagster as dg

from orchestration.defs.partitions import days, days_in_a_run
from orchestration.defs.policy import (
    AGAIN_LATER,
    MEASURED,
    OPERATORS,
    PERSONAL,
    only_transient_failures_again,
)
from orchestration.defs.shown.lineage import column_lineage
from orchestration.defs.shown.metadata import call_metrics_metadata, check_result, ended_metadata
from orchestration.defs.shown.schemas import column_schema
from orchestration.deployment import Deployment
from orchestration.operations.operations import ended_on
from orchestration.schedule.day_metrics import day_metrics, incomplete_transcripts


@dg.asset(
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="conversations",
    kinds={"sqlite"},
    tags=PERSONAL,
    owners=[OPERATORS],
    retry_policy=AGAIN_LATER,
    metadata=column_schema("ended_conversations"),
)
def ended_conversations(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Conversations that ended on a day, as the durable store holds them.

    Sessions and imports write that store themselves; this asset shows what is in it, so that
    everything after it has something to hang on.
    """
    with only_transient_failures_again():
        found = {
            key: ended_on(deployment, date.fromisoformat(key)) for key in context.partition_keys
        }
    for key, conversations in found.items():
        context.add_asset_metadata(ended_metadata(conversations), partition_key=key)
    return dg.MaterializeResult(metadata={"days": len(found)})


@dg.asset(
    deps=[ended_conversations],
    partitions_def=days,
    backfill_policy=days_in_a_run,
    group_name="conversations",
    kinds={"python"},
    tags=MEASURED,
    owners=[OPERATORS],
    retry_policy=AGAIN_LATER,
    metadata={**column_schema("call_metrics"), **column_lineage("call_metrics")},
)
def call_metrics(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """What can be measured of a day's conversations without a model: durations, latency, cost."""
    with only_transient_failures_again():
        for key in context.partition_keys:
            metrics = day_metrics(deployment, date.fromisoformat(key))
            context.add_asset_metadata(call_metrics_metadata(metrics), partition_key=key)
    return dg.MaterializeResult(
        metadata={"days": len(context.partition_keys), **column_lineage("call_metrics")}
    )


@dg.asset_check(asset=ended_conversations)
def transcripts_are_complete(deployment: dg.ResourceParam[Deployment]) -> dg.AssetCheckResult:
    """Every conversation that ended, on any day, can be read whole; none was cut off by a crash.

    A warning: such conversations are judged by what was kept of them.
    """
    problems = incomplete_transcripts(deployment)
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN, incomplete=len(problems))
