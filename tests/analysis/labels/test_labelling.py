from pathlib import Path

import pytest

from analysis.errors import LabelError
from analysis.labels.agreement import conversations_to_label, read_labels, write_labels
from analysis.labels.calibration import calibrations, next_criterion
from analysis.labels.calibration_text import calibrations_as_text
from analysis.labels.labelling import LabellingSession, all_labels
from analysis.reports import open_reports
from analysis.results import Label
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_verdict,
    hold_call,
    refresh,
    save_answers,
)


def judge(stores: Stores, *verdicts: str, **changes: object) -> None:
    for number, verdict in enumerate(verdicts):
        if not changes:
            hold_call(stores.conversations, f"c{number}")
        confidence = 0.9 if verdict == "success" else 0.2
        save_answers(
            stores.evaluations,
            f"c{number}",
            a_verdict(f"c{number}", verdict, confidence=confidence, **changes),
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


def session(stores: Stores, *ids: str) -> LabellingSession:
    return LabellingSession(
        stores.evaluations,
        "handled_inquiry",
        annotator="ann",
        conversation_ids=ids,
        now=lambda: DAY,
    )


def test_answers_are_stored_at_once_and_the_judge_speaks_last(stores: Stores):
    judge(stores, "success", "failure")
    walk = session(stores, "c0", "c1")
    assert (walk.current, walk.position, walk.total) == ("c0", 1, 2)
    first = walk.answer("success", "clear")
    assert first.agrees is True
    assert [row["note"] for row in all_labels(stores.evaluations)] == ["clear"]
    assert walk.answer("success").agrees is False
    assert walk.current is None
    assert len(walk.answered) == 2


def test_an_answer_can_be_taken_back_and_a_skip_too(stores: Stores):
    judge(stores, "success", "failure", "success")
    walk = session(stores, "c0", "c1", "c2")
    walk.answer("success")
    walk.skip()
    assert walk.current == "c2"
    assert walk.undo() == "c1"
    assert walk.undo() == "c0"
    assert all_labels(stores.evaluations) == []
    assert walk.undo() is None
    walk.answer("unknown")
    assert [row["verdict"] for row in all_labels(stores.evaluations)] == ["unknown"]


def test_labels_go_out_and_come_back(stores: Stores, tmp_path: Path):
    stores.evaluations.add_labels(
        [a_label("c1"), a_label("c2", "failure", "bo").model_copy(update={"note": 'a "b", c'})],
        now=DAY,
    )
    path = tmp_path / "labels.csv"
    assert write_labels(all_labels(stores.evaluations), path) == 2
    back = read_labels(path)
    assert [(each.conversation_id, each.annotator, each.note) for each in back] == [
        ("c1", "ann", None),
        ("c2", "bo", 'a "b", c'),
    ]
    assert len(all_labels(stores.evaluations, annotator="bo")) == 1
    with pytest.raises(LabelError, match="cannot be written"):
        write_labels([], tmp_path / "none" / "labels.csv")


def test_a_second_opinion_is_asked_where_others_have_labelled(stores: Stores):
    judge(stores, *["success"] * 4)
    stores.evaluations.add_labels([a_label("c1"), a_label("c2", annotator="bo")], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        wanted = conversations_to_label(connection, "handled_inquiry", second_opinion_of="ann")
        assert wanted == ["c2"]
        assert sorted(conversations_to_label(connection, "handled_inquiry")) == ["c0", "c3"]


def test_calibration_knows_every_version_and_judge(stores: Stores):
    stores.evaluations.remember_questions(AGENT, DAY)
    judge(stores, *["success"] * 14, *["failure"] * 10)
    judge(stores, *["failure"] * 24, judge_model="other/judge")
    labels = [a_label(f"c{n}", "success" if n < 12 else "failure") for n in range(24)]
    twice = [a_label(f"c{n}", "success", "bo") for n in range(6)]
    stores.evaluations.add_labels([*labels, *twice], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        found = calibrations(connection, criterion_id="handled_inquiry")
        text = calibrations_as_text(found)
        assert next_criterion(connection) == "handled_inquiry"
        with pytest.raises(LabelError, match="Judged were 'handled_inquiry'"):
            calibrations(connection, criterion_id="nothing")
    by_judge = {each.judge.judge_model: each for each in found}
    assert set(by_judge) == {"scripted/judge", "other/judge"}
    ours = by_judge["scripted/judge"]
    assert ours.name == "handled_inquiry v1"
    assert ours.judged_rate == pytest.approx(14 / 24)
    assert ours.judge.agreement.agreement == pytest.approx(22 / 24)
    assert ours.threshold is not None
    assert ours.threshold.agreement_validated == pytest.approx(22 / 24)
    assert not ours.threshold.is_better
    assert ours.people.n_shared == 6
    assert by_judge["other/judge"].judge.agreement.agreement == pytest.approx(0.5)
    for part in (
        "judged        24 conversations, success rate 58.3 %",
        "labels        24 by 2 people",
        "agreement     91.7 %, kappa 0.83, sensitivity 1.00, specificity 0.83",
        "no reason to change it",
        "ann and bo: 6, agreement 100.0 %, kappa unknown",
    ):
        assert part in text, text


def test_with_few_labels_it_says_how_many_are_missing(stores: Stores):
    judge(stores, "success", "failure")
    stores.evaluations.add_labels([a_label("c0")], now=DAY)
    refresh(stores)
    with open_reports(stores.reports) as connection:
        text = calibrations_as_text(calibrations(connection))
    assert "not with under 20 labels: 19 more are needed" in text
    assert "handled_inquiry" in text


def test_without_verdicts_it_says_what_to_run(stores: Stores):
    refresh(stores)
    with open_reports(stores.reports) as connection:
        assert "vivavoce evaluate" in calibrations_as_text(calibrations(connection))
        with pytest.raises(LabelError, match="vivavoce evaluate"):
            next_criterion(connection)
