from collections.abc import Iterator

import duckdb
import pytest

from analysis.errors import LineageError
from analysis.query.lineage import why
from analysis.query.lineage_text import lineage_as_text
from analysis.reports import open_reports
from tests.analysis.calls import (
    AGENT,
    Stores,
    a_value,
    a_verdict,
    hold_call,
    hold_judged_calls,
    open_stores,
    refresh,
    save_answers,
)


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Published once: the tests that take them only read."""
    with open_stores(tmp_path_factory.mktemp("reports")) as stores:
        hold_judged_calls(stores)
        refresh(stores)
        with open_reports(stores.reports) as connection:
            yield connection


def test_every_cell_of_the_report_leads_to_words_and_documents(
    reports: duckdb.DuckDBPyConnection,
):
    cells = reports.execute(
        "select conversation_id, criterion_id, verdict::varchar from evaluations where is_current "
        "union all select conversation_id, field_id, value from collected_values where is_current"
    ).fetchall()
    assert len(cells) == 7
    for conversation_id, name, answer in cells:
        lineage = why(reports, conversation_id, name)
        assert (lineage.answer, lineage.question_id) == (answer, name)
        assert lineage.question, "the words that were asked"
        for quote in lineage.quotes:
            assert quote.quote in quote.turn_text
            assert [passage.source for passage in quote.passages] == ["refunds.md"]
        said = reports.execute(
            "select count(quote) from lineage where conversation_id = ? and question_id = ?",
            [conversation_id, name],
        ).fetchone()
        assert said == (len(lineage.quotes),), "the view and the function agree"


def test_the_tree_reads_from_the_answer_to_the_source(reports: duckdb.DuckDBPyConnection):
    text = lineage_as_text(why(reports, "c1", "handled_inquiry"), width=160)
    assert text == (
        "handled_inquiry = success, conversation c1, agent shop-desk\n"
        f"├── criterion v1 ({AGENT.criteria[0].version}): The user got an answer.\n"
        "├── judge scripted/judge, prompt p1, 2026-03-01 10:00 UTC, probability of success 0.90, "
        "50 + 5 tokens, $0.5000, transcript aaaaaaaaaaaa\n"
        "├── because: Because of what was said.\n"
        "└── turn 2, agent: Refunds take five days.\n"
        "    ├── quoted: five days\n"
        "    └── passage 1 for turn 2, score 0.800, cited; query: How long do refunds take?\n"
        "        └── chunk chunk-7, characters 100-140: Refunds are paid within five days.\n"
        "            └── Refund policy, version 2 (doc-1)\n"
        "                └── refunds.md\n"
    )


def test_a_user_turn_leads_to_the_passages_of_its_answer(reports: duckdb.DuckDBPyConnection):
    [quote] = why(reports, "c1", "conversation_topic").quotes
    assert (quote.turn_index, quote.role, quote.answering_turn_index) == (1, "user", 2)
    assert quote.passages[0].chunk_id == "chunk-7"


def test_answers_without_words_say_so(reports: duckdb.DuckDBPyConnection):
    assert "no words of the conversation stand behind it" in lineage_as_text(
        why(reports, "c1", "amount")
    )
    failed = lineage_as_text(why(reports, "c3", "handled_inquiry"))
    assert "handled_inquiry = no answer" in failed
    assert "failed: ModelOutputError: no" in failed
    assert "rejected, nobody said it there: never said" in lineage_as_text(
        why(reports, "c2", "handled_inquiry")
    )


def test_a_passage_whose_document_was_not_exported_says_what_to_run(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(stores.evaluations, "c1", a_verdict("c1", criterion_version="old"))
    save_answers(stores.evaluations, "c1", a_verdict("c1"))
    refresh(stores)
    with open_reports(stores.reports) as connection:
        text = lineage_as_text(why(connection, "c1", "handled_inquiry"), width=200)
    assert "vivavoce ingest" in text
    assert "1 older answers kept" in text


@pytest.mark.parametrize(
    ("conversation_id", "name", "message"),
    [
        ("c1", "handled_inquirry", "Did you mean 'handled_inquiry'?"),
        ("c1", "zzz", "It has 'amount', 'conversation_topic', 'handled_inquiry', 'polite'."),
        ("c9", "polite", "The nearest are 'c"),
    ],
)
def test_unknown_names_give_the_nearest(
    reports: duckdb.DuckDBPyConnection, conversation_id: str, name: str, message: str
):
    with pytest.raises(LineageError) as raised:
        why(reports, conversation_id, name)
    assert message in str(raised.value)


def test_a_criterion_and_a_field_of_the_same_name_are_told_apart(stores: Stores):
    hold_call(stores.conversations, "c1")
    save_answers(
        stores.evaluations,
        "c1",
        a_verdict("c1", criterion_id="polite"),
        a_value("c1", "polite", "very"),
    )
    refresh(stores)
    with open_reports(stores.reports) as connection:
        assert why(connection, "c1", "polite").kind == "criterion"
        assert why(connection, "c1", "criterion:polite").answer == "success"
        assert why(connection, "c1", "field:polite").answer == "very"
        with pytest.raises(LineageError):
            why(connection, "c1", "turn:polite")


def test_a_conversation_that_was_not_judged_says_what_to_run(stores: Stores):
    hold_call(stores.conversations, "c1")
    refresh(stores)
    with (
        open_reports(stores.reports) as connection,
        pytest.raises(LineageError, match="vivavoce evaluate"),
    ):
        why(connection, "c1", "polite")


def test_what_was_said_does_not_steer_the_terminal(stores: Stores):
    hold_call(stores.conversations, "c1", answer="\x1b[2J five days [red]")
    save_answers(stores.evaluations, "c1", a_verdict("c1"))
    refresh(stores)
    with open_reports(stores.reports) as connection:
        text = lineage_as_text(why(connection, "c1", "handled_inquiry"))
    assert "\x1b" not in text
    assert "[red]" in text
