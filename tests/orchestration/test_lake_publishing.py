from contextlib import closing
from pathlib import Path

import pytest

from analysis.lake_opening import open_lake
from orchestration.operations import evaluate, publish_reports
from orchestration.settings import Settings, shown_settings
from tests.orchestration.sample import hold_calls, sample_deployment, write_data


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
