"""Scores within bounds, from words, from probabilities, and over windows."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluators.known import judged_kind
from analysis.judge.asking import Meter, answer_question
from analysis.judge.score import expected_score
from analysis.judge.windows import transcript_windows
from analysis.results import Evidence
from conversation.agent.config import Criterion
from conversation.agent.criteria import JudgeVariant, Scale
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import Completion
from conversation.transcript import Turn, Usage
from tests.fakes import ScriptedChatModel

FIVE = Scale(min=1, max=5)
EFFORT = Criterion(criterion_id="effort", prompt="The user had little effort.", scale=FIVE)
TURNS = (Turn(role="user", text="I had to call three times."), Turn(role="agent", text="Sorry."))


def score(judge: ScriptedChatModel, variant: JudgeVariant, criterion: Criterion = EFFORT):
    question = judged_kind(criterion).ask(
        criterion, TURNS, transcript_windows(TURNS), variant=variant, meter=Meter()
    )
    return answer_question(question, judge)


def number(**probabilities: float) -> Completion:
    return Completion(
        text="2",
        usage=Usage(model="embedded/judge", input_tokens=10, output_tokens=1, cost_usd=0.0),
        finish_reason="stop",
        top_logprobs={token.strip("_"): math.log(p) for token, p in probabilities.items()},
    )


def test_a_score_comes_with_a_checked_quote_and_no_verdict():
    judge = ScriptedChatModel(
        {"score": 2, "turn": 0, "quote": "call three times", "rationale": "Three calls."}
    )

    found = score(judge, "json")

    assert (found.verdict, found.score) == (None, 2)
    assert found.evidence == (Evidence(turn_index=0, quote="call three times"),)
    assert "from 1 (not at all) to 5 (fully)" in judge.prompt_texts[0]


def test_a_score_that_cannot_be_told_is_unknown():
    judge = ScriptedChatModel({"score": None, "turn": 0, "quote": "", "rationale": "Unclear."})

    found = score(judge, "json")

    assert (found.verdict, found.score) == ("unknown", None)


def test_a_score_outside_of_its_bounds_is_asked_again_and_then_refused():
    outside = {"score": 9, "turn": 0, "quote": "", "rationale": "-"}
    judge = ScriptedChatModel(outside, outside)

    with pytest.raises(ModelOutputError, match="9 does not lie between 1 and 5"):
        score(judge, "json")

    assert "cannot be used" in judge.prompts[1][-1].content


def test_probabilities_of_the_numbers_make_a_finer_score():
    judge = ScriptedChatModel(
        number(_2=0.6, _3=0.2, _7=0.2), {"score": 2, "turn": 0, "reason": "Three calls."}
    )

    found = score(judge, "logprobs")

    assert found.score == pytest.approx(2.25)
    assert found.rationale == "Three calls."


def test_bounds_of_more_digits_are_scored_in_words():
    wide = EFFORT.model_copy(update={"scale": Scale(min=0, max=100)})
    judge = ScriptedChatModel(number(_2=0.9), {"score": 35, "turn": 0, "reason": "Some."})

    assert score(judge, "logprobs", wide).score == 35


@given(st.dictionaries(st.sampled_from("0123456789x"), st.floats(-20, 0), max_size=8))
def test_an_expected_score_lies_within_its_bounds(top_logprobs: dict[str, float]):
    expected = expected_score(FIVE, top_logprobs)

    assert expected is None or 1 <= expected <= 5


def test_a_long_call_is_scored_on_what_was_found_in_its_parts():
    turns = tuple(Turn(role="user", text=f"Call {number}: " + "x " * 600) for number in range(20))
    windows = transcript_windows(turns)
    answers = [
        {"score": 1 + number % 5, "turn": window.first_turn, "quote": "", "rationale": f"R{number}"}
        for number, window in enumerate(windows)
    ]
    judge = ScriptedChatModel(
        *answers, {"score": 4, "turn": 3, "quote": "Call 3", "rationale": "All in all."}
    )

    found = answer_question(
        judged_kind(EFFORT).ask(EFFORT, turns, windows, variant="json", meter=Meter()), judge
    )

    assert len(windows) > 2
    assert (found.score, found.rationale) == (4, "All in all.")
    assert found.evidence == (Evidence(turn_index=3, quote="Call 3"),)
    assert [part.score for part in found.windows] == [answer["score"] for answer in answers]
    assert "R0" in judge.prompt_texts[-1]
    assert "turns 0 to" in judge.prompt_texts[-1]
