"""Verdicts from probabilities, and how the windows of a long conversation are merged."""

import math

import pytest

from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluators.versions import judge_prompt_version
from analysis.judge.prompts import (
    SECOND_ANSWER_WEIGHT,
    YES_BIAS,
)
from analysis.judge.verdict import verdict_of
from analysis.judge.yes_no import OneWord
from analysis.results import Evidence
from conversation.agent.config import Criterion, DataCollectionField
from conversation.llm.chat_model import Completion
from conversation.transcript import Transcript, Turn, Usage
from tests.fakes import ScriptedChatModel

PAID = Criterion(criterion_id="paid", prompt="The user paid.")
CITY = DataCollectionField(field_id="city", description="City that the user travels to.")
LONG_CALL = Transcript(
    conversation_id="long",
    turns=(
        Turn(role="user", text="To Rome, please."),
        *(Turn(role="agent", text=f"Offer {number}: " + "x" * 2_000) for number in range(6)),
        Turn(role="user", text="Make it Paris instead."),
    ),
)


def test_a_lean_to_yes_within_the_bias_is_no_success():
    assert verdict_of(OneWord(False, YES_BIAS - 0.1), None)[0] == "failure"
    verdict, confidence = verdict_of(OneWord(True, YES_BIAS + 1.0), None)
    assert (verdict, confidence) == ("success", pytest.approx(1 / (1 + math.exp(-1.0))))


def test_the_second_answer_decides_where_the_first_is_not_sure():
    unsure = OneWord(True, YES_BIAS + 0.9 * SECOND_ANSWER_WEIGHT)
    sure = OneWord(True, YES_BIAS + 1.1 * SECOND_ANSWER_WEIGHT)

    assert verdict_of(unsure, "failure")[0] == "failure"
    assert verdict_of(sure, "failure")[0] == "success"
    assert verdict_of(unsure, "success")[0] == "success"


def test_a_criterion_may_ask_for_more_than_an_even_chance():
    two_to_one = OneWord(True, YES_BIAS + math.log(2))

    assert verdict_of(two_to_one, None)[0] == "success"
    assert verdict_of(two_to_one, None, 0.6) == ("success", pytest.approx(2 / 3))
    assert verdict_of(two_to_one, None, 0.7) == ("failure", pytest.approx(2 / 3))


def test_the_threshold_and_the_way_of_asking_stand_at_the_criterion():
    strict = PAID.model_copy(update={"threshold": 0.9, "variant": "logprobs"})
    judge = ScriptedChatModel(
        Completion(
            text="yes",
            usage=Usage(model="x/y", input_tokens=1, output_tokens=1),
            finish_reason="stop",
            top_logprobs={"yes": math.log(0.6), "no": math.log(0.4)},
        ),
        {"verdict": "success", "turn": 0, "reason": "Paid."},
        "no",
        model="x/y",
    )
    call = Transcript(conversation_id="c1", turns=(Turn(role="user", text="I paid."),))

    (evaluation,) = analyse_transcript(call, [strict], [], judge, summary=False).evaluations

    assert evaluation.verdict == "failure"
    assert evaluation.confidence is not None
    assert 0.5 < evaluation.confidence < 0.9
    assert evaluation.judge_prompt_version == judge_prompt_version("x/y", "logprobs")


@pytest.mark.parametrize(
    ("yes", "answers", "reasons_asked", "verdict", "rationale"),
    [
        (0.95, ["0"], [False], "success", None),
        (0.6, [{"verdict": "success", "turn": 0}], [True], "success", None),
        (
            0.6,
            [{"verdict": "unknown", "turn": 0, "reason": "Nobody says so."}],
            [True],
            "unknown",
            "Nobody says so.",
        ),
        (
            0.05,
            [{"verdict": "failure", "turn": 0, "reason": "The user paid nothing."}, "no"],
            [True],
            "failure",
            "The user paid nothing.",
        ),
    ],
    ids=[
        "a word that is sure",
        "a success",
        "a success that the second answer denies",
        "a failure",
    ],
)
def test_the_reason_is_asked_for_where_somebody_will_ask_for_it(
    yes: float,
    answers: list[dict[str, object] | str],
    reasons_asked: list[bool],
    verdict: str,
    rationale: str | None,
):
    judge = ScriptedChatModel(
        Completion(
            text="yes",
            usage=Usage(model="embedded/x", input_tokens=1, output_tokens=1),
            finish_reason="stop",
            top_logprobs={"yes": math.log(yes), "no": math.log(1 - yes)},
        ),
        *answers,
        model="embedded/x",
    )
    call = Transcript(conversation_id="c1", turns=(Turn(role="user", text="I paid."),))

    (evaluation,) = analyse_transcript(call, [PAID], [], judge, summary=False).evaluations

    assert (evaluation.verdict, evaluation.rationale) == (verdict, rationale)
    assert evaluation.evidence == (Evidence(turn_index=0, quote="I paid."),)
    schemas = [options.schema for options in judge.options if options.schema]
    assert ["reason" in str(schema) for schema in schemas] == reasons_asked


@pytest.mark.parametrize(("threshold", "is_sure"), [(None, True), (0.9, False)])
def test_a_second_verdict_is_asked_for_where_it_can_decide(threshold: float | None, is_sure: bool):
    strict = PAID.model_copy(update={"threshold": threshold})
    judge = ScriptedChatModel(
        Completion(
            text="yes",
            usage=Usage(model="embedded/x", input_tokens=1, output_tokens=1),
            finish_reason="stop",
            top_logprobs={"yes": math.log(0.9), "no": math.log(0.1)},
        ),
        "0" if is_sure else {"verdict": "success", "turn": 0},
        model="embedded/x",
    )
    call = Transcript(conversation_id="c1", turns=(Turn(role="user", text="I paid."),))

    (evaluation,) = analyse_transcript(call, [strict], [], judge, summary=False).evaluations

    odds = 9 / math.exp(YES_BIAS) * math.exp(SECOND_ANSWER_WEIGHT)
    assert evaluation.confidence == pytest.approx(odds / (1 + odds))
    assert evaluation.verdict == "success"
    assert ("It is met." in judge.prompt_texts[1]) == is_sure


@pytest.mark.parametrize("answer", ["-3", "77", "no number"])
def test_a_turn_that_does_not_exist_is_no_evidence(answer: str):
    judge = ScriptedChatModel(
        Completion(
            text="yes",
            usage=Usage(model="embedded/x", input_tokens=1, output_tokens=1),
            finish_reason="stop",
            top_logprobs={"yes": math.log(0.95), "no": math.log(0.05)},
        ),
        *[answer] * 2,
        model="embedded/x",
    )
    call = Transcript(conversation_id="c1", turns=(Turn(role="user", text="I paid."),))

    (evaluation,) = analyse_transcript(call, [PAID], [], judge, summary=False).evaluations

    assert (evaluation.verdict, evaluation.evidence) == ("success", ())


def test_a_judge_in_this_process_is_asked_for_a_shorter_summary():
    call = Transcript(conversation_id="c1", turns=(Turn(role="user", text="I paid."),))
    asked: dict[str, str] = {}
    for model in ("embedded/x", "x/y"):
        judge = ScriptedChatModel("The user paid.", model=model)
        assert analyse_transcript(call, [], [], judge).summary == "The user paid."
        asked[model] = judge.prompt_texts[0]

    assert "at most 20 words" in asked["embedded/x"]
    assert "at most 30 words" in asked["x/y"]


def test_a_judge_may_say_that_the_transcript_does_not_tell():
    assert verdict_of(OneWord(True, YES_BIAS), "unknown") == ("unknown", 0.5)


def test_without_probabilities_the_second_answer_decides():
    assert verdict_of(OneWord(True, None), "failure") == ("failure", None)
    assert verdict_of(OneWord(True, None), None) == ("success", None)


def test_a_long_call_is_judged_in_windows_that_keep_turn_numbers():
    judge = ScriptedChatModel(
        {"verdict": "unknown", "turn": 0, "quote": "To Rome", "rationale": "-"},
        {"verdict": "success", "turn": 7, "quote": "Paris instead", "rationale": "Not yet."},
        {"verdict": "failure", "turn": 7, "quote": "Paris instead", "rationale": "Not paid."},
        {"fields": [{"field": "city", "turn": 0, "value": "Rome"}]},
        {"fields": [{"field": "city", "turn": 7, "value": "Paris"}]},
    )

    result = analyse_transcript(LONG_CALL, [PAID], [CITY], judge, summary=False)

    assert result.evaluations[0].verdict == "failure"
    assert result.evaluations[0].evidence == (Evidence(turn_index=7, quote="Paris instead"),)
    assert (result.collected[0].value, result.collected[0].status) == ("Paris", "supported")
    assert [part.verdict for part in result.evaluations[0].windows] == ["unknown", "success"]
    assert "one part of a longer conversation" in judge.prompt_texts[0]
    assert "[7] user" in judge.prompt_texts[1]
    assert "[0] user" not in judge.prompt_texts[1]


def test_a_value_of_an_earlier_window_stays_when_a_later_one_has_none():
    judge = ScriptedChatModel(
        {"fields": [{"field": "city", "turn": 0, "value": "Rome"}]},
        {"fields": [{"field": "city", "turn": 7, "value": "London"}]},
    )

    result = analyse_transcript(LONG_CALL, [], [CITY], judge, summary=False)

    assert (result.collected[0].value, result.collected[0].status) == ("Rome", "supported")
