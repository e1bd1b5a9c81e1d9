"""Tells Dagster what commands and the server did: their partitions show as materialized."""

from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

import dagster as dg

from orchestration.agents import agent_ids
from orchestration.checks.evaluations import summary_share, value_counts, verdict_counts
from orchestration.checks.knowledge_base import documents_version
from orchestration.defs.evaluations import SUMMARIES, VALUES, VERDICTS
from orchestration.defs.knowledge_base import CHUNK_INDEX, DOCUMENTS
from orchestration.defs.partitions import days
from orchestration.defs.shown.metadata import summary_metadata, value_metadata, verdict_metadata
from orchestration.deployment import Deployment
from orchestration.schedule.done_elsewhere import DonePartition, take_done

DATA_VERSION = "dagster/data_version"
_BY = {"done_by": "a command or the server, without a run"}


def tell_what_was_done(instance: dg.DagsterInstance, deployment: Deployment) -> int:
    """Report everything that was noted since the last time; returns the number of events."""
    told = 0
    for done in take_done(deployment.settings):
        for event in _events(deployment, done):
            instance.report_runless_asset_event(event)
            told += 1
    return told


def _events(
    deployment: Deployment, done: DonePartition
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    if done.kind == "ingested":
        if done.key in agent_ids(deployment.settings):
            yield from _of_documents(deployment, done.key)
    elif days.has_partition_key(done.key):
        yield from _of_answers(deployment, done)


def _of_answers(
    deployment: Deployment, done: DonePartition
) -> Iterator[dg.AssetMaterialization | dg.AssetObservation]:
    day = date.fromisoformat(done.key)
    shown: Mapping[dg.AssetKey, Mapping[str, Any]] = {
        VERDICTS.key: verdict_metadata(verdict_counts(deployment, day)),
        VALUES.key: value_metadata(value_counts(deployment, day)),
        SUMMARIES.key: summary_metadata(summary_share(deployment, [day])),
    }
    kind = dg.AssetMaterialization if done.kind == "judged" else dg.AssetObservation
    for key, metadata in shown.items():
        yield kind(key, partition=done.key, metadata={**metadata, **_BY})


def _of_documents(deployment: Deployment, agent_id: str) -> Iterator[dg.AssetMaterialization]:
    knowledge_base = deployment.knowledge_base(agent_id)
    documents = knowledge_base.documents()
    yield dg.AssetMaterialization(
        DOCUMENTS.key,
        partition=agent_id,
        metadata={"documents": len(documents), **_BY},
        tags={DATA_VERSION: documents_version(documents)},
    )
    yield dg.AssetMaterialization(
        CHUNK_INDEX.key,
        partition=agent_id,
        metadata={"chunks": sum(found.chunk_count for found in documents), **_BY},
        tags={DATA_VERSION: str(knowledge_base.index_version)},
    )
