"""What runs by itself: what follows what, which day is asked for, and what counts as changed."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import CachingStaleStatusResolver, StaleStatus
from dagster._core.loader import LoadingContextForTest

from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.operations import import_transcripts
from orchestration.runs import QUIET, opened_instance, run_job
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import hold_call
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

AGENT = "shop-desk"


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr("orchestration.improving.open_embedder", lambda *_: WordsEmbedder())
    with sample_deployment(write_data(tmp_path / "data")) as opened:
        yield opened


@pytest.fixture
def instance(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    with opened_instance(deployment) as opened:
        opened.add_dynamic_partitions("agents", [AGENT])
        yield opened


def materialize(deployment: Deployment, instance: dg.DagsterInstance, *assets: str, **of: Any):
    """As an operator does who picks assets by hand."""
    by_hand = dg.define_asset_job("by_hand", selection=dg.AssetSelection.assets(*assets))
    result = by_hand.resolve(asset_graph=defs.resolve_asset_graph()).execute_in_process(
        resources={"deployment": deployment},
        instance=instance,
        run_config=QUIET,
        **of,
    )
    assert result.success


class Ticks:
    """Looks at the conditions again and again, as the daemon does."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._cursor: Any = None

    def asked_for(self) -> set[tuple[str, str | None]]:
        """Assets and partitions that are to be materialized."""
        result = dg.evaluate_automation_conditions(
            defs,
            instance=self._instance,
            asset_selection=dg.AssetSelection.assets("report_page", "knowledge_gaps"),
            cursor=self._cursor,
        )
        self._cursor = result.cursor
        return {
            (each.key.to_user_string(), key)
            for each in result.results
            if isinstance(each.key, dg.AssetKey)
            for key in sorted(result.get_requested_partitions(each.key), key=str)
        }


def test_the_report_page_follows_reports_that_were_published_alone(
    deployment: Deployment, instance: dg.DagsterInstance
):
    materialize(deployment, instance, "documents", "chunk_index", partition_key=AGENT)
    materialize(deployment, instance, "topics", partition_key=AGENT)
    materialize(deployment, instance, "knowledge_gaps", partition_key=AGENT)
    hold_calls(deployment, 1)
    run_job(
        "evaluate_days", deployment, definitions=defs, instance=instance, partition="2026-03-01"
    )
    ticks = Ticks(instance)
    assert ticks.asked_for() == set()

    materialize(deployment, instance, "reports")

    assert ticks.asked_for() == {("report_page", None)}
    assert ticks.asked_for() == set(), "once is enough"


def test_a_job_that_makes_both_asks_for_no_more(
    deployment: Deployment, instance: dg.DagsterInstance
):
    ticks = Ticks(instance)
    assert ticks.asked_for() == set()

    run_job("publish_reports", deployment, definitions=defs, instance=instance)
    run_job("ingest_agent", deployment, definitions=defs, instance=instance, partition=AGENT)

    assert ticks.asked_for() == set()


def test_gaps_follow_an_ingest_and_not_every_verdict(
    deployment: Deployment, instance: dg.DagsterInstance
):
    run_job("ingest_agent", deployment, definitions=defs, instance=instance, partition=AGENT)
    ticks = Ticks(instance)
    ticks.asked_for()
    hold_calls(deployment, 1)
    run_job(
        "evaluate_days", deployment, definitions=defs, instance=instance, partition="2026-03-01"
    )
    assert ticks.asked_for() == set()

    materialize(deployment, instance, "documents", "chunk_index", partition_key=AGENT)

    assert ticks.asked_for() == {("knowledge_gaps", AGENT)}


def test_the_sensor_of_conditions_runs_without_being_switched_on():
    sensor = defs.resolve_sensor_def("what_follows")

    assert sensor.default_status is dg.DefaultSensorStatus.RUNNING
    assert "default_automation_condition_sensor" not in {
        found.name for found in defs.get_repository_def().sensor_defs
    }


def test_an_ingest_that_changes_nothing_makes_nothing_out_of_date(
    deployment: Deployment, instance: dg.DagsterInstance
):
    def state_of_gaps() -> StaleStatus:
        graph = defs.resolve_asset_graph()
        resolver = CachingStaleStatusResolver(instance, graph, LoadingContextForTest(instance))
        return resolver.get_status(dg.AssetKey("knowledge_gaps"), AGENT)

    run_job("ingest_agent", deployment, definitions=defs, instance=instance, partition=AGENT)
    materialize(deployment, instance, "documents", "chunk_index", partition_key=AGENT)
    assert state_of_gaps() is StaleStatus.FRESH

    documents = deployment.settings.data_dir / "documents"
    (documents / "refunds.md").write_text("# Refunds\n\nRefunds take nine days by now.\n")
    materialize(deployment, instance, "documents", "chunk_index", partition_key=AGENT)
    assert state_of_gaps() is StaleStatus.STALE


def tick(
    deployment: Deployment, instance: dg.DagsterInstance, cursor: str | None
) -> dg.SensorResult:
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"deployment": deployment}
    )
    result = defs.resolve_sensor_def("conversations_ended")(context)
    assert isinstance(result, dg.SensorResult)
    return result


def test_a_conversation_that_is_imported_late_reaches_the_day_on_which_it_ended(
    deployment: Deployment, instance: dg.DagsterInstance, tmp_path: Path
):
    hold_calls(deployment, 2)
    first = tick(deployment, instance, None)
    for day in ("2026-03-01", "2026-03-02"):
        run_job("evaluate_days", deployment, definitions=defs, instance=instance, partition=day)
    assert not tick(deployment, instance, first.cursor).run_requests

    turns = [
        {"role": "agent", "text": "Hello!", "offset_s": 0},
        {"role": "user", "text": "How long do refunds take?", "offset_s": 2},
        {"role": "agent", "text": "Refunds take five days.", "offset_s": 5},
    ]
    late = {
        "conversation_id": "conv_late",
        "started_at": "2026-03-01T09:00:00+00:00",
        "turns": turns,
    }
    (tmp_path / "late.jsonl").write_text(json.dumps(late))
    assert import_transcripts(deployment, tmp_path / "late.jsonl", AGENT).imported == ["conv_late"]

    asked = tick(deployment, instance, first.cursor).run_requests or []
    assert [request.partition_key for request in asked] == ["2026-03-01"]
    run_job(
        "evaluate_days", deployment, definitions=defs, instance=instance, partition="2026-03-01"
    )
    assert [found.verdict for found in deployment.evaluations.evaluations(["conv_late"])] == [
        "success"
    ]


def test_today_is_judged_before_what_was_imported(
    deployment: Deployment, instance: dg.DagsterInstance
):
    hold_calls(deployment, 2)
    hold_call(deployment.conversations, "now", started_at=datetime.now(UTC) - timedelta(seconds=30))

    asked = tick(deployment, instance, None).run_requests or []

    assert [request.tags["dagster/priority"] for request in asked] == ["0", "0", "1"]
