"""Rules between fields: asked again once, then recorded."""

from collections.abc import Sequence
from typing import Any

import pytest
from pydantic import ValidationError

from analysis.fields.claims import CheckedClaim
from analysis.fields.data_collection import collect_fields
from analysis.judge.asking import Meter, answer_question
from analysis.judge.windows import transcript_windows
from analysis.results import FieldValue
from conversation.agent.config import AgentConfig, DataCollectionField
from conversation.agent.criteria import Condition
from conversation.errors import ModelUnavailableError
from conversation.llm.chat_model import ChatMessage, CompletionOptions
from conversation.transcript import Turn
from tests.fakes import ScriptedChatModel, judge_that_stands_by

TURNS = (
    Turn(role="user", text="I have a question about my refund of 40 dollars."),
    Turn(role="agent", text="The refund is under way. My name is Ada."),
)
CALL_TYPE = DataCollectionField(
    field_id="call_type", description="Why the user calls.", enum=("refund", "question")
)
AMOUNT = DataCollectionField(
    field_id="refund_amount",
    type="integer",
    description="Dollars of the refund.",
    only_when=(Condition(field="call_type", equals="refund"),),
)
NAME = DataCollectionField(field_id="agent_name", description="Name of the agent.", required=True)


def asked_for_values(judge: ScriptedChatModel) -> list[str]:
    """The prompts that ask for values, not those that ask for one word."""
    asked = zip(judge.prompt_texts, judge.options, strict=True)
    return [text for text, options in asked if options.schema is not None]


def collect(
    judge: ScriptedChatModel,
    *fields: DataCollectionField,
    known: dict[str, FieldValue] | None = None,
) -> dict[str, CheckedClaim]:
    question = collect_fields(
        fields,
        TURNS,
        transcript_windows(TURNS),
        variant="logprobs",
        meter=Meter(),
        known=known,
    )
    return answer_question(question, judge)


def test_a_value_whose_condition_holds_stands():
    judge = judge_that_stands_by({"call_type": "refund", "refund_amount": 40})

    found = collect(judge, CALL_TYPE, AMOUNT)

    assert found["refund_amount"].value == 40
    assert len(asked_for_values(judge)) == 1
    assert "Only when call_type is refund." in judge.prompt_texts[0]


def test_a_broken_rule_is_asked_again_and_may_be_mended():
    judge = judge_that_stands_by(
        {"call_type": "question", "refund_amount": 40}, {"call_type": "refund", "refund_amount": 40}
    )

    found = collect(judge, CALL_TYPE, AMOUNT)

    assert (found["call_type"].value, found["refund_amount"].value) == ("refund", 40)
    assert "call_type is 'question'" in asked_for_values(judge)[1]


def test_a_value_that_is_dropped_when_asked_again_is_gone():
    judge = judge_that_stands_by({"call_type": "question", "refund_amount": 40}, {})

    found = collect(judge, CALL_TYPE, AMOUNT)

    assert (found["call_type"].value, found["refund_amount"].status) == (
        "question",
        "not_discussed",
    )


def test_a_rule_that_stays_broken_makes_its_value_invalid_and_no_other():
    answer = {"call_type": "question", "refund_amount": 40}

    found = collect(judge_that_stands_by(answer, answer), CALL_TYPE, AMOUNT)

    assert found["call_type"].value == "question"
    assert (found["refund_amount"].value, found["refund_amount"].status) == (None, "invalid")
    assert "only when call_type is refund" in (found["refund_amount"].rationale or "")


def test_a_judge_that_fails_while_mending_loses_no_other_value():
    def answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
        if "earlier answer" in messages[-1].content:
            return ModelUnavailableError("no answer")
        return {"call_type": "question", "refund_amount": 40} if options.schema else "yes"

    found = collect(ScriptedChatModel(always=answer), CALL_TYPE, AMOUNT)

    assert found["call_type"].value == "question"
    assert found["refund_amount"].status == "invalid"


def test_a_condition_looks_at_what_is_known_already():
    told = {"refund_amount": 40}

    assert collect(judge_that_stands_by(told), AMOUNT, known={"call_type": "refund"})[
        "refund_amount"
    ].value == 40  # fmt: skip
    assert collect(judge_that_stands_by(told, told), AMOUNT)["refund_amount"].status == "invalid"


def test_a_required_field_is_asked_for_once_more():
    judge = judge_that_stands_by({}, {"agent_name": "Ada"})

    found = collect(judge, NAME)["agent_name"]

    assert (found.value, found.status) == ("Ada", "supported")
    assert "agent_name is required" in asked_for_values(judge)[1]


def test_nothing_is_invented_for_a_required_field():
    found = collect(judge_that_stands_by({}, {}), NAME)["agent_name"]

    assert (found.value, found.status) == (None, "not_discussed")
    assert "required" in (found.rationale or "")


def test_a_required_field_whose_condition_does_not_hold_is_not_missed():
    amount = AMOUNT.model_copy(update={"required": True})
    judge = judge_that_stands_by({"call_type": "question"})

    collect(judge, CALL_TYPE, amount)

    assert len(asked_for_values(judge)) == 1


@pytest.mark.parametrize(
    ("condition", "value", "holds"),
    [
        ({"equals": "refund"}, "refund", True),
        ({"equals": "refund"}, "question", False),
        ({"equals": True}, True, True),
        ({"equals": 1}, True, False),
        ({"one_of": ["a", "b"]}, "b", True),
        ({}, "anything", True),
        ({}, None, False),
    ],
)
def test_conditions(condition: dict[str, Any], value: FieldValue, holds: bool):
    assert Condition(field="f", **condition).holds(value) is holds


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"only_when": {"field": "gone"}}, "'gone', which is no other field"),
        ({"only_when": {"field": "b"}}, "'b', which is no other field"),
        ({"only_when": {"field": "c"}}, "has a condition itself"),
        ({"type": "list"}, "a list says under `items`"),
        ({"type": "object"}, "an object names its `parts`"),
        ({"type": "enum"}, "lists its values under `enum`"),
        ({"type": "boolean", "enum": ["x"]}, "cannot stand at a boolean"),
        ({"type": "list", "items": {"type": "list", "items": {}}}, "not lists"),
        (
            {"type": "object", "parts": [{"name": "x", "type": "list", "items": {}}]},
            "must be a single value",
        ),
    ],
)
def test_fields_that_make_no_sense_are_refused(changes: dict[str, Any], said: str):
    fields = [
        {"id": "a", "description": "A."},
        {"id": "b", "description": "B.", **changes},
        {"id": "c", "description": "C.", "only_when": {"field": "a", "equals": "x"}},
    ]

    with pytest.raises(ValidationError, match=said):
        AgentConfig.model_validate({"agent_id": "x", "name": "X", "data_collection": fields})


def test_a_version_changes_with_each_part_of_what_is_asked():
    plain = DataCollectionField(field_id="a", description="A.")
    changed = [
        plain.model_copy(update={"required": True}),
        plain.model_copy(update={"only_when": (Condition(field="b"),)}),
        DataCollectionField(field_id="a", description="A.", type="date"),
        AMOUNT,
    ]

    assert len({field.version for field in (plain, *changed)}) == 5
