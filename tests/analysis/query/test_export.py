import csv
import io
import json
import shutil
from pathlib import Path

import duckdb
import pytest

from analysis.cells import said_in
from analysis.dictionary.schema import literal
from analysis.errors import ExportError, QueryError, ReportsNotPublishedError
from analysis.query.export import export_query, export_table
from analysis.query.sql import query_as_csv
from analysis.reports import open_reports
from tests.analysis.calls import hold_judged_calls, open_stores, refresh


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with open_stores(tmp_path_factory.mktemp("published")) as stores:
        hold_judged_calls(stores)
        refresh(stores)
        return stores.reports


@pytest.fixture
def reports(published: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(published, tmp_path / published.name))


def test_a_view_is_written_as_csv(reports: Path, tmp_path: Path):
    target = tmp_path / "out" / "rates.csv"
    assert export_table(reports, "success_rates", target) == 2
    with target.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert sorted((row["criterion_id"], row["successes"]) for row in rows) == [
        ("handled_inquiry", "1"),
        ("polite", "1"),
    ]


def test_parquet_keeps_types_and_jsonl_keeps_structure(reports: Path, tmp_path: Path):
    export_table(reports, "evaluations", tmp_path / "e.parquet")
    with duckdb.connect() as connection:
        path = str(tmp_path / "e.parquet")
        quotes = connection.execute(
            "select evidence[1].quote from read_parquet(?) where verdict = 'failure'", [path]
        ).fetchall()
    assert quotes == [("five days",)]
    export_table(reports, "evaluations", tmp_path / "e.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "e.jsonl").read_text().splitlines()]
    [failed] = [line for line in lines if line["verdict"] == "failure"]
    assert failed["evidence"] == [{"turn_index": 2, "quote": "five days"}]


def test_an_existing_file_is_replaced_whole(reports: Path, tmp_path: Path):
    target = tmp_path / "topics.csv"
    target.write_text("old " * 1_000)
    export_table(reports, "topics", target)
    assert "old" not in target.read_text()
    assert sorted(path.name for path in tmp_path.glob("*topics*")) == ["topics.csv"]


def test_what_cannot_be_exported_says_what_can(reports: Path, tmp_path: Path):
    with pytest.raises(ExportError, match=r"\.csv, \.parquet, \.jsonl, \.xlsx"):
        export_table(reports, "topics", tmp_path / "topics.xls")
    with pytest.raises(ExportError, match="success_rates"):
        export_table(reports, "topics; drop table turns", tmp_path / "topics.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(ExportError, match="cannot be written"):
        export_table(reports, "topics", tmp_path / "folder.csv")
    with pytest.raises(ReportsNotPublishedError):
        export_table(tmp_path / "none.duckdb", "topics", tmp_path / "topics.csv")


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".xlsx"])
def test_a_query_is_written_in_every_format(reports: Path, tmp_path: Path, suffix: str):
    target = tmp_path / f"calls{suffix}"
    query = "from conversations select conversation_id, turn_count order by 1; -- all"
    assert export_query(reports, query.replace(" -- all", ""), target) == 3
    assert target.stat().st_size > 0
    assert export_query(reports, "topics", tmp_path / f"topics{suffix}") >= 0


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("from read_csv('{secret}')", "nothing else"),
        ("select * from read_text('{secret}')", "nothing else"),
        ("attach '{secret}' as other", "cannot be run"),
        ("from turns) to '{secret}'; --", "cannot be run"),
        ("select 1; select 2", "cannot be run"),
        ("select nothing from turns", "cannot be run"),
    ],
)
def test_an_exported_query_reaches_nothing_but_the_reports(
    reports: Path, tmp_path: Path, query: str, message: str
):
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    with pytest.raises(QueryError, match=message):
        export_query(reports, query.format(secret=secret), tmp_path / "out.csv")
    assert secret.read_text() == "a\n1\n"
    assert not (tmp_path / "out.csv").exists()
    assert list(tmp_path.glob(".*next*")) == []


FORMULAS = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    " =1",
    "|cmd",
    "-",
]
HARMLESS = ["-5", "+4930123", "-1.5e3", "1=1", "a", "'a", "", "5%", "-1,000"]


@pytest.mark.hostile
@pytest.mark.parametrize("text", [*FORMULAS, *HARMLESS])
def test_no_cell_is_a_formula(reports: Path, tmp_path: Path, text: str):
    asked = f"select {literal(text)} as said, -5 as number"
    target = tmp_path / "said.csv"
    export_query(reports, asked, target)
    with target.open(newline="") as stream:
        exported = list(csv.reader(stream))[1]
    with open_reports(reports) as connection:
        queried = list(csv.reader(io.StringIO(query_as_csv(connection, asked), newline="")))[1]

    expected = f"'{text}" if text in FORMULAS else text
    assert exported == queried == [expected, "-5"]
    assert said_in(expected) == text
