"""Calls made up by chance: what holds of every call holds of these."""

import random
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from conversation.errors import ModelUnavailableError, SpeechError
from conversation.voice.ports import SAMPLE_RATE_HZ
from tests.conversation.voice.calling.played import (
    Played,
    SlowChatModel,
    Step,
    agent,
    check,
    play,
    says,
)
from tests.conversation.voice.fakes import (
    FakeModels,
    FakeSynthesizer,
    FakeTranscriber,
    FakeTurnEnd,
)

ANSWERS = (
    "We are open from nine to five, and on Sunday we are closed. Do come and see us.",
    "It costs **$42** a year (see [the rules](https://x.example/a)). Anything else?",
    "Fine, my dear friend, and then we go on. Good!",
    "Yes.",
    "",
)
SAID = ("When are you open", "okay", "wait what about Saturday", "and", "my number is 5 5 5", "x")


def random_script(chance: random.Random) -> tuple[list[Step], float]:
    script: list[Step] = []
    at_s = chance.uniform(0.0, 1.5)
    for _ in range(chance.randint(1, 6)):
        kind = chance.random()
        if kind < 0.75:
            text = chance.choice(SAID)
            script.append(says(round(at_s, 2), text))
            at_s += len(text.split()) * 0.32
        elif kind < 0.85:
            script.append((round(at_s, 2), lambda call: call.say("Typed question?")))
        elif kind < 0.95:
            script.append((round(at_s, 2), lambda call: call.interrupt()))
        else:
            script.append((round(at_s, 2), lambda call: call.note("The page is open.")))
        at_s += chance.choice((0.05, 0.2, 0.4, 0.8, 1.5, 3.0))
    return script, at_s


def random_call(seed: int) -> Played:
    chance = random.Random(seed)
    script, ends_s = random_script(chance)

    def sometimes(share: float) -> Callable[[int], BaseException | None]:
        return lambda number: SpeechError("broken") if chance.random() < share else None

    def answer(*_: Any) -> Any:
        fails = chance.random() < 0.1
        return ModelUnavailableError("away") if fails else chance.choice(ANSWERS)

    models = FakeModels(
        transcriber=FakeTranscriber(
            takes_s=chance.choice((0.0, 0.1, 0.5, 2.0)),
            fails=sometimes(chance.choice((0.0, 0.0, 0.3))),
            understands=lambda text: text.replace("x", ""),
        ),
        turn_end=chance.choice((None, FakeTurnEnd(sure=0.1), FakeTurnEnd(sure=0.9, takes_s=0.5))),
        synthesizer=FakeSynthesizer(
            takes_s=chance.choice((0.0, 0.1, 0.5)),
            aligns=chance.random() < 0.7,
            fails=sometimes(chance.choice((0.0, 0.0, 0.3))),
        ),
    )
    config = agent(
        first_message=chance.choice(("", "Hello there my friend, how are you?")),
        voice={
            "turn": {
                "interruptions": chance.random() < 0.85,
                "soft_timeout_s": chance.choice((None, 0.5)),
                "eagerness": chance.choice(("eager", "normal", "patient")),
            },
            "stt": {"tentative": chance.random() < 0.7},
        },
        turn_taking={
            "silence_timeout_s": chance.choice((None, 1.0, 3.0)),
            "max_duration_s": chance.choice((3_600.0, ends_s + 1.0)),
            "goodbye_message": chance.choice(("", "Bye now.")),
        },
    )
    model = SlowChatModel(
        always=answer,
        first_s=chance.choice((0.0, 0.3, 1.5)),
        word_s=chance.choice((0.0, 0.02, 0.2)),
    )
    return play(
        script,
        config=config,
        models=models,
        model=model,
        lasts_s=ends_s + chance.choice((0.5, 5.0)),
        mutes=chance.random() < 0.2,
        reads_s=chance.choice((0.0, 0.0, 0.01)),
    )


@pytest.mark.parametrize("seed", range(24))
def test_a_call_made_up_by_chance(seed: int):
    played = random_call(seed)

    check(played)
    for turn in played.transcript.turns:
        if turn.sound is None:
            continue
        assert turn.sound.start_s <= turn.sound.end_s + 1e-6
        ends = [word.end_s for word in turn.sound.words]
        assert ends == sorted(ends)
        text = turn.text if turn.interrupted else turn.generated_text or turn.text
        assert all(word.end_char <= len(text) for word in turn.sound.words)
    said = sorted(played.recorder.agent, key=lambda each: each[0])
    for (begins_s, samples), (next_s, _) in pairwise(said):
        assert begins_s + len(samples) / SAMPLE_RATE_HZ <= next_s + 1e-3, "two voices at once"
