from pathlib import Path

import pytest

from analysis.errors import LabelError
from analysis.labels.agreement import agreement_rows, conversations_to_label, majority, read_labels
from analysis.report.text import render_report, report_as_text
from analysis.reports import open_reports
from analysis.results import Label
from tests.analysis.calls import (
    DAY,
    Stores,
    a_verdict,
    hold_call,
    refresh,
    save_answers,
)


def a_label(conversation_id: str, verdict: str = "success", annotator: str = "ann") -> Label:
    return Label.model_validate(
        {
            "conversation_id": conversation_id,
            "criterion_id": "handled_inquiry",
            "verdict": verdict,
            "annotator": annotator,
        }
    )


def judge(stores: Stores, *verdicts: str) -> None:
    for number, verdict in enumerate(verdicts):
        hold_call(stores.conversations, f"c{number}")
        save_answers(stores.evaluations, f"c{number}", a_verdict(f"c{number}", verdict))


def test_labels_are_read_from_csv(tmp_path: Path):
    path = tmp_path / "labels.csv"
    path.write_text(
        "\ufeffannotator,conversation_id,criterion_id,verdict,colour,note\n"
        'ann,c1,polite,success,red,"said ""thanks"""\n'
        "bob, c1 ,polite,unknown,,\n",
        "utf-8",
    )
    first, second = read_labels(path)
    assert (first.annotator, first.verdict, first.note) == ("ann", "success", 'said "thanks"')
    assert (second.conversation_id, second.note) == ("c1", None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n", "no column 'conversation_id'"),
        ("", "no column 'conversation_id'"),
        ("conversation_id,criterion_id,verdict,annotator\nc1,polite,good,ann\n", "line 2"),
        ("conversation_id,criterion_id,verdict,annotator\nc1,polite,success\n", "'annotator' is"),
        ("\udcff", "cannot be read"),
    ],
)
def test_csv_that_cannot_be_used_names_line_and_remedy(tmp_path: Path, text: str, message: str):
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(LabelError, match=message):
        read_labels(path)


def test_a_person_who_decides_again_replaces_their_own_label_only(stores: Stores):
    stores.evaluations.add_labels([a_label("c1"), a_label("c1", annotator="bob")], now=DAY)
    stores.evaluations.add_labels([a_label("c1", "failure")], now=DAY)
    found = stores.evaluations.labels(["c1"])
    assert {row["annotator"]: row["verdict"] for row in found} == {
        "ann": "failure",
        "bob": "success",
    }


def test_the_majority_decides_and_a_tie_does_not():
    assert majority(["success", "failure", "success"]) == "success"
    assert majority(["success", "failure"]) is None
    assert majority([]) is None


def test_labels_reach_the_reports_with_agreement_and_a_corrected_rate(stores: Stores):
    judge(stores, *["success"] * 16, *["failure"] * 6)
    labels = [a_label(f"c{n}", "success" if n < 12 else "failure") for n in range(22)]
    stores.evaluations.add_labels([*labels, a_label("c0", annotator="bob")], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        [row] = agreement_rows(connection)
        assert (row.judged, row.agreement.n_labels, row.annotators) == (22, 22, 2)
        assert row.annotator_agreement == 1.0
        assert row.agreement.agreement == pytest.approx(18 / 22)
        corrected = connection.execute(
            "select rate, corrected_rate, corrected_low, corrected_high, labels_missing "
            "from success_rates_corrected"
        ).fetchall()
        text = report_as_text(render_report(connection), with_sql=False)
        assert "Judge against people" in text
    [(rate, point, low, high, missing)] = corrected
    assert rate == pytest.approx(16 / 22)
    assert low < point < high < rate + 0.2
    assert point == pytest.approx(12 / 22, abs=0.03)
    assert missing == 0


def test_too_few_labels_give_no_corrected_rate(stores: Stores):
    judge(stores, "success", "failure")
    stores.evaluations.add_labels([a_label("c0")], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        assert connection.execute(
            "select corrected_rate, n_labels, labels_missing from success_rates_corrected"
        ).fetchall() == [(None, 1, 19)]


def test_labelled_conversations_are_not_asked_for_again(stores: Stores):
    judge(stores, *["success"] * 6, *["failure"] * 4)
    stores.evaluations.add_labels([a_label("c0"), a_label("c9", "failure")], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        found = conversations_to_label(connection, "handled_inquiry", limit=5)
        assert len(set(found)) == 5
        assert not {"c0", "c9"} & set(found)
        everything = conversations_to_label(connection, "handled_inquiry", limit=50)
        assert sorted(everything) == [f"c{n}" for n in range(1, 9)]
        assert conversations_to_label(connection, "no such criterion") == []
