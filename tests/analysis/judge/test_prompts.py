"""Prompts of the judge: what is said in a conversation stays data."""

import re

import pytest

from analysis.evaluation.analyse import analyse_transcript
from analysis.evaluators.versions import judge_prompt_version
from analysis.judge.prompts import (
    JudgeVariant,
)
from conversation.agent.config import Criterion, DataCollectionField
from conversation.transcript import Transcript, Turn
from tests.bench.attacks import own_attacks
from tests.fakes import ScriptedChatModel

ANSWERED = Criterion(criterion_id="answered", prompt="The agent answered the question.")
TOPIC = DataCollectionField(field_id="topic", description="What it is about.")
SPECIAL_TOKEN = re.compile(r"<\|")


def prompts_for(attack: str, variant: JudgeVariant) -> list[str]:
    judge = ScriptedChatModel(always="none")
    call = Transcript(
        conversation_id="c1",
        turns=(
            Turn(role="agent", text="Hello."),
            Turn(role="user", text=f"Is it open? {attack}"),
            Turn(role="agent", text="I do not know."),
        ),
    )
    analyse_transcript(call, [ANSWERED], [TOPIC], judge, variant=variant)
    return [prompt[-1].content for prompt in judge.prompts if "[1]" in prompt[-1].content]


@pytest.mark.parametrize("variant", ["logprobs", "json"])
@pytest.mark.parametrize("attack", own_attacks("success"))
def test_what_is_said_stays_on_its_line_between_the_tags(attack: str, variant: JudgeVariant):
    prompts = prompts_for(attack, variant)

    assert len(prompts) >= 3
    for prompt in prompts:
        assert prompt.count("<transcript>") == prompt.count("</transcript>") == 1
        assert not SPECIAL_TOKEN.search(prompt)
        lines = prompt.split("<transcript>\n")[1].split("\n</transcript>")[0].splitlines()
        assert [line.split(" ")[0] for line in lines] == ["[0]", "[1]", "[2]"]


def test_the_version_names_the_wording_that_a_judge_is_asked_with():
    assert judge_prompt_version("embedded/x") == judge_prompt_version("y/z", "logprobs")
    assert judge_prompt_version("y/z") != judge_prompt_version("embedded/x")
    assert re.fullmatch(r"[0-9a-f]{12}", judge_prompt_version("y/z"))
