"""Verdicts from probabilities, and how the windows of a long conversation are merged."""

import math

import pytest

from analysis.evaluation import analyse_transcript
from analysis.judging import Judgment, merge_judgments, success_probability
from analysis.prompts import YES_BIAS
from analysis.results import Evidence, Verdict
from conversation.config import Criterion, DataCollectionField
from conversation.transcript import Transcript, Turn
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


def judgment(verdict: Verdict, confidence: float | None) -> Judgment:
    return Judgment(verdict, confidence, None, ())


def test_a_probability_adds_up_the_spellings_of_a_word():
    logprobs = {"yes": math.log(0.3), " Yes": math.log(0.3), "No": math.log(0.2), "It": -1.6}

    odds = 0.6 / 0.2 / math.exp(YES_BIAS)
    assert success_probability(logprobs) == pytest.approx(odds / (1 + odds))


def test_a_slight_lean_to_yes_is_the_bias_of_the_judge():
    probability = success_probability({"yes": math.log(0.55), "no": math.log(0.45)})

    assert probability is not None
    assert probability < 0.5


@pytest.mark.parametrize("logprobs", [{}, {"The": -0.1}, {"yes": -9.0, "The": -0.1}])
def test_without_either_word_there_is_no_probability(logprobs: dict[str, float]):
    assert success_probability(logprobs) is None


def test_the_surest_window_decides_and_of_equal_ones_the_last():
    assert merge_judgments([judgment("success", 0.95), judgment("failure", 0.4)]).confidence == 0.95
    assert merge_judgments([judgment("success", None), judgment("failure", None)]).verdict == (
        "failure"
    )


def test_windows_that_cannot_tell_are_left_out():
    undecided, decided = judgment("unknown", None), judgment("success", None)

    assert merge_judgments([undecided, decided, undecided]).verdict == "success"
    assert merge_judgments([undecided, undecided]).verdict == "unknown"


def test_a_long_call_is_judged_in_windows_that_keep_turn_numbers():
    judge = ScriptedChatModel(
        {"verdict": "unknown", "turn": 0, "quote": "To Rome", "rationale": "-"},
        {"verdict": "failure", "turn": 7, "quote": "Paris instead", "rationale": "Not yet."},
        {"fields": [{"field": "city", "turn": 0, "value": "Rome"}]},
        {"fields": [{"field": "city", "turn": 7, "value": "Paris"}]},
    )

    result = analyse_transcript(LONG_CALL, [PAID], [CITY], judge, summary=False)

    assert result.evaluations[0].verdict == "failure"
    assert result.evaluations[0].evidence == (Evidence(turn_index=7, quote="Paris instead"),)
    assert (result.collected[0].value, result.collected[0].status) == ("Paris", "supported")
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
