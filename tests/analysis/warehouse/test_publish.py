import subprocess
import sys
import time

import pytest

from analysis.dictionary.tables import TABLES
from analysis.dictionary.views import VIEWS, agent_views
from analysis.reports import open_reports
from analysis.warehouse.publish import export_documents
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_document,
    a_value,
    a_verdict,
    export_day,
    hold_call,
    refresh,
    save_answers,
)
from tests.analysis.warehouse.asked import FIRST, ask


def test_a_verdict_that_contradicted_its_reason_says_so(stores: Stores):
    for name, contradiction in (("c1", "resolved"), ("c2", "unresolved"), ("c3", None)):
        hold_call(stores.conversations, name)
        verdict = a_verdict(name).model_copy(update={"contradiction": contradiction})
        save_answers(stores.evaluations, name, verdict)
    refresh(stores)

    rows = "select conversation_id, contradiction from evaluations order by all"
    assert ask(stores, rows) == [("c1", "resolved"), ("c2", "unresolved"), ("c3", None)]


def test_a_conversation_reaches_every_table(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1"),
        a_value("c1", "conversation_topic", "refund"),
        summary="A refund.",
    )
    stores.evaluations.remember_questions(AGENT, DAY)
    refresh(stores)

    counts = {
        table.name: ask(stores, f"select count(*) from {table.name}")[0][0] for table in TABLES
    }
    assert counts == {
        "conversations": 1,
        "turns": 4,
        "retrievals": 1,
        "evaluations": 1,
        "collected_values": 1,
        "call_metrics": 1,
        "usage": 2,
        "tool_calls": 0,
        "feedback": 0,
        "labels": 0,
        "documents": 0,
        "question_versions": 8,
        "judge_agreement": 1,
        "conversation_topics": 0,
        "gap_states": 0,
        "gap_questions": 0,
        "gap_history": 0,
    }
    assert ask(stores, "select day, duration_s, summary from conversations") == [
        (FIRST, 10.0, "A refund.")
    ]
    assert ask(stores, "select turn_index, answering_turn_index from turns") == [
        (0, 0),
        (1, 2),
        (2, 2),
        (3, None),
    ]
    assert ask(stores, "select turn_index, cited, rank from retrievals") == [(2, True, 1)]
    assert ask(stores, "select evidence[1].quote, is_current from evaluations") == [
        ("five days", True)
    ]


def test_every_declared_type_and_column_is_what_the_file_has(stores: Stores):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    with open_reports(stores.reports) as reports:
        for thing in [*TABLES, *VIEWS, *agent_views([AGENT])]:
            declared = getattr(thing, "all_columns", thing.columns)
            described = reports.execute(f"DESCRIBE {thing.name}").fetchall()
            types = {row[0]: _plain(row[1]) for row in described}
            assert types == {c.name: _plain(c.type) for c in declared}, thing.name


def _plain(type_name: str) -> str:
    return type_name.replace('"', "")


def test_every_table_view_and_column_is_documented_in_the_file(stores: Stores):
    refresh(stores)
    undocumented = ask(
        stores,
        """
        select table_name, column_name from duckdb_columns()
        where database_name = 'reports' and coalesce(comment, '') = ''
        union all select table_name, '' from duckdb_tables()
        where database_name = 'reports' and coalesce(comment, '') = ''
        union all select view_name, '' from duckdb_views()
        where database_name = 'reports' and not internal and coalesce(comment, '') = ''
        """,
    )
    assert undocumented == []


def test_names_that_people_build_on_stay(stores: Stores):
    refresh(stores)
    names = {row[0] for row in ask(stores, "select name from (show tables)")}
    assert names == {
        *("conversations", "turns", "retrievals", "evaluations", "collected_values"),
        *("call_metrics", "usage", "labels", "documents", "question_versions"),
        *("tool_calls", "feedback"),
        *("success_rates", "criterion_trends", "latency", "costs_by_model", "topics"),
        *("session_variables", "users", "weekly_rates", "voice_turns"),
        *("judge_agreement", "success_rates_corrected", "judge_stability"),
        *("flagged_conversations", "value_counts", "lineage", "daily_report", "costs", "scores"),
        *("score_trends", "score_counts"),
        *("conversation_topics", "gap_states", "gap_questions", "gap_history"),
        *("knowledge_gaps", "gap_trends"),
        "agent_shop_desk",
    }


def test_reports_without_any_conversation_can_be_asked_anything(stores: Stores):
    refresh(stores)
    for thing in [*TABLES, *VIEWS, *agent_views([AGENT])]:
        assert ask(stores, f"from {thing.name}") == []


def test_versions_of_documents_stay_when_newer_ones_come(stores: Stores):
    export_documents(stores.warehouse, "a", [a_document(version=1)])
    export_documents(stores.warehouse, "a", [a_document(version=2)])
    export_documents(stores.warehouse, "b", [a_document(version=1)])
    refresh(stores)
    assert ask(stores, "select agent_id, version, updated_at from documents order by 1, 2") == [
        ("a", 1, DAY.replace(tzinfo=None)),
        ("a", 2, DAY.replace(tzinfo=None)),
        ("b", 1, DAY.replace(tzinfo=None)),
    ]


def test_open_readers_keep_their_view_and_new_ones_see_the_new_file(stores: Stores):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    with open_reports(stores.reports) as before:
        hold_call(stores.conversations, "c2")
        refresh(stores)
        assert before.sql("select count(*) from conversations").fetchall() == [(1,)]
        with open_reports(stores.reports) as after:
            assert after.sql("select count(*) from conversations").fetchall() == [(2,)]
            assert after.sql("from topics").fetchall() == []


_PUBLISH = """
import sys
from pathlib import Path
from analysis.warehouse import publish as warehouse
if {hang_before_rename}:
    def stop(path):
        print("ready", flush=True)
        sys.stdin.read()
    warehouse._flush = stop
else:
    print("ready", flush=True)
warehouse.publish(Path(sys.argv[1]), Path(sys.argv[2]), [])
"""


@pytest.mark.slow
@pytest.mark.parametrize("hang_before_rename", [True, False])
def test_a_publish_that_is_killed_leaves_the_reports_and_the_next_repairs(
    stores: Stores, hang_before_rename: bool
):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    hold_call(stores.conversations, "c2")
    export_day(FIRST, stores.warehouse, **stores.both)

    script = _PUBLISH.format(hang_before_rename=hang_before_rename)
    with subprocess.Popen(
        [sys.executable, "-c", script, str(stores.warehouse), str(stores.reports)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        time.sleep(0 if hang_before_rename else 0.05)
        process.kill()
    assert said == b"ready\n"

    assert ask(stores, "select count(*) from conversations")[0][0] in (1, 2)
    if hang_before_rename:
        assert stores.reports.with_name("reports.duckdb.next").exists()
        assert ask(stores, "select count(*) from conversations") == [(1,)]
    refresh(stores)
    assert ask(stores, "select count(*) from conversations") == [(2,)]
    assert not stores.reports.with_name("reports.duckdb.next").exists()
