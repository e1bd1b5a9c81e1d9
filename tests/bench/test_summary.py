"""What the bench says at its end."""

from pathlib import Path

import pytest

from tests.bench import __main__ as bench
from tests.bench import identifiers
from tests.bench.comparison import Measured, margins
from tests.bench.drawing import line_chart
from tests.bench.figures import Figure, mean_figure, record, recorded
from tests.bench.summary import (
    TARGETS,
    best_baseline,
    rows_of,
    summary,
    turn_overhead,
    with_margins,
)


@pytest.fixture(autouse=True)
def bench_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VIVAVOCE_BENCH_STORE", str(tmp_path))
    return tmp_path


def _figures(**values: float) -> dict[str, Figure]:
    return {name: Figure(name, value, 10) for name, value in values.items()}


def test_a_figure_is_met_missed_or_not_measured():
    at_least, at_most = TARGETS[0], next(each for each in TARGETS if not each.at_least)

    assert at_least.verdict({}) == "not measured"
    assert at_least.verdict({at_least.figure: Figure("", at_least.limit, 1)}) == "met"
    assert at_least.verdict({at_least.figure: Figure("", at_least.limit - 0.01, 1)}) == "MISSED"
    assert at_most.verdict({at_most.figure: Figure("", at_most.limit + 1, 1)}) == "MISSED"


def test_the_best_of_the_others_is_shown_with_its_name():
    figures = _figures(**{
        "mtrag/vivavoce/nDCG@10": 0.92,
        "mtrag/Chroma/nDCG@10": 0.7,
        "mtrag/Chroma +history/nDCG@10": 0.8,
        "mtrag/Chroma/MRR@10": 0.99,
        "xquad/Chroma/nDCG@10": 0.97,
    })  # fmt: skip

    assert best_baseline(figures, "mtrag/nDCG@10") == ("Chroma +history", 0.8)


def test_being_ahead_of_every_baseline_is_measured_against_the_best():
    figures = with_margins(_figures(**{
        "chunking_eval/vivavoce/IoU@4000": 0.06,
        "chunking_eval/Chroma/IoU@4000": 0.05,
        "chunking_eval/bm25s/IoU@4000": 0.07,
    }))  # fmt: skip

    assert figures["ahead/chunking_eval/IoU@4000"].value == pytest.approx(-0.01)


def test_a_margin_is_that_to_the_strongest_of_the_others_with_its_interval():
    rows = [
        Measured("vivavoce", {"nDCG@10": [1.0, 0.8, 0.9, 1.0]}),
        Measured("weak", {"nDCG@10": [0.0, 0.0, 0.0, 0.0]}),
        Measured("strong", {"nDCG@10": [0.9, 0.9, 0.9, 0.9]}),
    ]

    ahead, surely = margins("helpcentre", rows)

    assert ahead.name == "ahead/helpcentre/nDCG@10"
    assert ahead.value == pytest.approx(0.025)
    assert surely.name == "surely ahead/helpcentre/nDCG@10"
    assert surely.value == ahead.low
    assert ahead.low is not None
    assert ahead.low < 0 < ahead.value
    assert margins("helpcentre", rows[:1]) == []


def test_an_identifier_is_asked_for_as_people_write_it():
    asked = {each.name: dict(each.asked) for each in identifiers.sets()}

    assert {name: len(held) for name, held in asked.items()} == dict.fromkeys(
        ("article", "error code", "part", "telephone"), identifiers.ASKED
    )
    assert any("-" not in question for question in asked["part"])
    assert all("+49" not in question for question in asked["telephone"])


def test_the_summary_ends_with_what_is_missed_and_what_failed():
    text = summary({"retrieval/mtrag nDCG@10": Figure("", 0.91, 131)}, failed=["speed"])

    assert "Missed: MTRAG nDCG@10, own history." in text
    assert "tests.bench.judging star" in text
    assert text.endswith("Parts that failed: speed.\n")
    assert len(rows_of({})) == len(TARGETS) + 1


def test_figures_of_a_later_run_replace_those_of_the_same_name():
    record("retrieval", [Figure("a", 1.0, 1), Figure("b", 2.0, 1)])
    record("retrieval", [mean_figure("b", [1.0, 0.0])])

    assert {name: figure.value for name, figure in recorded().items()} == {"a": 1.0, "b": 0.5}
    assert recorded()["b"].measured_at


def test_turn_overhead_is_read_from_what_it_printed():
    printed = "one conversation at a time         n=500   p50    6.7 ms  p95   15.8 ms\n"

    assert [figure.value for figure in turn_overhead(printed)] == [6.7, 15.8]
    assert turn_overhead("something else") == []


def test_a_part_that_fails_is_named(capsys: pytest.CaptureFixture[str]):
    assert not bench.run_part("there_is_no_such_part", ())

    assert "FAILED" in capsys.readouterr().out


def test_unknown_parts_are_refused(capsys: pytest.CaptureFixture[str]):
    assert bench.main(["speeed"], quick=False) == 1

    assert "no such part: speeed" in capsys.readouterr().out


def test_every_planned_part_can_be_run():
    assert {*bench.FULL, *bench.QUICK} <= set(bench.runnable())


def test_a_chart_puts_powers_of_ten_at_equal_distances():
    drawn = line_chart(
        "Time", {"p95": [(1_000, 1), (10_000, 10), (100_000, 100)]}, x_label="x", y_label="y",
        limit=40.0,
    )  # fmt: skip

    line = next(part for part in drawn.splitlines() if part.startswith("<polyline"))
    points = [tuple(map(float, p.split(","))) for p in line.split('"')[1].split()]
    assert points[1][0] - points[0][0] == pytest.approx(points[2][0] - points[1][0])
    assert points[0][1] - points[1][1] == pytest.approx(points[1][1] - points[2][1])
    assert "target 40" in drawn


def test_a_chart_of_nothing_is_refused():
    with pytest.raises(ValueError, match="no points"):
        line_chart("Time", {"p95": [(1_000, 0)]}, x_label="x", y_label="y", limit=None)
