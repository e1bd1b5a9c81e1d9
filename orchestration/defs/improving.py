"""topics and knowledge_gaps of each agent; report_page for people without SQL.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from datetime import UTC, datetime

import dagster as dg

from orchestration.defs.knowledge_base import CHUNK_INDEX
from orchestration.defs.metadata import check_result
from orchestration.defs.partitions import agents, chosen_agents
from orchestration.defs.policy import ANALYSTS, WRITERS
from orchestration.defs.reports import reports
from orchestration.deployment import Deployment
from orchestration.improving import (
    default_embedder,
    regressed_gaps,
    update_gaps,
    update_topics,
)
from orchestration.report_page import write_report_page

_OF_ALL_DAYS = dg.AllPartitionMapping()


@dg.asset(
    deps=[dg.AssetDep("ended_conversations", partition_mapping=_OF_ALL_DAYS)],
    partitions_def=agents,
    group_name="evaluations",
    kinds={"sqlite"},
    owners=[ANALYSTS],
)
def topics(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """What an agent's conversations are about, found by clustering what users asked.

    A topic keeps its id from run to run; a conversation is embedded once.
    """
    run = update_topics(deployment, context.partition_key, embedder=default_embedder(deployment))
    return dg.MaterializeResult(
        metadata={
            "topics": len(run.topics),
            "new_topics": sum(topic.is_new for topic in run.topics),
            "conversations": run.conversations,
            "without_topic": run.without_topic,
        }
    )


@dg.asset(
    deps=[CHUNK_INDEX, dg.AssetDep("evaluations", partition_mapping=_OF_ALL_DAYS)],
    partitions_def=agents,
    group_name="reports",
    kinds={"sqlite"},
    owners=[WRITERS],
)
def knowledge_gaps(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """Questions that an agent's documents do not answer, and whether they do by now.

    After an ingest the questions are asked again: a gap is open, fixed or regressed.
    """
    run = update_gaps(deployment, context.partition_key, embedder=default_embedder(deployment))
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
        for agent_id in chosen_agents(context)
        if (count := regressed_gaps(deployment, agent_id))
    ]
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN)


@dg.asset(deps=[reports], group_name="reports", kinds={"html", "markdown"}, owners=[ANALYSTS])
def report_page(deployment: dg.ResourceParam[Deployment]) -> dg.MaterializeResult:
    """The report as one page to open, print or mail, and its Markdown twin for chats."""
    html, markdown = write_report_page(deployment, datetime.now(UTC))
    return dg.MaterializeResult(
        metadata={
            "page": dg.MetadataValue.path(str(html.resolve())),
            "markdown": dg.MetadataValue.path(str(markdown.resolve())),
            "bytes": html.stat().st_size,
        }
    )
