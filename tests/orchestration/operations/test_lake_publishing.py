from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from analysis.warehouse.lake_opening import open_lake
from orchestration.definitions import defs
from orchestration.deployment import Deployment
from orchestration.operations.forgetting import forget
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from orchestration.shown_settings import shown_settings
from tests.analysis.calls import a_verdict, hold_call, save_answers
from tests.orchestration.sample import (
    AGENT_FILE,
    FIRST_DAY,
    hold_calls,
    sample_deployment,
    write_data,
)
from tests.orchestration.searching import files_with

SAID = "My zanzibar parcel never reached Quillmouth harbour."
WORDS = ("zanzibar", "quillmouth")


def test_the_password_of_a_catalog_is_not_shown():
    settings = Settings(warehouse_url="ducklake:postgres:dbname=x password=hunter2 user=viva")

    shown = {setting.variable: setting.value for setting in shown_settings(settings)}

    assert shown["VIVAVOCE_WAREHOUSE_URL"] == "ducklake:postgres:dbname=x password=**** user=viva"


@pytest.mark.slow
def test_publishing_fills_the_lake_too(tmp_path: Path):
    pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")
    settings = write_data(tmp_path / "data").model_copy(
        update={"warehouse_url": f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'}"}
    )
    with sample_deployment(settings) as deployment:
        hold_calls(deployment, 2)
        evaluate(deployment)
        publish_reports(deployment)
        assert deployment.lake is not None
        with closing(open_lake(deployment.lake, read_only=True)) as connection:
            rates = connection.execute("select criterion_id, successes from success_rates")
            assert rates.fetchall() == [("helped", 2)]
            agent = connection.execute("select helped, topic from agent_shop_desk").fetchall()
    assert agent == [("success", "refunds")] * 2


@pytest.fixture
def with_a_lake(tmp_path: Path) -> Iterator[Deployment]:
    """Two conversations of which one says what is to be forgotten, published to a lake too."""
    pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")
    (tmp_path / "lake").mkdir()
    settings = write_data(tmp_path / "data").model_copy(
        update={
            "warehouse_url": f"ducklake:sqlite:{tmp_path / 'lake' / 'catalog.sqlite'}",
            "warehouse_data": str(tmp_path / "lake" / "files"),
        }
    )
    with sample_deployment(settings) as deployment:
        store = deployment.conversations
        hold_call(store, "told", started_at=FIRST_DAY, question=SAID)
        # One of the same day, and one day that nothing happens to.
        hold_call(store, "kept", started_at=FIRST_DAY + timedelta(minutes=5))
        hold_call(store, "other", started_at=FIRST_DAY + timedelta(days=1))
        save_answers(deployment.evaluations, "told", a_verdict("told", rationale=SAID))
        evaluate(deployment)
        publish_reports(deployment)
        # Again, so that the lake has a past.
        hold_call(store, "later", started_at=FIRST_DAY + timedelta(minutes=9))
        publish_reports(deployment)
        found = files_with(tmp_path / "lake", *WORDS)
        assert any("turns" in name for name in found), found
        yield deployment


def lake_rows(deployment: Deployment, query: str) -> list[tuple[object, ...]]:
    assert deployment.lake is not None
    with closing(open_lake(deployment.lake, read_only=True)) as connection:
        return connection.execute(query).fetchall()


@pytest.mark.slow
def test_what_is_forgotten_is_in_no_file_of_the_lake_and_the_rest_is(
    with_a_lake: Deployment, tmp_path: Path
):
    receipt = forget(with_a_lake, now=FIRST_DAY, conversation_id="told")

    assert files_with(tmp_path, *WORDS) == []
    assert {line.place: line.count for line in receipt.lines}["lake"] == 1
    left = lake_rows(with_a_lake, "select conversation_id from conversations order by all")
    assert left == [("kept",), ("later",), ("other",)]
    assert lake_rows(with_a_lake, "select count(*) from turns") == [(12,)]


@pytest.mark.slow
def test_the_nightly_job_reaches_the_lake_too(with_a_lake: Deployment, tmp_path: Path):
    """Evaluations only: their reasons and quotes say what callers said."""
    agent_file = with_a_lake.settings.agents_dir / "shop-desk.yaml"
    agent_file.write_text(AGENT_FILE + "privacy: {evaluations_days: 1}\n")
    with opened_instance(with_a_lake) as instance:
        run_job("retention", with_a_lake, definitions=defs, instance=instance)

    assert lake_rows(with_a_lake, "select count(*) from evaluations") == [(0,)]
    found = files_with(tmp_path / "lake", *WORDS)
    assert not any("evaluations" in name for name in found), found
    assert lake_rows(with_a_lake, "select count(*) from turns") == [(16,)]
