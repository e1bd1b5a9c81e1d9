"""Which days are exported, and what an export leaves behind."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from analysis.errors import PublishError
from analysis.warehouse.publish import days_to_export, publish
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_value,
    a_verdict,
    export,
    export_day,
    hold_call,
    refresh,
    save_answers,
)
from tests.analysis.warehouse.asked import FIRST, SECOND, ask


def test_only_days_that_changed_are_exported(stores: Stores):
    assert days_to_export(stores.warehouse, **stores.both) == []
    hold_call(stores.conversations, "c1")
    hold_call(stores.conversations, "c2", started_at=DAY + timedelta(days=1))
    assert days_to_export(stores.warehouse, **stores.both) == [FIRST, SECOND]
    export(stores)
    assert days_to_export(stores.warehouse, **stores.both) == []

    hold_call(stores.conversations, "late", started_at=DAY + timedelta(hours=1))
    assert days_to_export(stores.warehouse, **stores.both) == [FIRST]
    export(stores)
    save_answers(stores.evaluations, "c2", a_verdict("c2"))
    assert days_to_export(stores.warehouse, **stores.both) == [SECOND]
    refresh(stores)
    assert ask(stores, "select day, count(*) from conversations group by 1 order by 1") == [
        (FIRST, 2),
        (SECOND, 1),
    ]


def test_a_conversation_belongs_to_the_day_it_ended_on(stores: Stores):
    hold_call(stores.conversations, "c1", started_at=DAY.replace(hour=23, minute=59, second=55))
    assert days_to_export(stores.warehouse, **stores.both) == [SECOND]


def test_conversations_in_progress_wait(stores: Stores):
    stores.conversations.begin("c1", agent_id="shop-desk", started_at=DAY)
    assert days_to_export(stores.warehouse, **stores.both) == []


def test_deleted_conversations_leave_the_warehouse_and_the_reports(stores: Stores):
    hold_call(stores.conversations, "c1", question="My secret is mauve.")
    hold_call(stores.conversations, "c2", started_at=DAY + timedelta(days=1))
    refresh(stores)
    stores.conversations.delete("c1")
    stores.evaluations.forget("c1")
    assert days_to_export(stores.warehouse, **stores.both) == [FIRST]
    refresh(stores)
    assert days_to_export(stores.warehouse, **stores.both) == []
    assert ask(stores, "select conversation_id from conversations") == [("c2",)]
    assert list(stores.warehouse.glob("*/day=2026-03-01/*.parquet")) == []


def test_what_a_killed_export_left_is_removed(stores: Stores):
    left = stores.warehouse / ".staging-2026-01-01"
    left.mkdir(parents=True)
    (left / "turns.jsonl").write_text("My secret is mauve.")
    refresh(stores)
    assert not left.exists()


def test_exporting_a_day_again_changes_nothing(stores: Stores):
    hold_call(stores.conversations, "c1")
    first = export_day(FIRST, stores.warehouse, **stores.both)
    assert export_day(FIRST, stores.warehouse, **stores.both) == first
    publish(stores.warehouse, stores.reports, [AGENT])
    assert ask(stores, "select count(*) from turns") == [(4,)]


def test_words_that_databases_choke_on_are_kept_as_far_as_they_can_be(stores: Stores):
    words = 'It\'s "quoted" \\ \n new line \x00 \ud800 \U0001f600 ♥ {json} [1]'
    stores.conversations.import_transcript(
        Transcript(
            conversation_id="c1",
            agent_id="shop-desk",
            turns=(Turn(role="user", text=words.replace("\ud800", "")),),
            started_at=DAY,
            ended_at=DAY,
            metadata={"a'b": 'c"d'},
        )
    )
    save_answers(
        stores.evaluations, "c1", a_value("c1", "polite", "a\x00b\ud83db"), summary="x" * 100_000
    )
    refresh(stores)
    assert ask(stores, "select text from turns") == [
        ('It\'s "quoted" \\ \n new line   \U0001f600 ♥ {json} [1]',)
    ]
    assert ask(stores, "select value from collected_values") == [("ab?b",)]
    assert ask(stores, "select len(summary), metadata from conversations") == [
        (100_000, {"a'b": 'c"d'})
    ]


def test_one_unreadable_conversation_does_not_lose_the_day(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
):
    hold_call(stores.conversations, "c1")
    hold_call(stores.conversations, "c2")
    with stores.conversations.engine.begin() as connection:
        connection.exec_driver_sql("update turns set role = 'ghost' where conversation_id = 'c1'")
    exported = export_day(FIRST, stores.warehouse, **stores.both)
    assert exported.failed == ("c1",)
    assert exported.row_counts["conversations"] == 1


def test_a_file_that_cannot_be_read_names_itself_and_leaves_the_reports(stores: Stores):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    broken = stores.warehouse / "turns" / "day=2026-03-01" / "part.parquet"
    broken.write_bytes(b"PAR1 not a parquet file PAR1")
    with pytest.raises(PublishError, match=r"part\.parquet"):
        publish(stores.warehouse, stores.reports, [AGENT])
    assert ask(stores, "select count(*) from turns") == [(4,)]

    (stores.warehouse / "days" / "2026-03-01.json").write_text("{")
    refresh(stores)
    assert ask(stores, "select count(*) from turns") == [(4,)]


def test_files_of_an_older_dictionary_are_read_and_then_replaced(stores: Stores):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    path = stores.warehouse / "turns" / "day=2026-03-01" / "part.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"copy (select * exclude (word_count), 1 as dropped from '{path}') to '{path}.new' "
            "(format parquet)"
        )
    Path(f"{path}.new").replace(path)
    publish(stores.warehouse, stores.reports, [AGENT])
    assert ask(stores, "select distinct word_count from turns") == [(None,)]


_EXPORT = """
import sys
from datetime import date
from pathlib import Path
from analysis.warehouse import publish as warehouse
from analysis.store.store import AnalysisStore
from conversation.store.store import ConversationStore

def stop(*_):
    print("ready", flush=True)
    sys.stdin.read()

warehouse.remember_day = stop
url, folder = sys.argv[1:]
with ConversationStore.open(url) as conversations, AnalysisStore.open(url) as evaluations:
    days = [date(2026, 3, 1)]
    list(
        warehouse.export_days(
            days, Path(folder), conversations=conversations, evaluations=evaluations
        )
    )
"""


@pytest.mark.slow
def test_an_export_that_is_killed_is_done_again(stores: Stores, tmp_path: Path):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    hold_call(stores.conversations, "c2")
    url = f"sqlite:///{tmp_path / 'store.sqlite'}"
    with subprocess.Popen(
        [sys.executable, "-c", _EXPORT, url, str(stores.warehouse)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.kill()
    assert said == b"ready\n"

    assert days_to_export(stores.warehouse, **stores.both) == [FIRST]
    refresh(stores)
    assert ask(stores, "select count(*) from conversations") == [(2,)]


def test_the_exported_day_is_noted_last(stores: Stores):
    hold_call(stores.conversations, "c1")
    export_day(FIRST, stores.warehouse, **stores.both)
    noted = stores.warehouse / "days" / "2026-03-01.json"
    assert set(json.loads(noted.read_text())) == {"fingerprint"}
    parts = list(stores.warehouse.glob("*/day=*/part.parquet"))
    assert all(os.stat(part).st_mtime_ns <= os.stat(noted).st_mtime_ns for part in parts)  # noqa: PTH116


def test_days_of_another_dictionary_are_exported_again(
    stores: Stores, monkeypatch: pytest.MonkeyPatch
):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    assert days_to_export(stores.warehouse, **stores.both) == []

    monkeypatch.setattr("analysis.warehouse.files.dictionary_version", lambda: "another")

    assert days_to_export(stores.warehouse, **stores.both) == [FIRST]
