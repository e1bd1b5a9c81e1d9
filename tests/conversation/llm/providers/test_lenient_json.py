"""Answers in the forms that models write them in: read, and never read as something else."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluation.analyse import analyse_transcript
from analysis.judge.answer_forms import claims_schema, score_schema, verdict_schema
from conversation.agent.config import Criterion, DataCollectionField
from conversation.agent.criteria import Scale
from conversation.agent.models.judges import panel_of
from conversation.errors import ModelOutputError
from conversation.llm.providers.json_answers import checked_json
from conversation.llm.providers.lenient_json import fitted, follows
from conversation.transcript import Transcript, Turn
from tests.fakes import ScriptedChatModel

PLAIN = {"verdict": "success", "turn": 2, "quote": "We open at nine.", "rationale": "It answered."}


def written(**changes: Any) -> str:
    return json.dumps(PLAIN | changes)


def read(text: str, schema: Any = None, finish_reason: str = "stop") -> Any:
    asked = schema or verdict_schema()
    return json.loads(checked_json(text, asked, model="x/y", finish_reason=finish_reason))


FORMS = {
    "case": written(verdict="Success"),
    "capitals and full stop": written(verdict="SUCCESS."),
    "prose and a fence": f"Here it is:\n```json\n{written()}\n```\nHope that helps!",
    "a fence without a name": f"```\n{written()}\n```",
    "prose around": f"My verdict: {written()} as asked.",
    "thought aloud": f"<think>{{a}} or {written(verdict='failure')}?</think>{written()}",
    "thought without a beginning": f"hm, {written(verdict='failure')}</think>\n{written()}",
    "an example first": f"For example {written(verdict='failure')}. The answer: {written()}",
    "turn in quotes": written(turn="2"),
    "turn in brackets": written(turn="[2]"),
    "turn as a float": written(turn=2.0),
    "one key too many": written(confidence=0.9),
    "keys in capitals": json.dumps({key.upper(): value for key, value in PLAIN.items()}),
    "in a list": f"[{written()}]",
    "a comma too many": f"{written()[:-1]},\n}}",
    "a comment": f"Sure: {written()[:-1]} // the agent said so\n}}",
    "as Python writes it": str(PLAIN),
    "a list around a text": written(quote=[PLAIN["quote"]]),
}


@pytest.mark.parametrize("name", FORMS)
def test_a_verdict_is_read_in_the_forms_that_models_use(name: str):
    assert read(FORMS[name]) == PLAIN


def test_a_text_that_is_null_is_empty_and_a_comma_in_a_text_stays():
    assert read(written(quote=None)) == PLAIN | {"quote": ""}
    odd = PLAIN | {"rationale": "he said ,} // and [1,]"}
    assert read(json.dumps(odd)[:-1] + ",}") == odd


@pytest.mark.parametrize(
    "text", ["{'verdict': open('x')}", "{" * 5000 + "}", "{'verdict': 'success'"]
)
def test_what_is_no_value_stays_none(text: str):
    with pytest.raises(ModelOutputError):
        read(text)


@pytest.mark.parametrize("name", FORMS)
def test_a_judge_that_writes_so_is_asked_once(name: str):
    judge = ScriptedChatModel(FORMS[name])
    call = Transcript(
        conversation_id="c1",
        turns=tuple(Turn(role="agent", text=text) for text in ("Hi", "?", "We open at nine.")),
    )
    criterion = Criterion(criterion_id="answered", prompt="The agent answered.")

    (found,) = analyse_transcript(call, [criterion], [], judge, summary=False).evaluations

    assert (found.verdict, found.error) == ("success", None)
    assert found.evidence[0].quote == "We open at nine."
    assert len(judge.prompts) == 1


def test_a_long_rationale_is_cut_and_a_cut_one_is_closed():
    long = read(written(rationale="word " * 90))
    cut = read(written()[:-8], finish_reason="length")

    assert len(long["rationale"]) <= 240
    assert long["rationale"].endswith("word…")
    assert cut == PLAIN | {"rationale": "It ans"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "I cannot judge this.",
        "success",
        written(verdict="mostly success"),
        written(verdict=None),
        written(turn="the second"),
        '{"verdict": "success"',
        '{"verdict": "success", "turn": 2, "quote": "We',
        "<think>" + written(),
        "<think>" + written() + "</think>",
        "null",
        "[]",
        "{}",
    ],
)
@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_what_is_no_verdict_is_refused(text: str, finish_reason: str):
    with pytest.raises(ModelOutputError):
        read(text, finish_reason=finish_reason)


@pytest.mark.parametrize(
    ("said", "score"),
    [("4", 4), ("4/5", 4), ("4 out of 5", 4), (4.0, 4), ("null", None), ("unknown", None)],
)
def test_a_score_is_read_leniently(said: object, score: object):
    schema = score_schema(Scale(min=1, max=5))
    answer = json.dumps({"score": said, "turn": 0, "quote": "", "rationale": "-"})

    assert read(answer, schema)["score"] == score


def test_each_judge_of_a_panel_is_read_leniently():
    judges = {
        "a/x": ScriptedChatModel(FORMS["case"], model="a/x"),
        "b/y": ScriptedChatModel(FORMS["prose and a fence"], model="b/y"),
        "c/z": ScriptedChatModel(FORMS["thought aloud"], model="c/z"),
    }
    call = Transcript(conversation_id="c1", turns=(Turn(role="agent", text="We open at nine."),))
    criterion = Criterion(criterion_id="answered", prompt="The agent answered.")
    scored = criterion.model_copy(update={"criterion_id": "well", "scale": Scale()})

    (found,) = analyse_transcript(
        call, [criterion], [], panel_of([*judges]), summary=False, open_judge=judges.__getitem__
    ).evaluations
    numbers = ScriptedChatModel('Sure: {"score": "4/5", "turn": "0", "quote": "", "rationale": ""}')
    (score,) = analyse_transcript(call, [scored], [], numbers, summary=False).evaluations

    assert (found.verdict, found.agreement) == ("success", 1.0)
    assert (score.score, score.error) == (4, None)


@pytest.mark.parametrize(
    ("field", "said", "value"),
    [
        ({"type": "boolean"}, "Yes", True),
        ({"type": "boolean"}, "no.", False),
        ({"enum": ("refund", "other")}, "Refund", "refund"),
        ({"enum": ("credit_card", "cash")}, "credit card", "credit_card"),
        ({"type": "string"}, 9, "9"),
        ({"type": "integer"}, "9", 9),
        ({"type": "number"}, "2,5", 2.5),
    ],
)
def test_collected_values_are_read_leniently(field: Any, said: object, value: object):
    asked = DataCollectionField(field_id="n", description="What it is.", **field)
    answer = json.dumps({"fields": [{"field": "N", "turn": "1", "value": said}]})

    (found,) = read(answer, claims_schema([asked]))["fields"]

    assert found == {"field": "n", "turn": 1, "value": value}


def test_half_a_number_or_list_is_not_closed():
    asked = DataCollectionField(field_id="n", description="A number.", type="integer")
    answer = '{"fields": [{"field": "n", "turn": 1, "value": 12'

    with pytest.raises(ModelOutputError, match="cut at its token limit"):
        read(answer, claims_schema([asked]), finish_reason="length")


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=8,
)


@given(JSON_VALUES)
def test_whatever_is_answered_is_refused_or_follows_the_schema(value: Any):
    try:
        found = read(json.dumps(value))
    except ModelOutputError:
        return
    assert follows(found, verdict_schema())


@given(
    st.fixed_dictionaries(
        {
            "verdict": st.sampled_from(["success", "failure", "unknown"]),
            "turn": st.integers(0, 500),
            "quote": st.text(max_size=160),
            "rationale": st.text(max_size=240),
        }
    )
)
def test_what_follows_the_schema_already_is_left_as_it_is(value: dict[str, Any]):
    assert fitted(value, verdict_schema()) == value
    assert read(f"So:\n```json\n{json.dumps(value)}\n```") == value


@pytest.mark.parametrize("part", ["{", "[", '{"a":', "<think>", "```", '{"a": "'])
def test_endless_nonsense_is_refused_quickly(part: str):
    began = time.process_time()
    with pytest.raises(ModelOutputError):
        read(part * (40_000 // len(part)), finish_reason="length")
    assert time.process_time() - began < 5
