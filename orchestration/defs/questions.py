"""What conversations are judged by, as an asset with a version for each day.

No `from __future__ import annotations` here: Dagster needs the annotations as types.
"""

from collections.abc import Mapping, Sequence
from datetime import date

import dagster as dg

from orchestration.defs.partitions import days
from orchestration.defs.policy import ANALYSTS, CONFIGURED
from orchestration.defs.shown.schemas import column_schema

DATA_VERSION = "dagster/data_version"
MAX_KEYS_ASKED_FOR = 100
"""For more days than this, one look at everything that was told costs less."""

QUESTIONS = dg.AssetSpec(
    "questions",
    group_name="evaluations",
    kinds={"yaml"},
    tags=CONFIGURED,
    metadata=column_schema("questions"),
    owners=[ANALYSTS],
    partitions_def=days,
    description=(
        "The criteria, fields and judges of the agent files.\n\nEach day carries the version of "
        "the questions that its conversations are judged by. When a criterion changes, the days "
        "with conversations of that agent show as out of date, and no other."
    ),
)


def report_changed_questions(
    instance: dg.DagsterInstance, versions: Mapping[date, str]
) -> list[date]:
    """Tell Dagster of each day of `versions` whose questions changed since it was last told."""
    known = _known_versions(instance, [str(day) for day in versions]) if versions else {}
    changed = [
        day
        for day, version in sorted(versions.items())
        if days.has_partition_key(str(day)) and known.get(str(day)) != version
    ]
    for day in changed:
        instance.report_runless_asset_event(
            dg.AssetObservation(
                QUESTIONS.key, partition=str(day), tags={DATA_VERSION: versions[day]}
            )
        )
    return changed


def _known_versions(instance: dg.DagsterInstance, keys: Sequence[str]) -> dict[str | None, str]:
    known: dict[str | None, str] = {}
    cursor: str | None = None
    few = keys if len(keys) <= MAX_KEYS_ASKED_FOR else None
    told = dg.AssetRecordsFilter(asset_key=QUESTIONS.key, asset_partitions=few)
    while True:
        found = instance.fetch_observations(told, limit=1_000, cursor=cursor, ascending=True)
        for record in found.records:
            observation = record.asset_observation
            if observation is not None:
                known[observation.partition] = observation.tags[DATA_VERSION]
        if not found.has_more:
            return known
        cursor = found.cursor
