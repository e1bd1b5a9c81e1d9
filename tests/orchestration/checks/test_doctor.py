import os
import stat
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path

import dagster as dg
import pytest
from dagster._daemon.types import DaemonHeartbeat

from orchestration.checks.doctor import Diagnosis, examine
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.retention import apply_retention
from orchestration.processes.daemon_state import last_sign_of_life
from orchestration.processes.dagster_instance import prepare_instance
from orchestration.settings import Settings
from tests.orchestration.sample import FIRST_DAY, sample_deployment, write_data
from tests.servers import free_port, postgresql_server


def findings(settings: Settings) -> dict[str, Diagnosis]:
    with sample_deployment(settings) as deployment:
        return {finding.part: finding for finding in examine(deployment)}


def test_a_new_deployment_is_told_what_to_do_next(tmp_path: Path):
    found = findings(write_data(tmp_path / "data"))

    assert found["store folder"].state == "ok"
    assert found["agent files"].told == "1 can be used: shop-desk"
    assert found["documents of shop-desk"].remedy == "Run `vivavoce ingest shop-desk`."
    assert found["reports"].state == "warning"
    assert "failed" not in {finding.state for finding in found.values()}


def test_a_document_that_could_not_be_read_is_not_one_that_nobody_read(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    (settings.data_dir / "documents" / "refunds.md").unlink()
    with sample_deployment(settings) as deployment:
        ingest(deployment, "shop-desk")

    found = findings(settings)["documents of shop-desk"]

    assert found.state == "warning"
    assert found.told.startswith("'refunds.md': failed (not_found).")
    assert found.remedy == (
        "Mend these, or take them out of the agent file; then run `vivavoce ingest shop-desk`."
    )


def test_a_broken_agent_file_does_not_hide_the_others(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    (settings.agents_dir / "odd.yaml").write_text("agent_id: odd\nname: Odd\nlm: x\n")

    found = findings(settings)

    assert found["agent file odd.yaml"].state == "failed"
    assert "lm" in found["agent file odd.yaml"].told
    assert found["agent files"].told == "1 can be used: shop-desk"


def test_servers_that_do_not_answer_are_named_with_their_setting(tmp_path: Path):
    port = free_port()
    settings = write_data(tmp_path / "data").model_copy(
        update={
            "chroma_url": f"http://127.0.0.1:{port}",
            "celery_broker_url": f"redis://:secret@127.0.0.1:{port}/0",
        }
    )

    found = findings(settings)

    assert found["vectors"].state == "failed"
    assert "VIVAVOCE_CHROMA_URL" in found["vectors"].remedy
    assert f"redis at 127.0.0.1:{port}" in found["dagster"].told
    assert "secret" not in found["dagster"].told
    assert found["store"].state == "ok"


@pytest.mark.slow
def test_words_without_their_index_on_postgresql_are_told_and_mended_at_night(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    with postgresql_server(tmp_path) as address:
        settings = settings.model_copy(update={"store_url": f"postgresql+psycopg://{address}"})
        assert findings(settings)["index of words"].state == "ok"
        with sample_deployment(settings) as deployment:
            with deployment.engine.begin() as connection:
                connection.exec_driver_sql("drop extension pg_trgm cascade")
            told = findings(settings)["index of words"]
            assert told.state == "warning"
            assert "`vivavoce retention`" in told.remedy
            assert apply_retention(deployment, now=FIRST_DAY).not_reached == ()
        assert findings(settings)["index of words"].state == "ok"


@pytest.mark.parametrize(("minutes_ago", "state"), [(1, "ok"), (90, "warning")])
def test_a_daemon_that_stopped_is_told(tmp_path: Path, minutes_ago: int, state: str):
    settings = write_data(tmp_path / "data")
    with dg.DagsterInstance.from_config(prepare_instance(settings)) as instance:
        for kind in instance.get_required_daemon_types():
            seen = time.time() - minutes_ago * 60
            instance.add_daemon_heartbeat(DaemonHeartbeat(seen, kind, "one"))

    found = findings(settings)["dagster"]

    assert found.state == state
    assert ("its daemon was last seen on" in found.told) is (state == "warning")


@pytest.mark.slow
def test_the_files_say_what_dagster_says(tmp_path: Path):
    """Minutes since the parts were seen that are needed, and a part that no instance needs."""
    settings = write_data(tmp_path / "data")
    with dg.DagsterInstance.from_config(prepare_instance(settings)) as instance:
        assert last_sign_of_life(settings) is None
        for minutes, other in ((1, 1), (90, 90), (1, 90), (90, 9_000), (90, 1)):
            beats = dict.fromkeys(instance.get_required_daemon_types(), minutes) | {"GONE": other}
            for kind, ago in beats.items():
                seen = FIRST_DAY.timestamp() - ago * 60
                instance.add_daemon_heartbeat(DaemonHeartbeat(seen, kind, "one"))
            assert last_sign_of_life(settings) == FIRST_DAY - timedelta(minutes=minutes)


def test_records_of_dagster_that_cannot_be_read_are_a_finding(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    history = Path(prepare_instance(settings)) / "history"
    history.mkdir()
    (history / "runs.db").write_text("no database")

    found = findings(settings)["dagster"]

    assert found.state == "failed"
    assert "Dagster's records cannot be read" in found.told


@pytest.mark.hostile
def test_what_others_can_open_is_closed_to_them(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    inner = settings.store / "kb" / "shop"
    inner.mkdir(parents=True)
    (inner / "catalog.sqlite").write_text("said")
    (tmp_path / "elsewhere").write_text("not ours")
    (inner / "link").symlink_to(tmp_path / "elsewhere")
    for path, mode in ((settings.store, 0o755), (inner, 0o775), (inner / "catalog.sqlite", 0o644)):
        path.chmod(mode)
    (tmp_path / "elsewhere").chmod(0o644)

    first, second = findings(settings)["private files"], findings(settings)["private files"]

    assert first.state == second.state == "ok"
    assert "were taken away" in first.told
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (settings.store, inner)]
    assert modes == [0o700, 0o700]
    assert stat.S_IMODE((inner / "catalog.sqlite").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "elsewhere").stat().st_mode) == 0o644


@pytest.mark.slow
@pytest.mark.hostile
def test_a_command_makes_files_for_its_user_alone(tmp_path: Path):
    settings = write_data(tmp_path / "data")
    program = (
        "import sys; sys.argv = ['vivavoce', 'keys', 'create', '--name', 'a', '--scope', 'read']; "
    )
    program += "from orchestration.cli.main import main; main()"
    environment = os.environ | {"VIVAVOCE_DATA_DIR": str(settings.data_dir)}
    subprocess.run(
        [sys.executable, "-c", f"import os; os.umask(0o022); {program}"],
        env=environment,
        check=True,
        capture_output=True,
    )

    made = [settings.store, *settings.store.rglob("*")]
    assert len(made) > 1
    assert [path for path in made if stat.S_IMODE(path.stat().st_mode) & 0o077] == []
