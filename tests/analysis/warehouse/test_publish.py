import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.dictionary.tables import TABLES
from analysis.dictionary.views import VIEWS, agent_views
from analysis.errors import PublishError
from analysis.reports import open_reports
from analysis.warehouse.publish import days_to_export, export_documents, publish
from conversation.agent.config import AgentConfig, Criterion
from conversation.agent.language_config import OverridesSection
from conversation.session.overrides import SessionOverrides
from conversation.session.session import Session
from conversation.transcript import Transcript, Turn
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_document,
    a_value,
    a_verdict,
    export,
    export_day,
    hold_call,
    open_stores,
    refresh,
    save_answers,
)
from tests.fakes import ScriptedChatModel

FIRST, SECOND = date(2026, 3, 1), date(2026, 3, 2)


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as stores:
        yield stores


def ask(stores: Stores, sql: str) -> list[tuple[Any, ...]]:
    with open_reports(stores.reports) as reports:
        return reports.execute(sql).fetchall()


def ask_rows(stores: Stores, sql: str) -> list[dict[str, Any]]:
    with open_reports(stores.reports) as reports:
        found = reports.execute(sql)
        names = [column[0] for column in found.description or ()]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


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


def test_success_rates_state_their_denominators(stores: Stores):
    verdicts = ["success"] * 6 + ["failure"] * 2 + ["unknown", None]
    for number, verdict in enumerate(verdicts):
        conversation_id = f"c{number}"
        hold_call(stores.conversations, conversation_id)
        error = None if verdict else "No JSON."
        save_answers(
            stores.evaluations, conversation_id, a_verdict(conversation_id, verdict, error=error)
        )
    refresh(stores)

    [row] = ask_rows(stores, "from success_rates")
    assert {key: row[key] for key in ("successes", "failures", "unknown", "errors")} == {
        "successes": 6,
        "failures": 2,
        "unknown": 1,
        "errors": 1,
    }
    assert (row["n_judged"], row["rate"]) == (8, 0.75)
    # By hand: z = 1.96, n = 8, p = .75 -> (.75 + .2401 -+ 1.96 sqrt(.0234 + .0150)) / 1.4802
    assert row["rate_low"] == pytest.approx(0.409, abs=0.001)
    assert row["rate_high"] == pytest.approx(0.929, abs=0.001)


def test_rates_of_nothing_are_null_not_zero(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "unknown"))
    refresh(stores)
    [row] = ask_rows(stores, "from success_rates")
    assert (row["n_judged"], row["rate"], row["rate_low"], row["rate_high"]) == (
        0,
        None,
        None,
        None,
    )


def test_the_latest_answer_is_in_force_and_history_stays(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure", criterion_version="old"))
    save_answers(stores.evaluations, "c1", a_verdict("c1", "success"))
    save_answers(stores.evaluations, "c1", a_verdict("c1", "unknown", sample=1))
    refresh(stores)
    assert ask(stores, "select verdict, is_current from evaluations order by evaluation_id") == [
        ("failure", False),
        ("success", True),
        ("unknown", False),
    ]
    assert ask(stores, "select handled_inquiry from agent_shop_desk") == [("success",)]


def test_wide_views_have_real_types_and_names_that_do_not_collide(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1"),
        a_value("c1", "conversation_topic", "user's account"),
        a_value("c1", "order.items", 12),
        a_value("c1", "amount", 12.5),
        a_value("c1", "urgent", False),
        a_value("c1", "polite", "very", status="unsupported"),
        a_value("c1", "status", "shipped"),
    )
    refresh(stores)
    [row] = ask_rows(stores, "from agent_shop_desk")
    assert row["conversation_topic"] == "user's account"
    assert row["order_items"] == 12
    assert row["amount"] == 12.5
    assert row["urgent"] is False
    assert row["polite"] is None, "the criterion, which was not judged"
    assert row["field_polite"] is None, "not supported by what was said"
    assert (row["status"], row["field_status"]) == ("done", "shipped")
    types = {name: kind for name, kind, *_ in ask(stores, "describe agent_shop_desk")}
    assert types["conversation_topic"] == "ENUM('refund', 'delivery', 'user''s account')"


def test_agents_whose_views_would_share_a_name_are_told_apart(stores: Stores):
    agents = [AgentConfig(agent_id=name, name=name) for name in ("a_b", "a-b")]
    assert [view.name for view in agent_views(agents)] == ["agent_a_b", "agent_a_b_2"]
    refresh(stores, *agents)


def test_a_criterion_may_be_called_like_an_sql_word(stores: Stores):
    agent = AgentConfig(
        agent_id="select", name="S", criteria=(Criterion(criterion_id="order", prompt="\"x'y"),)
    )
    refresh(stores, agent)
    assert ask(stores, 'select "order" from agent_select') == []


def test_samples_tell_how_steady_a_judge_is(stores: Stores):
    for conversation_id, again in (("c1", "success"), ("c2", "failure")):
        hold_call(stores.conversations, conversation_id)
        save_answers(
            stores.evaluations,
            conversation_id,
            a_verdict(conversation_id),
            a_verdict(conversation_id, again, sample=1),
        )
    hold_call(stores.conversations, "once")
    save_answers(stores.evaluations, "once", a_verdict("once"))
    refresh(stores)
    assert ask(
        stores, "select conversations, mean_samples, flipping, flip_rate from judge_stability"
    ) == [(2, 2.0, 1, 0.5)]


def test_flagged_conversations_come_with_words(stores: Stores):
    for conversation_id in ("c1", "c2", "c3"):
        hold_call(stores.conversations, conversation_id)
    hold_call(stores.conversations, "c4", status="failed")
    save_answers(stores.evaluations, "c1", a_verdict("c1", "failure"), summary="It failed.")
    save_answers(stores.evaluations, "c2", a_verdict("c2", None, error="Timeout."))
    save_answers(stores.evaluations, "c3", a_verdict("c3", "success"))
    refresh(stores)
    found = ask(
        stores,
        "select conversation_id, reason, quote, turn_index, rationale, summary "
        "from flagged_conversations order by 1",
    )
    assert found == [
        ("c1", "criterion_failed", "five days", 2, "Because of what was said.", "It failed."),
        ("c2", "judge_failed", None, None, "Timeout.", None),
        ("c4", "conversation_failed", None, None, "user_ended", None),
    ]


def test_topics_count_only_what_the_words_support(stores: Stores):
    answers = [("refund", "supported"), ("refund", "supported"), ("delivery", "unsupported")]
    for number, (topic, status) in enumerate(answers):
        conversation_id = f"c{number}"
        hold_call(stores.conversations, conversation_id)
        save_answers(
            stores.evaluations,
            conversation_id,
            a_value(conversation_id, "conversation_topic", topic, status=status),
            a_verdict(conversation_id, "failure" if number == 0 else "success"),
        )
    refresh(stores)
    assert ask(
        stores, "select topic, conversations, share, flagged, flagged_share from topics"
    ) == [("refund", 2, 1.0, 1, 0.5)]


def test_a_customer_is_found_by_what_the_session_was_given(stores: Stores):
    config = AgentConfig(
        agent_id="shop-desk",
        name="Shop desk",
        overrides=OverridesSection(temperature=True),
    )
    session = Session.start(
        config,
        store=stores.conversations,
        chat_model=ScriptedChatModel("Hello."),
        variables={"customer": "c-17", "größe": 44, "vip": True, "secret__token": "hush"},
        overrides=SessionOverrides(temperature=0.5),
        clock=lambda: DAY,
    )
    list(session.reply("Hi"))
    session.end()
    hold_call(stores.conversations, "c1")
    refresh(stores)

    assert ask(stores, "select kind, name, value from session_variables order by 1, 2") == [
        ("override", "temperature", "0.5"),
        ("variable", "customer", "c-17"),
        ("variable", "größe", "44"),
        ("variable", "vip", "true"),
    ]
    stored = stores.conversations.transcript(session.conversation_id)
    assert stored.variables == {"customer": "c-17", "größe": 44, "vip": True}
    assert stored.overrides == {"temperature": 0.5}
    assert "hush" not in str(stores.conversations.events(session.conversation_id))


def test_cost_and_latency_add_up(stores: Stores):
    for conversation_id in ("c1", "c2"):
        hold_call(stores.conversations, conversation_id)
        save_answers(stores.evaluations, conversation_id, a_verdict(conversation_id))
    refresh(stores)
    assert ask(
        stores, "select activity, model, calls, cost_usd from costs_by_model order by 1"
    ) == [("analysis", "scripted/judge", 6, 2.0), ("conversation", "scripted/llm", 2, 0.5)]
    assert ask(stores, "select step, n, p50_ms from latency order by 1") == [
        ("request_to_first_token", 2, 400.0),
        ("request_to_last_token", 2, 900.0),
    ]
    [day] = ask_rows(stores, "from daily_report")
    assert (day["conversations"], day["successes"], day["rate"], day["cost_usd"]) == (
        2,
        2,
        1.0,
        2.5,
    )


def test_lineage_goes_from_the_answer_to_the_source(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1"),
        a_value("c1", "conversation_topic", "refund"),
        a_value("c1", "amount", None),
    )
    documents = [a_document(version=1, source="old.md"), a_document(version=2)]
    assert export_documents(stores.warehouse, AGENT.agent_id, documents) == 2
    refresh(stores)
    found = ask(
        stores,
        "select kind, question_id, answer, turn_index, quote, answering_turn_index, chunk_id, "
        "document_version, source from lineage order by 1, 2",
    )
    origin = ("chunk-7", 2, "refunds.md")
    assert found == [
        ("criterion", "handled_inquiry", "success", 2, "five days", 2, *origin),
        ("field", "amount", None, None, None, None, None, None, None),
        ("field", "conversation_topic", "refund", 1, "refunds", 2, *origin),
    ]


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
