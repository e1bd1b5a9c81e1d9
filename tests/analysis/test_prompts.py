"""Prompts of the judge: shared prefix, data that stays data, windows that lose nothing."""

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analysis.evaluation import analyse_transcript
from analysis.prompts import (
    JudgeVariant,
    escape_tags,
    judge_prompt_version,
    transcript_windows,
    turn_line,
)
from conversation.config import Criterion, DataCollectionField
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


@given(st.text())
def test_escaped_text_has_no_tag_and_no_line_break(text: str):
    escaped = escape_tags(text)

    assert "<" not in escaped
    assert len(escaped.splitlines()) <= 1


def test_an_interrupted_turn_is_marked():
    turn = Turn(role="agent", text="You will get", interrupted=True)

    assert turn_line(3, turn) == "[3] agent: You will get (interrupted)"


@given(
    lengths=st.lists(st.integers(0, 300), min_size=1, max_size=30),
    max_chars=st.integers(60, 400),
    overlap_turns=st.integers(0, 5),
)
def test_windows_cover_every_turn_within_their_size(
    lengths: list[int], max_chars: int, overlap_turns: int
):
    turns = [Turn(role="user", text="x" * length) for length in lengths]

    windows = transcript_windows(turns, max_chars=max_chars, overlap_turns=overlap_turns)

    assert windows[0].first_turn == 0
    assert windows[-1].last_turn == len(turns) - 1
    for window in windows:
        assert len(window.text) <= max_chars
        assert len(window.text.splitlines()) == window.last_turn - window.first_turn + 1
    for earlier, later in itertools.pairwise(windows):
        assert earlier.first_turn < later.first_turn <= earlier.last_turn + 1
        assert earlier.last_turn < later.last_turn
    assert windows[0].is_whole == (len(windows) == 1)


def test_a_window_repeats_the_last_turns_of_the_one_before_where_they_are_short():
    turns = [Turn(role="user", text="x") for _ in range(10)]
    long = [Turn(role="user", text="x" * 30) for _ in range(10)]

    windows = transcript_windows(turns, max_chars=100, overlap_turns=2)
    windows_of_long_turns = transcript_windows(long, max_chars=100, overlap_turns=2)

    assert [(w.first_turn, w.last_turn) for w in windows] == [(0, 7), (6, 9)]
    assert [w.first_turn for w in windows_of_long_turns] == [0, 2, 4, 6, 8]


def test_the_version_names_the_wording_that_a_judge_is_asked_with():
    assert judge_prompt_version("embedded/x") == judge_prompt_version("y/z", "logprobs")
    assert judge_prompt_version("y/z") != judge_prompt_version("embedded/x")
    assert re.fullmatch(r"[0-9a-f]{12}", judge_prompt_version("y/z"))
