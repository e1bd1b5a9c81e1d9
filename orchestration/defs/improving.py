"""topics and knowledge_gaps of each agent; report_page for people without SQL.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from orchestration.defs.knowledge_base import CHUNK_INDEX
from orchestration.defs.partitions import agents, checked_agents
from orchestration.defs.policy import (
    AGAIN_LATER,
    ANALYSTS,
    PERSONAL,
    WRITERS,
    only_transient_failures_again,
)
from orchestration.defs.reports import PUBLISHED_HOURLY, reports
from orchestration.defs.shown.lineage import column_lineage
from orchestration.defs.shown.metadata import check_result
from orchestration.defs.shown.schemas import column_schema
from orchestration.deployment import Deployment
from orchestration.operations.exports import REPORT_PAGE_PATH, write_report_page
from orchestration.operations.improving import (
    default_embedder,
    regressed_gaps,
    update_gaps,
    update_topics,
)

_OF_ALL_DAYS = dg.AllPartitionMapping()
_FOUND_DAILY = dg.FreshnessPolicy.time_window(
    fail_window=timedelta(days=3), warn_window=timedelta(hours=36)
)
_AFTER_AN_INGEST = (
    dg.AutomationCondition.eager()
    .ignore(dg.AssetSelection.assets("evaluations"))
    .with_label("after_an_ingest")
)
"""New verdicts alone do not count: `daily_findings` looks at those once a day."""


@dg.asset(
    deps=[dg.AssetDep("ended_conversations", partition_mapping=_OF_ALL_DAYS)],
    partitions_def=agents,
    group_name="evaluations",
    kinds={"sqlite"},
    tags=PERSONAL,
    owners=[ANALYSTS],
    retry_policy=AGAIN_LATER,
    metadata={**column_schema("topics"), **column_lineage("topics")},
    freshness_policy=_FOUND_DAILY,
)
def topics(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """What an agent's conversations are about, found by clustering what users asked.

    A topic keeps its id from run to run; a conversation is embedded once.
    """
    with only_transient_failures_again():
        embedder = default_embedder(deployment)
        run = update_topics(deployment, context.partition_key, embedder=embedder)
    return dg.MaterializeResult(
        metadata={
            "topics": len(run.topics),
            "new_topics": sum(topic.is_new for topic in run.topics),
            "conversations": run.conversations,
            "without_topic": run.without_topic,
            **column_lineage("topics"),
        }
    )


@dg.asset(
    deps=[CHUNK_INDEX, dg.AssetDep("evaluations", partition_mapping=_OF_ALL_DAYS)],
    partitions_def=agents,
    group_name="reports",
    kinds={"sqlite"},
    tags=PERSONAL,
    owners=[WRITERS],
    retry_policy=AGAIN_LATER,
    metadata=column_schema("knowledge_gaps"),
    automation_condition=_AFTER_AN_INGEST,
    freshness_policy=_FOUND_DAILY,
)
def knowledge_gaps(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Questions that an agent's documents do not answer, and whether they do by now.

    After an ingest the questions are asked again: a gap is open, fixed or regressed.
    """
    with only_transient_failures_again():
        embedder = default_embedder(deployment)
        run = update_gaps(deployment, context.partition_key, embedder=embedder)
    states = [gap.state for gap in run.gaps]
    return dg.MaterializeResult(
        metadata={
            "open": states.count("open"),
            "fixed": states.count("fixed"),
            "regressed": states.count("regressed"),
            "new_questions": run.new_questions,
            "asked_again": run.checked,
        }
    )


@dg.asset_check(asset=knowledge_gaps)
def no_gap_came_back(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """What the documents answered once they answer still. A warning: `vivavoce gaps` says what."""
    problems = [
        f"{agent_id}: {count} gaps that were fixed are open again"
        for agent_id in checked_agents(context, deployment)
        if (count := regressed_gaps(deployment, agent_id))
    ]
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(
    deps=[reports],
    group_name="reports",
    kinds={"html", "markdown"},
    tags=PERSONAL,
    owners=[ANALYSTS],
    automation_condition=dg.AutomationCondition.eager(),
    freshness_policy=PUBLISHED_HOURLY,
)
def report_page(deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """The report as one page to open, print or mail, and its Markdown twin for chats.

    Follows `reports` by itself, whatever published them.
    """
    html, markdown = write_report_page(deployment, datetime.now(UTC))
    return dg.MaterializeResult(
        metadata={
            "open": dg.MetadataValue.url(
                f"{deployment.settings.api_url.rstrip('/')}{REPORT_PAGE_PATH}"
            ),
            "page": dg.MetadataValue.path(str(html.resolve())),
            "markdown": dg.MetadataValue.path(str(markdown.resolve())),
            "bytes": html.stat().st_size,
        }
    )
