import shutil
from pathlib import Path

import duckdb
import pytest

from analysis.errors import ReportsNotPublishedError
from analysis.reports import open_reports
from analysis.warehouse.publish import publish


@pytest.fixture(scope="module")
def published_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    return publish(folder / "warehouse", folder / "reports.duckdb", []).path


@pytest.fixture
def published(published_once: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(published_once, tmp_path / published_once.name))


def test_without_published_reports_it_says_what_to_run(tmp_path: Path):
    with pytest.raises(ReportsNotPublishedError, match="vivavoce report"):
        open_reports(tmp_path / "reports.duckdb")


def test_a_file_that_is_no_database_says_what_to_run(tmp_path: Path):
    (tmp_path / "reports.duckdb").write_text("nothing of the kind " * 1_000)
    with pytest.raises(ReportsNotPublishedError, match="vivavoce report"):
        open_reports(tmp_path / "reports.duckdb")


def test_the_path_may_hold_a_quote(tmp_path: Path):
    published = publish(tmp_path / "w", tmp_path / "it's here" / "reports.duckdb", []).path
    with open_reports(published) as reports:
        assert reports.sql("from success_rates").fetchall() == []


@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('{secret}')",
        "copy turns to '{secret}.csv'",
        "attach '{secret}.duckdb' as other",
        "insert into turns (text) values ('x')",
        "drop view topics",
        "create table t (a integer)",
        "install httpfs",
        "set enable_external_access = true",
        "reset lock_configuration",
        "set memory_limit = '100GB'",
        "export database '{secret}'",
    ],
)
def test_the_connection_reads_reports_and_can_do_nothing_else(
    published: Path, tmp_path: Path, sql: str
):
    secret = tmp_path / "secret"
    secret.write_text("hidden")
    with open_reports(published) as reports, pytest.raises(duckdb.Error):
        reports.execute(sql.format(secret=secret))


@pytest.mark.hostile
@pytest.mark.parametrize(
    "sql",
    [
        "select * from read_text('.tmp/x')",
        "select * from glob('.tmp/*')",
        "copy (select 1) to '.tmp/o.csv'",
        "copy (select 1) to '{file}'",
        "copy (select 1) to '{file}.wal'",
        "copy (select 1) to '{file}.wal.recovery'",
        "select * from read_blob('{file}')",
        "attach '{file}' as again",
    ],
)
def test_nothing_beside_the_file_is_read_or_written(
    published: Path, tmp_path: Path, sql: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".tmp").mkdir()
    (tmp_path / ".tmp" / "x").write_text("hidden")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with open_reports(published) as reports:
        with pytest.raises(duckdb.PermissionException):
            reports.execute(sql.format(file=published))
        assert reports.sql("from success_rates").fetchall() == []

    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
