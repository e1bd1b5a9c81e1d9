"""Dagster knows what commands and the server did without it, and no command waits for Dagster."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orchestration.definitions import automation
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate
from orchestration.processes.runs import opened_instance
from orchestration.schedule.done_elsewhere import (
    DonePartition,
    note_ingested,
    note_judged,
    take_done,
)
from orchestration.settings import Settings
from tests.orchestration.sample import FIRST_DAY, hold_calls, sample_deployment, write_data

AGENT = "shop-desk"


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    with sample_deployment(write_data(tmp_path / "data")) as opened:
        yield opened


def partitions(instance: dg.DagsterInstance, asset: str) -> set[str]:
    return instance.get_materialized_partitions(dg.AssetKey(asset))


def test_nothing_is_noted_where_there_is_no_store(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)

    note_judged(settings, [date(2026, 3, 1)])
    note_ingested(settings, AGENT)

    assert list(tmp_path.iterdir()) == []
    assert take_done(settings) == []


def test_what_was_done_before_there_was_an_instance_is_told_to_the_first(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    settings.store.mkdir()
    for _ in range(3):
        note_judged(settings, [date(2026, 3, 1), date(2026, 3, 2)])
    note_ingested(settings, AGENT)
    assert len((settings.store / "done_elsewhere.jsonl").read_text().splitlines()) == 3

    settings.dagster_instance_dir.mkdir(parents=True)
    note_judged(settings, [date(2026, 3, 3)])

    assert take_done(settings) == [
        DonePartition("judged", "2026-03-01"),
        DonePartition("judged", "2026-03-02"),
        DonePartition("ingested", AGENT),
        DonePartition("judged", "2026-03-03"),
    ]
    assert take_done(settings) == []


def test_notes_are_taken_once_and_in_order(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    settings.dagster_instance_dir.mkdir(parents=True)

    note_judged(settings, [date(2026, 3, 2), date(2026, 3, 1)])
    note_ingested(settings, AGENT)
    note_judged(settings, [date(2026, 3, 1)])
    note_judged(settings, [date(2026, 3, 1)], whole=False)

    assert take_done(settings) == [
        DonePartition("judged", "2026-03-01"),
        DonePartition("judged", "2026-03-02"),
        DonePartition("ingested", AGENT),
        DonePartition("judged in part", "2026-03-01"),
    ]
    assert take_done(settings) == []


def test_what_was_judged_and_ingested_shows_as_materialized(deployment: Deployment):
    hold_calls(deployment, 1)
    day = FIRST_DAY.date()
    with opened_instance(deployment) as instance:
        evaluate(deployment)
        ingest(deployment, AGENT)
        note_judged(deployment.settings, [day])
        note_ingested(deployment.settings, AGENT)
        note_ingested(deployment.settings, "gone")

        assert automation.tell_what_was_done(instance, deployment) == 5
        assert automation.tell_what_was_done(instance, deployment) == 0

        for asset in ("evaluations", "collected_values", "summaries"):
            assert partitions(instance, asset) == {str(day)}, asset
        for asset in ("documents", "chunk_index"):
            assert partitions(instance, asset) == {AGENT}, asset
        [record] = instance.fetch_materializations(dg.AssetKey("evaluations"), limit=1).records
        made = record.asset_materialization
        assert made is not None
        assert any(name.startswith(f"success_rate/{AGENT}/") for name in made.metadata)
        assert made.metadata["done_by"].value == "a command or the server, without a run"


def test_a_day_that_was_judged_in_part_is_not_materialized(deployment: Deployment):
    hold_calls(deployment, 1)
    with opened_instance(deployment) as instance:
        note_judged(deployment.settings, [FIRST_DAY.date()], whole=False)

        assert automation.tell_what_was_done(instance, deployment) == 3

        assert partitions(instance, "evaluations") == set()
        seen = instance.fetch_observations(dg.AssetKey("evaluations"), limit=5).records
        assert [record.partition_key for record in seen] == [str(FIRST_DAY.date())]


def test_a_day_before_the_first_partition_is_left_out(deployment: Deployment):
    with opened_instance(deployment) as instance:
        note_judged(deployment.settings, [date(1999, 1, 1)])

        assert automation.tell_what_was_done(instance, deployment) == 0
