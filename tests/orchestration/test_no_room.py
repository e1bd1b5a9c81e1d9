"""Each writer meets a bound of the size of files, as a full disk or a quota sets it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from analysis.reports import open_reports
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, outdated_days, publish_reports
from tests.orchestration.sample import hold_calls, sample_deployment, write_data
from tests.servers import postgresql_server

REPOSITORY = Path(__file__).parents[2]
SMALL = 20_000
LARGE = "Refunds take five days to the account that paid. " * 4_000
WRITER = """
import json, resource, sys
from pathlib import Path
from orchestration.cli.start.told_errors import told
from orchestration.knowledge.ingesting import ingest
from orchestration.operations.operations import evaluate, publish_reports
from orchestration.settings import Settings
from tests.orchestration.sample import hold_calls, sample_deployment

folder, work, most = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
store_url = sys.argv[4] if len(sys.argv) > 4 else None

works = {
    "ingest": lambda deployment: ingest(deployment, "shop-desk"),
    "turns": lambda deployment: hold_calls(deployment, 400, first_number=100),
    "evaluate": evaluate,
    "publish": publish_reports,
}
with sample_deployment(Settings(data_dir=folder, store_url=store_url)) as deployment:
    deployment.engine
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    said = None
    try:
        works[work](deployment)
    except Exception as error:
        found = told(error)
        said = [type(error).__name__, found and found[0]]
print(json.dumps(said))
"""


def _written(folder: Path, work: str, most: int, store_url: str | None = None) -> Any:
    """What a process says whose files may have so many bytes; None when it met no bound."""
    given = [str(folder), work, str(most), *([store_url] if store_url else [])]
    child = subprocess.run(
        [sys.executable, "-c", WRITER, *given],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert child.stdout, child.stderr[-3_000:]
    return json.loads(child.stdout.splitlines()[-1])


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such bound")
@pytest.mark.parametrize("work", ["ingest", "turns", "publish", "evaluate"])
@pytest.mark.parametrize("most", [SMALL, 10 * SMALL])
def test_a_writer_without_room_says_so_and_goes_on_when_there_is(
    tmp_path: Path, work: str, most: int
):
    settings = write_data(tmp_path)
    with sample_deployment(settings) as deployment:
        ingest(deployment, "shop-desk")
        hold_calls(deployment, 40)
        before = {each.conversation_id for each in deployment.conversations.conversations()}
        documents = {each.name for each in deployment.knowledge_base("shop-desk").documents()}
    (tmp_path / "documents" / "refunds.md").write_text(f"# Refunds\n\n{LARGE}\n")

    said = _written(tmp_path, work, most)

    with sample_deployment(settings) as deployment:
        kept = {each.conversation_id for each in deployment.conversations.conversations()}
        assert before <= kept
        found = {each.name for each in deployment.knowledge_base("shop-desk").documents()}
        assert documents == found
        assert not ingest(deployment, "shop-desk").count("failed")
        assert evaluate(deployment).failed == 0
        publish_reports(deployment)
        assert deployment.knowledge_base("shop-desk").retrieve("refunds", limit=1)
    with open_reports(deployment.reports_file) as reports:
        counted = reports.execute("select count(*) from conversations").fetchone()
    assert counted == (len(kept),)
    assert said is not None or most > SMALL, "nothing met the bound"
    if said is not None and work == "ingest":
        assert "rebuild" not in said[1], said[1]
    if said is not None:
        assert said[1] is not None, f"{said[0]} is not told in a sentence"
        assert "Traceback" not in said[1]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="it has no such bound")
@pytest.mark.parametrize("most", [1_500, 100_000])
def test_parquet_and_duckdb_without_room_say_so(tmp_path: Path, most: int):
    """The store is another machine's: the smaller bound is met by Parquet, the larger by DuckDB."""
    with postgresql_server(tmp_path) as address:
        url = f"postgresql+psycopg://{address}"
        settings = write_data(tmp_path / "data").model_copy(update={"store_url": url})
        with sample_deployment(settings) as deployment:
            ingest(deployment, "shop-desk")
            hold_calls(deployment, 10)
        said = _written(settings.data_dir, "publish", most, url)
        assert said is not None, "nothing met the bound"
        assert said[1] is not None, f"{said[0]} is not told in a sentence"
        assert (".duckdb" in said[1]) == (most > 10_000), said[1]
        assert not settings.data_dir.joinpath("reports", "reports.duckdb").exists()
        with sample_deployment(settings) as deployment:
            publish_reports(deployment)
            assert outdated_days(deployment) == []
            with open_reports(deployment.reports_file) as reports:
                counted = reports.execute("select count(*) from conversations").fetchone()
            left = [each.name for each in settings.data_dir.rglob("*.next*")]
        assert (counted, left) == ((10,), [])
