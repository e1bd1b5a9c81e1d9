import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
import pytest

from analysis.reports import open_reports
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.errors import RunFailedError
from orchestration.processes.runs import opened_instance, run_job
from orchestration.schedule.first_day import BEFORE_ANY, first_day
from orchestration.settings import Settings
from tests.analysis.calls import hold_call
from tests.conftest import REPOSITORY
from tests.fakes import ScriptedChatModel
from tests.orchestration.sample import answer, hold_calls, sample_deployment, write_data


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return write_data(tmp_path / "data")


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        yield opened


@pytest.fixture
def instance(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    with opened_instance(deployment) as opened:
        opened.add_dynamic_partitions("agents", ["shop-desk"])
        yield opened


def materialized(instance: dg.DagsterInstance, asset: str) -> dict[str | None, dict[str, object]]:
    """Metadata of the newest materialization of each partition."""
    records = instance.fetch_materializations(dg.AssetKey(asset), limit=100, ascending=True).records
    return {
        record.partition_key: {key: value.value for key, value in made.metadata.items()}
        for record in records
        if (made := record.asset_materialization) is not None
    }


def test_the_graph_is_the_documented_one():
    graph = defs.resolve_asset_graph()
    parents = {
        key.to_user_string(): sorted(
            parent.to_user_string() for parent in graph.get(key).parent_keys
        )
        for key in graph.get_all_asset_keys()
    }

    assert parents == {
        "documents": [],
        "chunk_index": ["documents"],
        "prompt_state": ["documents"],
        "ended_conversations": [],
        "call_metrics": ["ended_conversations"],
        "questions": [],
        "evaluations": ["ended_conversations", "questions"],
        "collected_values": ["ended_conversations", "questions"],
        "summaries": ["ended_conversations", "questions"],
        "report_tables": ["call_metrics", "collected_values", "evaluations", "summaries"],
        "topics": ["ended_conversations"],
        "knowledge_gaps": ["chunk_index", "evaluations"],
        "reports": ["documents", "knowledge_gaps", "report_tables", "topics"],
        "report_page": ["reports"],
    }
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.kinds, key
        assert node.owners, key
        assert node.group_name in ("knowledge_base", "conversations", "evaluations", "reports")
    assert {(check.asset_key.to_user_string(), check.name) for check in graph.asset_check_keys} == {
        ("documents", "documents_are_within_limits"),
        ("documents", "documents_have_text"),
        ("documents", "documents_are_all_renewed"),
        ("documents", "links_are_fresh"),
        ("chunk_index", "chunks_are_all_indexed"),
        ("chunk_index", "chunks_find_themselves"),
        ("ended_conversations", "transcripts_are_complete"),
        ("collected_values", "evidence_is_supported"),
        ("evaluations", "judge_answers"),
        ("evaluations", "verdicts_are_steady"),
        ("evaluations", "judges_agree_with_people_as_before"),
        ("evaluations", "answers_belong_to_conversations"),
        ("evaluations", "judging_is_within_budget"),
        ("knowledge_gaps", "no_gap_came_back"),
        ("reports", "reports_open_and_are_complete"),
    }


def test_every_check_says_why_it_is_a_warning_or_an_error():
    graph = defs.resolve_asset_graph()
    for key in graph.asset_check_keys:
        description = graph.get_check_spec(key).description or ""
        assert re.search(r"A warning|An error", description), key


def test_every_asset_says_whether_it_holds_personal_data():
    graph = defs.resolve_asset_graph()
    held = {
        key.to_user_string(): graph.get(key).tags["holds"] for key in graph.get_all_asset_keys()
    }

    assert {name for name, what in held.items() if what != "personal_data"} == {
        "documents",
        "chunk_index",
        "prompt_state",
        "questions",
        "call_metrics",
    }


def test_ingesting_records_documents_and_checks(
    deployment: Deployment, instance: dg.DagsterInstance
):
    outcome = run_job(
        "ingest_agent", deployment, definitions=defs, instance=instance, partition="shop-desk"
    )

    assert outcome.failed_checks == ()
    made = materialized(instance, "documents")["shop-desk"]
    assert made["documents"] == 2
    assert "refunds.md" in str(made["table"])
    assert (made["added"], made["failed"]) == (2, 0)
    assert made["bytes"] == 35 + 35
    assert made["seconds"]
    assert materialized(instance, "chunk_index")["shop-desk"]["chunks_embedded"] == 2


def test_a_missing_document_is_a_warning_and_the_others_go_in(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    (settings.data_dir / "documents" / "delivery.md").unlink()

    outcome = run_job(
        "ingest_agent", deployment, definitions=defs, instance=instance, partition="shop-desk"
    )

    assert len(outcome.failed_checks) == 1
    assert outcome.failed_checks[0].startswith(
        "documents_are_all_renewed: shop-desk: 'delivery.md'"
    )
    assert [found.status for found in deployment.knowledge_base("shop-desk").documents()] == [
        "ready",
        "failed",
    ]
    failures = str(materialized(instance, "documents")["shop-desk"]["failures"])
    assert len(failures.splitlines()) == 3
    assert "not\\_found" in failures


def test_days_are_judged_exported_and_published_in_one_go(
    deployment: Deployment, instance: dg.DagsterInstance
):
    hold_calls(deployment, 3)

    judged = run_job(
        "evaluate_days",
        deployment,
        definitions=defs,
        instance=instance,
        partition_range=("2026-03-01", "2026-03-03"),
    )
    published = run_job("publish_reports", deployment, definitions=defs, instance=instance)

    assert (judged.failed_checks, published.failed_checks) == ((), ())
    assert materialized(instance, "ended_conversations")["2026-03-02"]["conversations"] == 1
    assert materialized(instance, "evaluations")["2026-03-01"]["run/conversations"] == 3
    assert materialized(instance, "report_tables")["2026-03-03"]["rows"]
    with open_reports(deployment.reports_file) as reports:
        assert reports.sql("select successes, n_judged from success_rates").fetchall() == [(3, 3)]


@pytest.mark.slow
def test_running_a_day_again_asks_nothing(settings: Settings):
    judge = ScriptedChatModel(always=answer, model="scripted/model")
    with sample_deployment(settings, judge) as deployment, opened_instance(deployment) as instance:
        hold_calls(deployment, 1)
        asked: list[int] = []
        for _ in range(2):
            run_job(
                "evaluate_days",
                deployment,
                definitions=defs,
                instance=instance,
                partition="2026-03-01",
            )
            asked.append(len(judge.prompts))

    assert asked[0] == asked[1] > 0


def test_a_failed_run_names_the_step_and_the_reason(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    (settings.agents_dir / "shop-desk.yaml").unlink()

    with pytest.raises(
        RunFailedError, match=r"step 'ingest'; run .*The cause: .*There is no agent 'shop-desk'"
    ):
        run_job(
            "ingest_agent", deployment, definitions=defs, instance=instance, partition="shop-desk"
        )


def test_the_last_line_of_a_failed_run_is_its_cause(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    (settings.agents_dir / "shop-desk.yaml").unlink()
    with pytest.raises(RunFailedError):
        run_job(
            "ingest_agent", deployment, definitions=defs, instance=instance, partition="shop-desk"
        )
    (run,) = instance.get_runs()
    logged = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.RUN_FAILURE)
    failure = logged[-1].dagster_event
    assert failure is not None
    context = dg.build_run_status_sensor_context(
        "causes_of_failures", failure, instance, run
    ).for_run_failure()

    of_command = instance.all_logs(run.run_id)
    defs.resolve_sensor_def("causes_of_failures")(context)

    of_sensor = instance.all_logs(run.run_id)
    assert len(of_sensor) == len(of_command) + 1
    for log in (of_command, of_sensor):
        last = log[-1].dagster_event
        assert last is not None
        assert last.message is not None
        assert last.message.startswith("Step 'ingest' failed. The cause: ")
        assert "There is no agent 'shop-desk'" in last.message


def test_the_sensor_asks_for_each_day_once(deployment: Deployment, instance: dg.DagsterInstance):
    hold_calls(deployment, 2)
    sensor = defs.resolve_sensor_def("conversations_ended")

    def tick(cursor: str | None) -> dg.SensorResult:
        context = dg.build_sensor_context(
            instance=instance, cursor=cursor, resources={"deployment": deployment}
        )
        result = sensor(context)
        assert isinstance(result, dg.SensorResult)
        return result

    first = tick(None)
    assert [request.partition_key for request in first.run_requests or []] == [
        "2026-03-01",
        "2026-03-02",
    ]
    again = tick(first.cursor)
    keys = {request.run_key for request in first.run_requests or []}
    assert {request.run_key for request in again.run_requests or []} <= keys
    hold_calls(deployment, 1, first_number=5)
    assert "2026-03-06" in [
        request.partition_key for request in tick(first.cursor).run_requests or []
    ]


def test_the_sensor_adds_a_partition_for_each_agent(deployment: Deployment):
    with dg.DagsterInstance.ephemeral() as empty:
        context = dg.build_sensor_context(instance=empty, resources={"deployment": deployment})
        result = defs.resolve_sensor_def("agent_files")(context)

    assert isinstance(result, dg.SensorResult)
    (request,) = result.dynamic_partitions_requests or []
    assert list(request.partition_keys) == ["shop-desk"]


def test_partitions_begin_with_the_setting_else_with_the_first_conversation(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    assert first_day(settings) == BEFORE_ANY
    assert list(tmp_path.iterdir()) == [], "nothing is made to find that out"
    with Deployment(settings) as opened:
        settings.store.mkdir(parents=True)
        assert first_day(settings) == BEFORE_ANY
        hold_call(opened.conversations, "c2", started_at=datetime(2026, 3, 1, 12, tzinfo=UTC))
        hold_call(opened.conversations, "c1", started_at=datetime(2025, 11, 2, 23, tzinfo=UTC))
    assert first_day(settings) == date(2025, 11, 2)
    chosen = settings.model_copy(update={"first_day": date(2026, 2, 1)})
    assert first_day(chosen) == date(2026, 2, 1)


def test_conversations_that_cannot_be_read_leave_partitions(tmp_path: Path):
    (tmp_path / "store").mkdir()
    (tmp_path / "store" / "conversations.sqlite").write_bytes(b"no database at all" * 100)

    assert first_day(Settings(data_dir=tmp_path)) == BEFORE_ANY


@pytest.mark.slow
def test_the_code_location_validates_in_an_empty_environment(tmp_path: Path):
    """No key, no data folder, another working directory, and a network that is closed."""
    closed = (
        "import socket, sys\n"
        "real = socket.socket.connect\n"
        "def connect(self, address):\n"
        "    if self.family != socket.AF_UNIX and address[0] not in ('127.0.0.1', '::1'):\n"
        "        raise OSError(f'the network is closed: {address}')\n"
        "    return real(self, address)\n"
        "socket.socket.connect = connect\n"
        "from dagster._cli import main\n"
        "sys.argv = ['dagster', 'definitions', 'validate', '-m', 'orchestration.definitions']\n"
        "main()\n"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run(
        [sys.executable, "-c", closed],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.slow
def test_loading_the_code_location_loads_no_model_code(tmp_path: Path):
    program = (
        "import sys, orchestration.definitions\n"
        "heavy = ('torch', 'chromadb', 'litellm', 'sentence_transformers', 'xllamacpp')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.stdout.strip() == "[]", done.stdout + done.stderr
