"""The warehouse on DuckLake: catalogs in SQLite and on a real PostgreSQL server."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from analysis.errors import LakeError
from analysis.reports import open_reports
from analysis.warehouse.lake import tidy, write_day, write_snapshots
from analysis.warehouse.lake_opening import Lake, open_lake
from analysis.warehouse.publish import export_documents, publish
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_document,
    a_value,
    a_verdict,
    export_day,
    hold_call,
    open_stores,
    save_answers,
)
from tests.conftest import REPOSITORY
from tests.servers import postgresql_server

pytest.importorskip("duckdb_extension_ducklake", reason="the extra `scale` is not installed")
pytestmark = pytest.mark.slow

DAYS = [date(2026, 3, 1) + timedelta(days=number) for number in range(6)]
WRITER = """
import sys
from datetime import date
from pathlib import Path
from analysis.warehouse.lake import write_day
from analysis.warehouse.lake_opening import Lake
lake = Lake(sys.argv[1], sys.argv[2])
for day in sys.argv[4:]:
    write_day(lake, Path(sys.argv[3]), date.fromisoformat(day))
"""


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as stores:
        for number, day in enumerate(DAYS):
            conversation_id = f"c{number}"
            hold_call(
                stores.conversations, conversation_id, started_at=DAY + timedelta(days=number)
            )
            save_answers(
                stores.evaluations,
                conversation_id,
                a_verdict(conversation_id),
                a_value(conversation_id, "amount", 12.5),
            )
            export_day(day, stores.warehouse, **stores.both)
        export_documents(stores.warehouse, AGENT.agent_id, [a_document()])
        yield stores


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with postgresql_server(tmp_path_factory.mktemp("postgresql")) as address:
        yield f"postgresql://{address}"


@pytest.fixture(params=["sqlite", "postgres"])
def lake(request: pytest.FixtureRequest, tmp_path: Path) -> Lake:
    data = str(tmp_path / "lake")
    if request.param == "sqlite":
        return Lake(f"ducklake:sqlite:{tmp_path / 'catalog.sqlite'}", data)
    url = request.getfixturevalue("server")
    name = f"lake_{uuid.uuid4().hex}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    address = urlsplit(url)
    return Lake(
        f"ducklake:postgres:dbname={name} host={address.hostname} port={address.port} "
        f"user={address.username}",
        data,
    )


def rows(lake: Lake, query: str) -> list[Any]:
    with closing(open_lake(lake, read_only=True)) as connection:
        return connection.execute(query).fetchall()


def test_a_lake_answers_as_the_published_file_does(stores: Stores, lake: Lake):
    publish(stores.warehouse, stores.reports, [AGENT])
    for day in DAYS:
        write_day(lake, stores.warehouse, day)
    write_snapshots(lake, stores.warehouse, [AGENT])

    with open_reports(stores.reports) as published:
        views = [
            name
            for (name,) in published.execute(
                "select view_name from duckdb_views() where not internal order by 1"
            ).fetchall()
        ]
        for name in [*views, "conversations", "turns", "evaluations", "documents"]:
            query = f'select * from "{name}" order by all'
            assert rows(lake, query) == published.execute(query).fetchall(), name
    assert len(views) > 8


def test_a_day_that_is_written_again_is_replaced(stores: Stores, lake: Lake):
    write_day(lake, stores.warehouse, DAYS[0])
    stores.conversations.delete("c0")
    hold_call(stores.conversations, "late", started_at=DAY)
    export_day(DAYS[0], stores.warehouse, **stores.both)

    counts = write_day(lake, stores.warehouse, DAYS[0])

    assert counts["conversations"] == 1
    assert rows(lake, "select conversation_id from conversations") == [("late",)]


def test_several_processes_write_at_the_same_time(stores: Stores, lake: Lake):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, lake.url, lake.data_path, str(stores.warehouse)]
            + [str(day) for day in chosen],
            cwd=REPOSITORY,
        )
        for chosen in (DAYS[0::3], DAYS[1::3], DAYS[2::3], DAYS[0::2])
    ]

    assert [writer.wait(100) for writer in writers] == [0] * 4
    found = rows(lake, "select conversation_id, count(*) from turns group by all order by 1")
    assert found == [(f"c{number}", 4) for number in range(len(DAYS))]


def test_words_of_a_deleted_conversation_are_in_no_file(tmp_path: Path, stores: Stores, lake: Lake):
    hold_call(stores.conversations, "secret", started_at=DAY, question="My code is PLUMTREE-77.")
    export_day(DAYS[0], stores.warehouse, **stores.both)
    write_day(lake, stores.warehouse, DAYS[0])
    assert rows(lake, "select count(*) from turns where text like '%PLUMTREE%'") == [(1,)]

    stores.conversations.delete("secret")
    export_day(DAYS[0], stores.warehouse, **stores.both)
    write_day(lake, stores.warehouse, DAYS[0])
    tidy(lake)

    files = [*Path(lake.data_path).rglob("*.parquet"), *tmp_path.glob("catalog.sqlite*")]
    assert rows(lake, "select count(*) from turns") == [(4,)]
    with closing(open_lake(lake)) as connection:
        for table in ("ducklake_table_column_stats", "ducklake_file_column_stats"):
            kept = connection.execute(f"from __ducklake_metadata_lake.{table}").fetchall()
            assert "PLUMTREE" not in str(kept)
    assert not [path.name for path in files if b"PLUMTREE" in path.read_bytes()]


def test_a_catalog_that_does_not_answer_is_named_without_its_password(tmp_path: Path):
    url = "ducklake:postgres:dbname=x host=127.0.0.1 port=9 user=viva password=hunter2"

    with pytest.raises(LakeError, match=r"password=\*\*\*\*' cannot be opened") as caught:
        open_lake(Lake(url, str(tmp_path)))

    assert "hunter2" not in str(caught.value)


def test_something_else_than_a_lake_is_refused(tmp_path: Path):
    with pytest.raises(LakeError, match="is no lake"):
        open_lake(Lake("duckdb:reports.duckdb", str(tmp_path)))
