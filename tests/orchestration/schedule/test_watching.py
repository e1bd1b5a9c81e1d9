"""What has an agent ingested without anyone asking: changed files, the daily look at links."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from kb.document import Document
from orchestration.checks.knowledge_base import stale_links
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.knowledge.ingesting import ingest
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.local_server import page, serving, status
from tests.orchestration.sample import sample_deployment, write_data

NOW = datetime(2026, 3, 10, 3, 15, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = write_data(tmp_path / "data")
    (settings.agents_dir / "shop-desk.yaml").write_text(
        "agent_id: shop-desk\nname: Shop desk\nknowledge_base: {files: [../documents]}\n"
    )
    return settings


@pytest.fixture
def deployment(settings: Settings) -> Iterator[Deployment]:
    with sample_deployment(settings) as opened:
        yield opened


@pytest.fixture
def instance(deployment: Deployment) -> Iterator[dg.DagsterInstance]:
    with opened_instance(deployment) as opened:
        yield opened


def look(
    deployment: Deployment, instance: dg.DagsterInstance, cursor: str | None
) -> tuple[list[str | None], str | None]:
    """One evaluation of the sensor: the partitions that it wants to run, and its cursor."""
    context = dg.build_sensor_context(
        instance=instance, cursor=cursor, resources={"deployment": deployment}
    )
    result = defs.resolve_sensor_def("agent_files")(context)
    assert isinstance(result, dg.SensorResult)
    for request in result.dynamic_partitions_requests or []:
        instance.add_dynamic_partitions("agents", list(request.partition_keys))
    return [request.partition_key for request in result.run_requests or []], result.cursor


def test_a_watched_folder_is_ingested_when_a_file_in_it_changes(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    folder = settings.data_dir / "documents"
    wanted, cursor = look(deployment, instance, None)
    assert wanted == []
    assert look(deployment, instance, cursor)[0] == []

    (folder / "islands.md").write_text("Islands take a week.\n")
    wanted, cursor = look(deployment, instance, cursor)
    assert wanted == ["shop-desk"]
    run_job("ingest_agent", deployment, definitions=defs, instance=instance, partition=wanted[0])
    documents = deployment.knowledge_base("shop-desk").documents()
    assert [found.name for found in documents] == ["delivery.md", "islands.md", "refunds.md"]
    assert look(deployment, instance, cursor)[0] == []

    (folder / "refunds.md").write_text("# Refunds\n\nRefunds take nine days.\n")
    wanted, cursor = look(deployment, instance, cursor)
    assert wanted == ["shop-desk"]

    (folder / "islands.md").unlink()
    assert look(deployment, instance, cursor)[0] == ["shop-desk"]


def test_files_put_back_as_they_were_are_a_change(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    path = settings.data_dir / "documents" / "refunds.md"
    _, cursor = look(deployment, instance, None)
    path.rename(path.with_name(".refunds.md"))
    wanted, cursor = look(deployment, instance, cursor)
    path.with_name(".refunds.md").rename(path)

    assert (wanted, look(deployment, instance, cursor)[0]) == (["shop-desk"], ["shop-desk"])


def test_a_new_agent_and_a_changed_agent_file_are_ingested(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    _, cursor = look(deployment, instance, None)
    (settings.agents_dir / "other.yaml").write_text(
        "agent_id: other\nname: Other\nknowledge_base: {texts: [{name: a, text: b}]}\n"
    )
    wanted, cursor = look(deployment, instance, cursor)
    assert wanted == ["other"]

    agent_file = settings.agents_dir / "other.yaml"
    known = agent_file.read_text()
    agent_file.write_text("nmae: broken")
    broken, cursor = look(deployment, instance, cursor)
    agent_file.write_text(known.replace("name: Other", "name: Another"))
    renamed, cursor = look(deployment, instance, cursor)
    agent_file.write_text(known.replace("text: b", "text: c"))
    assert (broken, renamed, look(deployment, instance, cursor)[0]) == ([], [], ["other"])


@pytest.mark.slow
def test_the_daily_schedule_looks_at_links_of_agents_that_were_ingested(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    schedule = defs.resolve_schedule_def("daily_links")

    def asked() -> list[str | None]:
        with dg.build_schedule_context(
            instance=instance,
            scheduled_execution_time=NOW,
            repository_def=defs.get_repository_def(),
            resources={"deployment": deployment},
        ) as context:
            requests = schedule.evaluate_tick(context).run_requests
        return [request.partition_key for request in requests or []]

    instance.add_dynamic_partitions("agents", ["shop-desk", "reader"])
    with serving({"/refunds": page()}) as server:
        (settings.agents_dir / "reader.yaml").write_text(
            "agent_id: reader\nname: Reader\nknowledge_base:\n"
            f"  links: [{{url: '{server.url}/refunds'}}]\n  allowed_cidrs: [127.0.0.0/8]\n"
        )
        assert asked() == []
        ingest(deployment, "shop-desk")
        ingest(deployment, "reader")
        assert asked() == ["reader"]

        server.routes["/refunds"] = status(404)
        outcome = run_job(
            "ingest_agent", deployment, definitions=defs, instance=instance, partition="reader"
        )

    assert sorted(check.partition(":")[0] for check in outcome.failed_checks) == [
        "documents_are_all_renewed",
        "links_are_fresh",
    ]


def test_links_that_nobody_looked_at_are_stale():
    def document(reason: str | None = None) -> Document:
        return Document(
            document_id="d", name="Refunds", kind="link", source="u", bytes=1, chars=1,
            status="ready", reason=reason,
        )  # fmt: skip

    day = timedelta(days=1)

    assert stale_links([], None, now=NOW) == []
    assert stale_links([document()], NOW - day, now=NOW) == []
    assert stale_links([document("http_503")], NOW - day, now=NOW) == [
        "'Refunds': old version (http_503)."
    ]
    assert stale_links([document()], NOW - 3 * day, now=NOW) == [
        "its 1 links were looked at on 2026-03-07 at 03:15 UTC"
    ]
    assert stale_links([document()], None, now=NOW) == ["its 1 links were looked at never"]


def test_a_broken_link_of_the_file_system_is_no_reason_to_stop(
    deployment: Deployment, instance: dg.DagsterInstance, settings: Settings
):
    (settings.data_dir / "documents" / "gone.md").symlink_to("nowhere")

    assert look(deployment, instance, None)[0] == []
