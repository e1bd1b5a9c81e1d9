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

from conversation.transcript import Transcript, Turn
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.operations.narrowing import Narrowing, plan_narrowed
from orchestration.operations.operations import (
    evaluate,
    export_days,
    import_transcripts,
    outdated_days,
)
from orchestration.processes.runs import QUIET, opened_instance, run_job
from orchestration.schedule.ended_days import Looked, days_that_came, still_ahead
from tests.analysis.asked import WordsEmbedder
from tests.analysis.calls import hold_call
from tests.database_work import counted_work
from tests.orchestration.sample import hold_calls, sample_deployment, write_data

AGENT = "shop-desk"


@pytest.fixture
def deployment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    monkeypatch.setattr(
        "orchestration.operations.improving.open_embedder", lambda *_: WordsEmbedder()
    )
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_a_job_that_makes_both_asks_for_no_more(
    deployment: Deployment, instance: dg.DagsterInstance
):
    ticks = Ticks(instance)
    assert ticks.asked_for() == set()

    run_job("publish_reports", deployment, definitions=defs, instance=instance)
    run_job("ingest_agent", deployment, definitions=defs, instance=instance, partition=AGENT)

    assert ticks.asked_for() == set()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


def take_in(deployment: Deployment, conversation_id: str, ended_at: datetime) -> None:
    transcript = Transcript(
        conversation_id=conversation_id,
        agent_id=AGENT,
        ended_at=ended_at,
        turns=(Turn(role="user", text="Hello?"),),
    )
    assert deployment.conversations.import_transcript(transcript, now=ended_at)


def test_a_tick_costs_what_is_new_and_not_what_is_stored(
    deployment: Deployment, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
):
    asked_dagster = list[Any]()
    fetch = instance.fetch_observations

    def counted(*args: Any, **options: Any) -> Any:
        asked_dagster.append(args)
        return fetch(*args, **options)

    monkeypatch.setattr(instance, "fetch_observations", counted)
    first_day = datetime(2026, 1, 5, 12, tzinfo=UTC)
    costs, stored = list[int](), 0
    for count in (10, 300):
        for number in range(stored, count):
            take_in(deployment, f"c{number}", first_day + timedelta(hours=number / 4))
        stored = count
        cursor = tick(deployment, instance, None).cursor
        asked_dagster.clear()
        newest = first_day + timedelta(days=10 + count)
        take_in(deployment, f"new{count}", newest)
        with (
            counted_work(deployment.conversations.engine) as of_conversations,
            counted_work(deployment.evaluations.engine) as of_answers,
        ):
            asked = tick(deployment, instance, cursor).run_requests or []
        # The day of what was looked at last time is asked for again: nothing judged it so far.
        assert str(newest.date()) == [request.partition_key for request in asked][-1]
        assert len(asked) == 2
        assert len(asked_dagster) == 1
        costs.append(sum(of_conversations) + sum(of_answers))

    assert costs[1] <= 1.5 * costs[0]


def test_planning_a_day_costs_what_the_day_holds(deployment: Deployment):
    first_day = datetime(2026, 1, 5, 12, tzinfo=UTC)
    costs, stored = list[int](), 1
    take_in(deployment, "c0", first_day)
    for count in (10, 300):
        for number in range(stored, count):
            take_in(deployment, f"c{number}", first_day + timedelta(days=1, hours=number / 4))
        stored = count
        with counted_work(deployment.conversations.engine) as work:
            narrowing = Narrowing(days=[first_day.date()])
            plan = plan_narrowed(deployment, narrowing, now=first_day + timedelta(days=90))
        assert [planned.conversation_id for planned in plan.conversations] == ["c0"]
        costs.append(sum(work))

    assert costs[1] <= 2 * costs[0]


def test_a_day_is_asked_for_once_until_another_conversation_of_it_ends(
    deployment: Deployment, instance: dg.DagsterInstance
):
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)
    take_in(deployment, "c0", noon)
    first = tick(deployment, instance, None)
    again = tick(deployment, instance, first.cursor)
    take_in(deployment, "c1", noon - timedelta(minutes=1))
    late = tick(deployment, instance, again.cursor)

    keys = [
        [request.run_key for request in result.run_requests or []]
        for result in (first, again, late)
    ]
    assert [len(found) for found in keys] == [1, 1, 1]
    assert keys[0] == keys[1], "Dagster starts no second run for the same key"
    assert keys[2] != keys[0]


def test_a_cursor_of_an_older_version_is_understood():
    assert Looked.parse("2026-03-01T12:00:00+00:00").closed_to == datetime(
        2026, 3, 1, 12, tzinfo=UTC
    )
    looked = Looked(datetime(2026, 3, 1, 12, tzinfo=UTC), "abc")
    assert Looked.parse(looked.cursor) == looked
    assert Looked.parse(Looked().cursor) == Looked()


def test_changed_questions_are_told_of_every_day_once(
    deployment: Deployment, instance: dg.DagsterInstance
):
    def told() -> set[str | None]:
        found = instance.fetch_observations(dg.AssetKey("questions"), limit=100).records
        return {record.partition_key for record in found}

    hold_calls(deployment, 2)
    cursor = tick(deployment, instance, None).cursor
    assert told() == {"2026-03-01", "2026-03-02"}
    assert len(instance.fetch_observations(dg.AssetKey("questions"), limit=100).records) == 2

    agent_file = deployment.settings.agents_dir / f"{AGENT}.yaml"
    agent_file.write_text(agent_file.read_text().replace("got an answer", "was helped"))
    cursor = tick(deployment, instance, cursor).cursor
    tick(deployment, instance, cursor)

    assert len(instance.fetch_observations(dg.AssetKey("questions"), limit=100).records) == 4


def test_a_judged_day_whose_report_rows_are_old_is_asked_for(
    deployment: Deployment, instance: dg.DagsterInstance
):
    hold_calls(deployment, 1)
    evaluate(deployment)

    asked = tick(deployment, instance, None).run_requests or []
    assert [request.partition_key for request in asked] == ["2026-03-01"]

    export_days(deployment, outdated_days(deployment))
    assert not tick(deployment, instance, None).run_requests


def test_today_is_judged_before_what_was_imported(
    deployment: Deployment, instance: dg.DagsterInstance
):
    hold_calls(deployment, 2)
    hold_call(deployment.conversations, "now", started_at=datetime.now(UTC) - timedelta(seconds=30))

    asked = tick(deployment, instance, None).run_requests or []

    assert [request.tags["dagster/priority"] for request in asked] == ["0", "0", "1"]


def test_days_that_lie_ahead_are_told_apart_and_asked_for_when_they_come(
    deployment: Deployment, instance: dg.DagsterInstance
):
    now = datetime.now(UTC).replace(hour=12)
    for number, ended_at in enumerate(
        (datetime(1970, 1, 1, 1, tzinfo=UTC), now + timedelta(days=1), now + timedelta(days=400))
    ):
        take_in(deployment, f"c{number}", ended_at)
    later = [str((now + timedelta(days=days)).date()) for days in (1, 400)]
    first = tick(deployment, instance, None)

    looked = Looked.parse(first.cursor)

    assert [request.partition_key for request in first.run_requests or []] == []
    assert looked.waiting == tuple(later)
    assert Looked.parse(looked.cursor) == looked
    tomorrow = now.date() + timedelta(days=1)
    assert [*days_that_came(deployment, looked, today=tomorrow)] == [tomorrow]
    assert still_ahead(looked, [], today=tomorrow) == (later[1],)
    assert still_ahead(looked, [tomorrow], today=now.date()) == tuple(later)
    again = tick(deployment, instance, first.cursor)
    assert Looked.parse(again.cursor).waiting == tuple(later)


def test_a_cursor_of_an_older_version_waits_for_nothing():
    assert Looked.parse('{"closed_to": null, "questions": "x"}').waiting == ()
