"""Days, lists and objects are collected typed, and checked value by value."""

import json
from datetime import UTC, date, datetime
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.evaluation.analyse import analyse_transcript
from analysis.fields.claims import CheckedClaim
from analysis.fields.data_collection import collect_fields
from analysis.judge.answer_forms import value_schema
from analysis.judge.asking import Meter, answer_question
from analysis.judge.windows import transcript_windows
from conversation.agent.config import DataCollectionField
from conversation.agent.criteria import FieldPart, JudgeVariant, ValueShape
from conversation.transcript import Transcript, Turn
from tests.fakes import ScriptedChatModel, judge_that_stands_by

TODAY = date(2026, 11, 23)
TURNS = (
    Turn(role="agent", text="What would you like to order?"),
    Turn(role="user", text="Two lamps and a red chair, and send them on Friday at 3 pm."),
    Turn(role="agent", text="Two lamps and one chair. Is express delivery fine?"),
    Turn(role="user", text="Yes, by courier."),
)
ORDER = DataCollectionField(
    field_id="order",
    type="list",
    description="What the user orders.",
    items=ValueShape(
        type="object",
        parts=(
            FieldPart(name="product", required=True, description="The product."),
            FieldPart(name="count", type="integer", description="How many of the product."),
        ),
    ),
)
DELIVERY = DataCollectionField(
    field_id="delivery",
    type="object",
    description="How the order is delivered.",
    parts=(
        FieldPart(name="day", type="date", required=True),
        FieldPart(name="by", enum=("courier", "post")),
    ),
)
COLOURS = DataCollectionField(
    field_id="colours",
    type="list",
    description="Colours that the user names.",
    items=ValueShape(enum=("red", "blue")),
)
DAY = DataCollectionField(field_id="day", type="date", description="Day of delivery.")
MOMENT = DataCollectionField(field_id="at", type="datetime", description="Time of delivery.")


def collect(
    judge: ScriptedChatModel, *fields: DataCollectionField, variant: JudgeVariant = "logprobs"
) -> dict[str, CheckedClaim]:
    question = collect_fields(
        fields, TURNS, transcript_windows(TURNS), variant=variant, meter=Meter(), today=TODAY
    )
    return answer_question(question, judge)


def test_days_are_kept_in_iso_form_beside_the_words_that_say_them():
    judge = judge_that_stands_by({"day": "Friday", "at": "Friday at 3 pm"})

    found = collect(judge, DAY, MOMENT)

    assert found["day"].value == "2026-11-27"
    assert found["day"].evidence[0].quote == "Friday"
    assert found["at"].value == "2026-11-27T15:00:00"
    assert found["at"].evidence[0].quote == "Friday at 3 pm"
    assert "held on Monday, 2026-11-23" in judge.prompt_texts[0]


def test_a_day_that_nobody_said_is_unsupported():
    found = collect(judge_that_stands_by({"day": "2026-12-24"}), DAY)["day"]

    assert (found.value, found.status) == (None, "unsupported")


def test_another_day_in_the_turn_contradicts_a_claimed_one():
    claim = {"fields": [{"field": "day", "turn": 1, "value": "2026-12-24"}]}

    found = collect(judge_that_stands_by(claim), DAY, variant="json")["day"]

    assert found.status == "contradicted"
    assert found.evidence[0].quote == "Friday"


@pytest.mark.parametrize("variant", ["logprobs", "json"])
def test_entries_that_nobody_said_are_left_out_of_a_list(variant: JudgeVariant):
    order = [{"product": "lamps", "count": 2}, {"product": "sofa", "count": 1}]
    claim = {"fields": [{"field": "order", "turn": 1, "value": order}]}
    reply: dict[str, Any] = {"order": order} if variant == "logprobs" else claim

    found = collect(judge_that_stands_by(reply), ORDER, variant=variant)["order"]

    assert (found.value, found.status) == ([{"product": "lamps", "count": 2}], "supported")
    assert [evidence.quote for evidence in found.evidence] == ["lamps", "Two"]
    assert "sofa" in found.unsupported_quotes


def test_an_object_without_a_required_part_is_invalid():
    told = collect(judge_that_stands_by({"delivery": {"day": "Friday", "by": "courier"}}), DELIVERY)
    lost = collect(
        judge_that_stands_by({"delivery": {"day": "June 1st", "by": "courier"}}), DELIVERY
    )

    assert told["delivery"].value == {"day": "2026-11-27", "by": "courier"}
    assert (lost["delivery"].value, lost["delivery"].status) == (None, "invalid")
    assert "day" in (lost["delivery"].rationale or "")


def test_a_value_of_the_wrong_form_is_asked_again_and_then_invalid():
    judge = judge_that_stands_by({"delivery": "courier"}, {"delivery": {"speed": "fast"}})

    found = collect(judge, DELIVERY)["delivery"]

    assert found.status == "invalid"
    assert "is not an object with day, by" in judge.prompts[1][-1].content


def test_a_list_of_classes_takes_each_that_was_named():
    found = collect(ScriptedChatModel({"colours": ["red", "blue"]}, "yes", "no"), COLOURS)[
        "colours"
    ]

    assert found.value == ["red"]


def test_nested_values_are_records_like_others():
    result = analyse_transcript(
        Transcript(
            conversation_id="c1", turns=TURNS, started_at=datetime(2026, 11, 23, 9, tzinfo=UTC)
        ),
        [],
        [ORDER, DAY],
        ScriptedChatModel(
            {
                "fields": [
                    {"field": "order", "turn": 1, "value": [{"product": "red chair"}]},
                    {"field": "day", "turn": 1, "value": "on Friday"},
                ]
            }
        ),
        summary=False,
    )

    order, day = result.collected
    assert type(order).model_validate_json(order.model_dump_json()) == order
    assert (order.value, day.value) == ([{"product": "red chair"}], "2026-11-27")


_SCALARS = ("string", "integer", "number", "boolean", "date", "time", "datetime")
_PART = st.sampled_from(_SCALARS)
_SHAPES = st.one_of(
    _PART.map(lambda kind: {"type": kind}),
    st.just({"type": "string", "enum": ["red", "blue"]}),
    _PART.map(lambda kind: {"type": "list", "items": {"type": kind}}),
    st.tuples(_PART, _PART).map(
        lambda kinds: {
            "type": "object",
            "parts": [
                {"name": "a", "type": kinds[0], "required": True},
                {"name": "b", "type": kinds[1]},
            ],
        }
    ),
)
_SAID = st.sampled_from(
    ["Friday", "3 pm", "tomorrow at 3 pm", "two", "2.5", "red", "lamps", "yes", "", "none", "2"]
)
_ONE = st.one_of(_SAID, st.integers(-3, 3), st.booleans(), st.none(), st.floats(-2, 2))
_RAW = st.one_of(
    _ONE,
    st.lists(_ONE, max_size=3),
    st.dictionaries(st.sampled_from(["a", "b", "c"]), _ONE, max_size=3),
)


@settings(max_examples=400)
@given(shape=_SHAPES, raw=_RAW, said=st.lists(_SAID, min_size=1, max_size=4))
def test_whatever_a_judge_answers_a_collected_value_has_its_type(
    shape: dict[str, Any], raw: object, said: list[str]
):
    field = DataCollectionField.model_validate(
        {"field_id": "thing", "description": "The thing.", **shape}
    )
    turns = tuple(Turn(role="user", text=f"The thing: {words}.") for words in said)
    judge = ScriptedChatModel(json.dumps({"thing": raw}), always="yes")
    question = collect_fields(
        [field], turns, transcript_windows(turns), variant="logprobs", meter=Meter(), today=TODAY
    )

    found = answer_question(question, judge)["thing"]

    if found.status == "supported":
        jsonschema.validate(found.value, value_schema(field))
        assert type(found.value) is _python_type(field)
        for evidence in found.evidence:
            assert evidence.quote in turns[evidence.turn_index].text
    else:
        assert found.value is None


def _python_type(field: DataCollectionField) -> type:
    types = {"integer": int, "number": float, "boolean": bool, "list": list, "object": dict}
    return types.get(field.type, str)


ITEMS = DataCollectionField(
    field_id="items",
    type="list",
    description="What the user orders.",
    items=ValueShape(type="string"),
)
VISITS = DataCollectionField(
    field_id="visits",
    type="list",
    description="Days of the visits.",
    items=ValueShape(type="date"),
)


def claimed(field: DataCollectionField, value: list[str]) -> CheckedClaim:
    claim = json.dumps({"fields": [{"field": field.field_id, "turn": 1, "value": value}]})
    return collect(ScriptedChatModel(always=claim), field, variant="json")[field.field_id]


def test_entries_in_another_number_are_found_and_those_that_nobody_said_are_named():
    found = claimed(ITEMS, ["lamp", "chair", "table"])

    assert found.value == ["lamp", "chair"]
    assert [each.quote for each in found.evidence] == ["lamps", "chair"]
    assert found.rationale == (
        "1 value was left out. The judge answered 'table', but turn 1 does not say so."
    )
    assert found.unsupported_quotes == ("table",)


def test_an_entry_that_is_no_value_costs_only_itself_and_is_named():
    found = claimed(VISITS, ["Friday", "some day"])

    assert found.value == ["2026-11-27"]
    assert found.rationale == (
        "1 value was left out. The judge's answer 'some day' is not one date."
    )
