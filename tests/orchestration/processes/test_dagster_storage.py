"""Dagster's own records: in the instance's folder, or on a real PostgreSQL server."""

from pathlib import Path

import dagster as dg
import pytest
import yaml

from orchestration.definitions import defs
from orchestration.errors import SettingsError
from orchestration.processes.dagster_instance import DAGSTER_YAML, prepare_instance
from orchestration.processes.runs import opened_instance, run_job
from orchestration.settings import Settings
from tests.orchestration.sample import hold_calls, sample_deployment, write_data
from tests.servers import postgresql_server

URL = "postgresql://viva:secret@db.internal/dagster"


def test_the_configuration_that_is_there_is_left_alone(tmp_path: Path):
    settings = Settings(data_dir=tmp_path)
    configuration = Path(prepare_instance(settings)) / "dagster.yaml"
    configuration.write_text("telemetry: {enabled: false}\n")

    prepare_instance(settings)

    assert configuration.read_text() == "telemetry: {enabled: false}\n"


def test_an_untouched_configuration_follows_the_setting(tmp_path: Path):
    configuration = Path(prepare_instance(Settings(data_dir=tmp_path))) / "dagster.yaml"
    assert configuration.read_text() == DAGSTER_YAML

    prepare_instance(Settings(data_dir=tmp_path, dagster_storage_url=URL))

    assert "env: VIVAVOCE_DAGSTER_STORAGE_URL" in configuration.read_text()
    assert "secret" not in configuration.read_text()


def test_workers_are_not_held_back_by_the_limits_of_one_machine(tmp_path: Path):
    local = Settings(data_dir=tmp_path, dagster_storage_url=URL)
    configuration = Path(prepare_instance(local)) / "dagster.yaml"
    one_machine = yaml.safe_load(configuration.read_text())["concurrency"]
    assert one_machine["runs"]["max_concurrent_runs"] == 1
    assert one_machine["pools"]["default_limit"] == 1

    scaled = local.model_copy(update={"celery_broker_url": "redis://redis.internal:6379/0"})
    prepare_instance(scaled)

    written = configuration.read_text()
    over_workers = yaml.safe_load(written)["concurrency"]
    assert over_workers["runs"]["max_concurrent_runs"] > 1
    assert "default_limit" not in over_workers["pools"]
    assert "env: VIVAVOCE_DAGSTER_STORAGE_URL" in written
    prepare_instance(local)
    assert configuration.read_text() == written, "one command without the setting changes nothing"


def test_a_changed_configuration_that_keeps_runs_elsewhere_is_refused(tmp_path: Path):
    settings = Settings(data_dir=tmp_path, dagster_storage_url=URL)
    folder = tmp_path / "store" / "dagster"
    folder.mkdir(parents=True)
    (folder / "dagster.yaml").write_text("telemetry: {enabled: false}\n")

    with pytest.raises(SettingsError, match="does not read it"):
        prepare_instance(settings)


@pytest.mark.slow
def test_runs_are_kept_on_postgresql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("dagster_postgres", reason="the extra `scale` is not installed")
    # What the settings export is gone after the test.
    monkeypatch.setenv("VIVAVOCE_DAGSTER_STORAGE_URL", "")
    local = write_data(tmp_path / "data")
    (tmp_path / "server").mkdir()
    with postgresql_server(tmp_path / "server") as address:
        settings = local.model_copy(update={"dagster_storage_url": f"postgresql://{address}"})
        with sample_deployment(settings) as deployment:
            hold_calls(deployment, 1)
            with opened_instance(deployment) as instance:
                outcome = run_job(
                    "evaluate_days",
                    deployment,
                    definitions=defs,
                    instance=instance,
                    partition="2026-03-01",
                )
        with dg.DagsterInstance.from_config(prepare_instance(settings)) as other:
            run = other.get_run_by_id(outcome.run_id)
            assert run is not None
            assert run.status is dg.DagsterRunStatus.SUCCESS
            assert other.get_materialized_partitions(dg.AssetKey("evaluations")) == {"2026-03-01"}
    assert not list((settings.dagster_instance_dir / "history").glob("*.db"))
