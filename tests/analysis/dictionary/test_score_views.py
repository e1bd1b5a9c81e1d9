"""Scored criteria in the published file: means, intervals, days and how scores lie."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from analysis.dictionary.score_views import student_quantile
from analysis.reports import open_reports
from conversation.agent.criteria import Criterion, Scale
from tests.analysis.calls import (
    AGENT,
    DAY,
    Stores,
    a_verdict,
    hold_call,
    open_stores,
    refresh,
    save_answers,
)

SPEED = Criterion(criterion_id="speed", prompt="How quickly?", scale=Scale(min=1, max=5))
WARMTH = Criterion(criterion_id="warmth", prompt="How warm?", scale=Scale(min=0, max=1.5))
SCORED = AGENT.model_copy(update={"criteria": (*AGENT.criteria, SPEED, WARMTH)})


@pytest.fixture
def stores(tmp_path: Path) -> Iterator[Stores]:
    with open_stores(tmp_path) as stores:
        stores.evaluations.remember_questions(SCORED, DAY)
        yield stores


def hold_scored(
    stores: Stores, scores: Sequence[float | None], criterion: Criterion = SPEED, *, day: int = 0
) -> None:
    """One conversation for each score; -1 stands for a judge that failed."""
    for number, score in enumerate(scores):
        conversation_id = f"{criterion.criterion_id}-{day}-{number}"
        hold_call(stores.conversations, conversation_id, started_at=DAY + timedelta(days=day))
        answer = a_verdict(conversation_id, None).model_copy(
            update={
                "criterion_id": criterion.criterion_id,
                "criterion_version": criterion.version,
                "score": None if score == -1 else score,
                "error": "it broke" if score == -1 else None,
            }
        )
        save_answers(stores.evaluations, conversation_id, answer)


def ask(stores: Stores, sql: str) -> list[tuple[Any, ...]]:
    refresh(stores, SCORED)
    with open_reports(stores.reports) as reports:
        return reports.execute(sql).fetchall()


@pytest.mark.parametrize(
    ("n", "quantile"),
    # As printed tables have it: two-sided 95 %, n - 1 degrees of freedom.
    [
        *((2, 12.706), (3, 4.303), (4, 3.182), (5, 2.776), (6, 2.571), (11, 2.228)),
        *((31, 2.042), (121, 1.980), (100_001, 1.960)),
    ],
)
def test_the_quantile_is_the_one_of_the_tables(n: int, quantile: float):
    sql = f"SELECT {student_quantile('n')} FROM (SELECT {n} AS n)"
    (found,) = duckdb.sql(sql).fetchone() or (None,)

    assert found == pytest.approx(quantile, rel=0.0015)


def test_the_mean_has_the_interval_that_a_hand_finds(stores: Stores):
    hold_scored(stores, [2, 3, 4, 3, 3, None, -1])
    rows = ask(
        stores,
        "SELECT scale_min, scale_max, n, mean, mean_low, mean_high, p50, unknown, errors "
        "FROM scores",
    )

    # Standard deviation sqrt(2 / 4), t(4) = 2.776445.
    margin = 2.776445 * 0.5**0.5 / 5**0.5
    assert rows == [
        (1, 5, 5, 3, pytest.approx(3 - margin), pytest.approx(3 + margin), 3, 1, 1),
    ]


def test_an_interval_stays_on_the_scale(stores: Stores):
    hold_scored(stores, [4, 5])

    assert ask(stores, "SELECT mean, mean_low, mean_high FROM scores") == [(4.5, 1.0, 5.0)]


@pytest.mark.parametrize("scores", [[4], [4, 4, 4]])
def test_equal_scores_tell_no_interval(stores: Stores, scores: list[float]):
    hold_scored(stores, scores)

    assert ask(stores, "SELECT n, mean_low, mean_high FROM scores") == [(len(scores), None, None)]


def test_each_day_has_a_mean_of_its_own(stores: Stores):
    hold_scored(stores, [1, 2])
    hold_scored(stores, [5, 5, -1], day=1)

    assert ask(stores, "SELECT day::VARCHAR, n, mean, errors FROM score_trends ORDER BY day") == [
        ("2026-03-01", 2, 1.5, 0),
        ("2026-03-02", 2, 5.0, 1),
    ]
    assert ask(stores, "SELECT scores, successes, errors FROM daily_report ORDER BY day") == [
        (2, 0, 0),
        (2, 0, 1),
    ]


def test_a_day_counts_verdicts_and_scores(stores: Stores):
    hold_scored(stores, [1, None])
    save_answers(stores.evaluations, "speed-0-0", a_verdict("speed-0-0", "unknown"))

    assert ask(stores, "SELECT conversations, scores, unknown FROM daily_report") == [(2, 1, 2)]


def test_every_whole_number_of_a_scale_is_counted(stores: Stores):
    hold_scored(stores, [1, 3, 3.4, 5, 3.5])

    assert ask(
        stores,
        "SELECT score_from, score_to, conversations FROM score_counts ORDER BY score_from",
    ) == [(1, 1, 1), (2, 2, 0), (3, 3, 2), (4, 4, 1), (5, 5, 1)]


def test_other_scales_have_ten_bins_and_the_last_has_both_ends(stores: Stores):
    hold_scored(stores, [0, 0.14, 0.16, 1.5], WARMTH)
    rows = ask(stores, "SELECT score_from, score_to, conversations FROM score_counts ORDER BY 1")

    assert [count for _, _, count in rows] == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
    assert [low for low, _, _ in rows] == pytest.approx([0.15 * bin for bin in range(10)])
    assert [high for _, high, _ in rows] == pytest.approx([0.15 * bin for bin in range(1, 11)])


def test_versions_of_a_question_are_never_mixed(stores: Stores):
    wider = SPEED.model_copy(update={"scale": Scale(min=0, max=100)})
    stores.evaluations.remember_questions(SCORED.model_copy(update={"criteria": (wider,)}), DAY)
    hold_scored(stores, [5, 4])
    hold_scored(stores, [80, 90], wider, day=1)

    assert ask(stores, "SELECT scale_max, mean FROM scores ORDER BY ALL") == [(5, 4.5), (100, 85)]
    bins = "SELECT count(*), sum(conversations)::INT FROM score_counts GROUP BY criterion_version"
    assert sorted(ask(stores, bins)) == [(5, 2), (10, 2)]
