"""Floors under the embedded judge on public calls: small samples, far below what is measured.

The figures themselves come from `python -m tests.bench.judging`.
"""

from pathlib import Path

import pytest

from analysis.evaluation.analyse import analyse_transcript
from conversation.agent.models.llm_config import DEFAULT_LLM
from conversation.errors import ModelSetupError
from conversation.llm.chat_model import ChatModel
from conversation.llm.open_model import open_chat_model
from tests.bench.extraction import Extraction, load_dialogues, score_dialogue
from tests.bench.verdicts import accuracy, judge_calls, load_star

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1_200)]


@pytest.fixture(scope="module")
def judge() -> ChatModel:
    model = open_chat_model(DEFAULT_LLM)
    try:
        model.check()
    except ModelSetupError as error:
        pytest.skip(f"no weights of {DEFAULT_LLM}: {error}")
    return model


def test_verdicts_agree_with_what_users_answered(judge: ChatModel, datasets: Path):
    calls = load_star(datasets, n=12, seed=11)

    measured = accuracy(judge_calls(calls, judge), [call.is_success for call in calls])

    assert measured.right >= 9
    assert measured.undecided <= 1


def test_collected_values_are_typed_and_mostly_right(judge: ChatModel, datasets: Path):
    counts = Extraction()
    for dialogue in load_dialogues(datasets, n=3, seed=11):
        result = analyse_transcript(dialogue.transcript, [], dialogue.fields, judge, summary=False)
        counts += score_dialogue(dialogue, result.collected)
        for value in result.collected:
            for evidence in value.evidence:
                assert evidence.quote in dialogue.transcript.turns[evidence.turn_index].text

    assert counts.ill_typed == 0
    assert counts.found >= 0.45 * counts.filled
    assert counts.invented <= 0.35 * counts.empty
