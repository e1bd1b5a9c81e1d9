"""Scores, days, lists and objects on their way to SQL: each arrives with its own type."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from analysis.query.lineage import why
from analysis.reports import open_reports
from analysis.results import AnalysisResult, CollectedValue, Evaluation
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import Criterion, FieldPart, Scale, ValueShape
from tests.analysis.calls import AGENT, DAY, JUDGE, SHA, Stores, hold_call, open_stores, refresh

KEY = {
    "conversation_id": "c1",
    "judge_model": JUDGE,
    "judge_prompt_version": "p1",
    "transcript_sha256": SHA,
    "evaluated_at": DAY,
}
EFFORT = Criterion(criterion_id="effort", prompt="Little effort.", scale=Scale(min=1, max=5))
FIELDS = (
    DataCollectionField(field_id="due", type="date", description="The day."),
    DataCollectionField(field_id="moment", type="datetime", description="The moment."),
    DataCollectionField(
        field_id="colours",
        type="list",
        description="Colours.",
        items=ValueShape(enum=("red", "it's blue")),
    ),
    DataCollectionField(
        field_id="order",
        type="object",
        description="The order.",
        parts=(
            FieldPart(name="product"),
            FieldPart(name="count", type="integer"),
            FieldPart(name="due", type="date"),
        ),
    ),
)
VALUES: dict[str, Any] = {
    "due": "2026-03-01",
    "moment": "2026-03-01T15:30:00",
    "colours": ["red", "it's blue"],
    "order": {"product": 'a "big", red lamp', "count": 2},
}
TYPED = AGENT.model_copy(update={"criteria": (EFFORT,), "data_collection": FIELDS})


@pytest.fixture
def stores(tmp_path: Path):
    with open_stores(tmp_path) as stores:
        hold_call(stores.conversations, "c1")
        evaluation = Evaluation.model_validate(
            {
                **KEY,
                "criterion_id": "effort",
                "criterion_version": EFFORT.version,
                "verdict": None,
                "score": 3.5,
                "agreement": 0.75,
            }
        )
        values = tuple(
            CollectedValue.model_validate(
                {
                    **KEY,
                    "field_id": field.field_id,
                    "field_version": field.version,
                    "value": VALUES[field.field_id],
                    "status": "supported",
                }
            )
            for field in FIELDS
        )
        stores.evaluations.save(
            AnalysisResult(conversation_id="c1", evaluations=(evaluation,), collected=values),
            transcript_sha256=SHA,
            judge_model=JUDGE,
            judge_prompt_version="p1",
            now=DAY,
        )
        refresh(stores, TYPED)
        yield stores


def test_every_answer_has_its_own_type_in_the_view_of_its_agent(stores: Stores):
    with open_reports(stores.reports) as connection:
        row = connection.sql(
            'select effort, due, moment, colours, "order" from agent_shop_desk'
        ).fetchone()

    assert row is not None
    effort, due, moment, colours, order = row
    assert (effort, due) == (3.5, date(2026, 3, 1))
    assert moment.isoformat() == "2026-03-01T15:30:00"
    assert colours == ["red", "it's blue"]
    assert order == {"product": 'a "big", red lamp', "count": 2, "due": None}


def test_a_score_is_no_verdict_and_no_error(stores: Stores):
    with open_reports(stores.reports) as connection:
        rates = connection.sql("select * from success_rates where errors > 0").fetchall()
        kept = connection.sql("select verdict, score, agreement, error from evaluations").fetchall()
        effort = why(connection, "c1", "effort")

    assert rates == []
    assert kept == [(None, 3.5, 0.75, None)]
    assert effort.answer == "3.5"


def test_what_is_stored_comes_back_as_it_was(stores: Stores):
    latest = stores.evaluations.latest_collected_values("c1")

    assert {field_id: value.value for field_id, value in latest.items()} == VALUES
    assert stores.evaluations.latest_evaluations("c1")["effort"].score == 3.5
