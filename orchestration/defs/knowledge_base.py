"""documents -> chunk_index, by agent, and what must hold of them.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from collections.abc import Iterator

import dagster as dg

from orchestration.defs.metadata import check_result, documents_metadata, index_metadata
from orchestration.defs.partitions import agents, chosen_agents
from orchestration.deployment import Deployment
from orchestration.knowledge_checks import (
    chunk_count_problems,
    empty_documents,
    limit_problems,
    self_recall,
    unrenewed_documents,
)
from orchestration.operations import ingest

GROUP = "knowledge_base"
SELF_RECALL_FLOOR = 0.95

DOCUMENTS = dg.AssetSpec(
    "documents",
    group_name=GROUP,
    kinds={"file", "sqlite"},
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
    partitions_def=agents,
    description=(
        "What an agent searches: its documents in chunks, with vectors in Chroma and words in "
        "SQLite FTS5.\n\nOnly new chunks are embedded; readers see the new version at once."
    ),
)


@dg.multi_asset(name="ingest", specs=[DOCUMENTS, CHUNK_INDEX])
def ingest_sources(
    context: dg.AssetExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> Iterator[dg.MaterializeResult]:
    """Bring an agent's knowledge base to what its file names."""
    report = ingest(deployment, context.partition_key)
    documents = deployment.knowledge_base(context.partition_key).documents()
    yield dg.MaterializeResult(
        asset_key=DOCUMENTS.key, metadata=documents_metadata(report, documents)
    )
    yield dg.MaterializeResult(
        asset_key=CHUNK_INDEX.key, metadata=index_metadata(report, documents)
    )


@dg.asset_check(asset=DOCUMENTS.key, blocking=True)
def documents_are_within_limits(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """No agent holds more documents or bytes than its file allows."""
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in chosen_agents(context)
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
    """Every document that counts as ready holds text in which something can be found."""
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in chosen_agents(context)
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
        for agent_id in chosen_agents(context)
        for problem in unrenewed_documents(deployment.knowledge_base(agent_id).documents())
    ]
    return check_result(problems, severity=dg.AssetCheckSeverity.WARN, failed=len(problems))


@dg.asset_check(asset=CHUNK_INDEX.key)
def chunks_are_all_indexed(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """The index holds as many chunks of each document as were made of it."""
    problems = [
        f"{agent_id}: {problem}"
        for agent_id in chosen_agents(context)
        for problem in chunk_count_problems(deployment.knowledge_base(agent_id))
    ]
    return check_result(problems)


@dg.asset_check(asset=CHUNK_INDEX.key)
def chunks_find_themselves(
    context: dg.AssetCheckExecutionContext, deployment: dg.ResourceParam[Deployment]
) -> dg.AssetCheckResult:
    """Asked for its own words, a chunk is among the first passages: the index is intact."""
    found = {
        agent_id: self_recall(deployment.knowledge_base(agent_id))
        for agent_id in chosen_agents(context)
    }
    problems = [
        f"{agent_id}: {hits} of {sampled} sampled chunks find themselves"
        for agent_id, (hits, sampled) in found.items()
        if hits < SELF_RECALL_FLOOR * sampled
    ]
    return check_result(problems, sampled=sum(sampled for _, sampled in found.values()))
