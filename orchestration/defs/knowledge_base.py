"""documents -> chunk_index, by agent, and what must hold of them.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import dagster as dg

from conversation.errors import ModelError
from orchestration.checks.knowledge_base import (
    chunk_count_problems,
    documents_version,
    empty_documents,
    limit_problems,
    self_recall,
    stale_links,
    unrenewed_documents,
)
from orchestration.defs.partitions import agents, checked_agents
from orchestration.defs.policy import (
    AGAIN_LATER,
    WRITERS,
    WRITTEN,
    only_transient_failures_again,
)
from orchestration.defs.shown.metadata import (
    check_result,
    documents_metadata,
    index_metadata,
    prompt_metadata,
)
from orchestration.defs.shown.schemas import column_schema
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.reading_ahead import read_prompt_ahead

GROUP = "knowledge_base"
SELF_RECALL_FLOOR = 0.95

DOCUMENTS = dg.AssetSpec(
    "documents",
    group_name=GROUP,
    kinds={"file", "sqlite"},
    tags=WRITTEN,
    metadata=column_schema("documents"),
    owners=[WRITERS],
    partitions_def=agents,
    description=(
        "The files, links and texts that an agent answers from, read and stored as plain text.\n\n"
        "Only what changed is read again. A source that cannot be read becomes a row with a "
        "reason, and the others go in."
    ),
)

CHUNK_INDEX = dg.AssetSpec(
    "chunk_index",
    deps=["documents"],
    group_name=GROUP,
    kinds={"chroma", "sqlite"},
    tags=WRITTEN,
    owners=[WRITERS],
    partitions_def=agents,
    description=(
        "What an agent searches: its documents in chunks, with vectors in Chroma and words in "
        "SQLite FTS5.\n\nOnly new chunks are embedded; readers see the new version at once."
    ),
)


@dg.multi_asset(name="ingest", specs=[DOCUMENTS, CHUNK_INDEX], retry_policy=AGAIN_LATER)
def ingest_sources(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> Iterator[dg.MaterializeResult]:
    """Bring an agent's knowledge base to what its file names."""
    with only_transient_failures_again():
        report = ingest(deployment, context.partition_key)
    documents = deployment.knowledge_base(context.partition_key).documents()
    yield dg.MaterializeResult(
        asset_key=DOCUMENTS.key,
        metadata=documents_metadata(report, documents),
        data_version=dg.DataVersion(documents_version(documents)),
    )
    yield dg.MaterializeResult(
        asset_key=CHUNK_INDEX.key,
        metadata=index_metadata(report, documents),
        data_version=dg.DataVersion(str(report.index_version)),
    )


@dg.asset(
    deps=[DOCUMENTS.key],
    group_name=GROUP,
    kinds={"file"},
    tags=WRITTEN,
    owners=[WRITERS],
    partitions_def=agents,
)
def prompt_state(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.MaterializeResult:
    """What an embedded model made of the beginning of the agent's prompts, read once.

    Small documents stand in it whole. Conversations begin with it, instead of reading for seconds.
    Models of providers keep nothing.
    """
    try:
        kept = read_prompt_ahead(deployment, context.partition_key)
    except ModelError as error:
        return dg.MaterializeResult(metadata={"tokens": 0, "bytes": 0, "problem": str(error)})
    return dg.MaterializeResult(metadata=prompt_metadata(kept))


@dg.asset_check(asset=DOCUMENTS.key, blocking=True)
def documents_are_within_limits(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """No agent holds more documents or bytes than its file allows.

    An error that stops what comes after: limits are checked as documents go in, so that this is
    a limit that was lowered, or a fault.
    """
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in checked_agents(context, deployment)
        for problem in limit_problems(
            deployment.knowledge_base(agent_id).documents(),
            deployment.agent(agent_id).agent.knowledge_base.limits,
        )
    ]
    return check_result(problems)


@dg.asset_check(asset=DOCUMENTS.key)
def documents_have_text(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Every document that counts as ready holds text in which something can be found.

    An error: the agent would pass over the document without a word.
    """
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in checked_agents(context, deployment)
        for problem in empty_documents(deployment.knowledge_base(agent_id).documents())
    ]
    return check_result(problems)


@dg.asset_check(asset=DOCUMENTS.key)
def documents_are_all_renewed(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Every source could be read. A warning only: the agent goes on with what it has."""
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in checked_agents(context, deployment)
        for problem in unrenewed_documents(deployment.knowledge_base(agent_id).documents())
    ]
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN, failed=len(problems))


@dg.asset_check(asset=DOCUMENTS.key)
def links_are_fresh(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Every link was looked at in the last two days, and answered.

    A warning only: the old page is served meanwhile.
    """
    now = datetime.now(UTC)
    opened = {
        agent_id: deployment.knowledge_base(agent_id)
        for agent_id in checked_agents(context, deployment)
    }
    problems = [
        f"{agent_id}: {problem}"
        for agent_id, found in opened.items()
        for problem in stale_links(found.documents(), found.synced_at, now=now)
    ]
    links = sum(
        document.kind == "link" for found in opened.values() for document in found.documents()
    )
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN, links=links)


@dg.asset_check(asset=CHUNK_INDEX.key)
def chunks_are_all_indexed(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """The index holds as many chunks of each document as were made of it.

    An error: what is not in the index is never found.
    """
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in checked_agents(context, deployment)
        for problem in chunk_count_problems(deployment.knowledge_base(agent_id))
    ]
    return check_result(problems)


@dg.asset_check(asset=CHUNK_INDEX.key)
def chunks_find_themselves(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Asked for its own words, a chunk is among the first passages: the index is intact.

    An error: answers would rest on the wrong passages. `KnowledgeBase.rebuild_index` mends it.
    """
    found = {
        agent_id: self_recall(deployment.knowledge_base(agent_id))
        for agent_id in checked_agents(context, deployment)
    }
    problems = [
        f"{agent_id}: {hits} of {sampled} sampled chunks find themselves"
        for agent_id, (hits, sampled) in found.items()
        if hits < SELF_RECALL_FLOOR * sampled
    ]
    return check_result(problems, sampled=sum(sampled for _, sampled in found.values()))
