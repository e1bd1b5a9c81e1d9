"""What is kept no longer than agents allow, once a day.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import UTC, datetime

import dagster as dg

from orchestration.deployment import Deployment
from orchestration.operations.retention import apply_retention


@dg.op(description="Delete what is older than the `privacy` section of its agent allows.")
def delete_expired(
    context: dg.OpExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> None:
    """Delete conversations, recordings and evaluations that are due. Logs counts, never words."""
    run = apply_retention(deployment, now=datetime.now(UTC))
    context.add_output_metadata({line.place: line.count for line in run.lines})
    for place in run.not_reached:
        context.log.warning(place)


@dg.job(description="Delete what is kept longer than the agent files allow.")
def retention() -> None:
    """One step."""
    delete_expired()


daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    job=retention,
    cron_schedule="45 2 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description=(
        "Deletes once a day what is older than the agent files allow (`privacy: {transcripts_days: "
        "90}`). Agents that say nothing keep everything."
    ),
)
