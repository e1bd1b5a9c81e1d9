from collections.abc import Iterator
from datetime import timedelta

import duckdb
import pytest

from analysis.errors import ComparisonError
from analysis.labels.versions import compare_versions
from analysis.reports import open_reports
from conversation.agent.config import Criterion
from tests.analysis.calls import (
    AGENT,
    DAY,
    a_verdict,
    hold_call,
    open_stores,
    refresh,
    save_answers,
)

OLD = Criterion(criterion_id="handled_inquiry", prompt="The user got something.")


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Published once: the tests only read."""
    with open_stores(tmp_path_factory.mktemp("reports")) as stores:
        older = AGENT.model_copy(update={"criteria": (OLD,)})
        stores.evaluations.remember_questions(older, DAY)
        stores.evaluations.remember_questions(AGENT, DAY + timedelta(days=1))
        before = ["success", "success", "failure", "success"]
        after = ["success", "failure", "success", None]
        for number, (old, new) in enumerate(zip(before, after, strict=True)):
            conversation_id = f"c{number}"
            hold_call(stores.conversations, conversation_id)
            first = a_verdict(
                conversation_id, old, criterion_version=OLD.version, rationale=f"old {number}"
            )
            error = None if new else "Timeout."
            second = a_verdict(conversation_id, new, rationale=f"new {number}", error=error)
            save_answers(stores.evaluations, conversation_id, first)
            save_answers(stores.evaluations, conversation_id, second)
        refresh(stores)
        with open_reports(stores.reports) as connection:
            yield connection


def test_flips_come_with_both_rationales(reports: duckdb.DuckDBPyConnection):
    found = compare_versions(reports, "handled_inquiry", old="v1", new="v2")
    assert found.headline == "v1 -> v2: 2 of 3 conversations flip."
    assert found.old_question == OLD.prompt
    assert [(f.conversation_id, f.old_verdict, f.new_verdict) for f in found.flips] == [
        ("c1", "success", "failure"),
        ("c2", "failure", "success"),
    ]
    assert (found.flips[0].old_rationale, found.flips[0].new_rationale) == ("old 1", "new 1")


def test_versions_may_be_named_by_their_hash(reports: duckdb.DuckDBPyConnection):
    found = compare_versions(reports, "handled_inquiry", old=OLD.version[:6], new="v2")
    assert (found.old, found.compared) == ("v1", 3)


@pytest.mark.parametrize(
    ("criterion_id", "old", "message"),
    [
        ("handled", "v1", "The criteria are: 'handled_inquiry', 'polite'."),
        ("handled_inquiry", "v7", r"It has v1 \("),
        ("handled_inquiry", "", "names no single version"),
    ],
)
def test_unknown_versions_say_which_there_are(
    reports: duckdb.DuckDBPyConnection, criterion_id: str, old: str, message: str
):
    with pytest.raises(ComparisonError, match=message):
        compare_versions(reports, criterion_id, old=old, new="v2")
