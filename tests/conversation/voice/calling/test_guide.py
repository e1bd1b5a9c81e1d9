"""The call that the guide shows, held with models of the tests."""

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conversation.store import store as stores
from conversation.store.store import ConversationStore
from conversation.voice.ports import Samples
from tests.conversation.voice.calling.played import agent
from tests.conversation.voice.fakes import FakeModels, silence, spoken
from tests.virtual_time import run_in_virtual_time

GUIDE = Path(__file__).parents[4] / "conversation" / "README.md"


class Microphone:
    """Says one sentence, over what the agent says."""

    def start(self, hear: Callable[[Samples], None]) -> None:
        async def talk() -> None:
            for samples in (silence(0.6), spoken("wait I have a question"), silence(5.0)):
                for start in range(0, len(samples), 512):
                    await asyncio.sleep(0.032)
                    hear(samples[start : start + 512])

        self.task = asyncio.create_task(talk())


class Speaker:
    """Counts what is played."""

    def __init__(self) -> None:
        self.samples = 0
        self.flushes = 0

    def play(self, samples: Samples) -> None:
        self.samples += len(samples)

    def flush(self) -> None:
        self.flushes += 1


def test_the_call_in_the_guide_is_held(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text("utf-8"), re.M | re.S)
    [block] = [block for block in blocks if "VoiceCall" in block]
    names: dict[str, Any] = {}
    exec(block, names)
    config = agent(
        first_message="Hello and welcome to the library, how can I help you today?",
        llm={"model": "embedded/extractive"},
        turn_taking={"max_duration_s": 8.0},
    )
    speaker = Speaker()

    run_in_virtual_time(names["talk"](config, None, Microphone(), speaker, FakeModels()))

    said = capsys.readouterr().out.splitlines()
    assert said[0] == config.first_message
    assert said[1] == "wait I have a question"
    assert len(said) == 3
    assert (speaker.flushes, speaker.samples > 16_000) == (1, True)
    with ConversationStore.open(stores.DEFAULT_STORE_URL) as store:
        [summary] = store.conversations()
        assert summary.end_reason == "max_duration"
