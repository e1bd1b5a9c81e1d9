"""Ears and voices of a deployment: loaded in time, or the agent is offered by text."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from conversation.agent.config import AgentConfig
from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import SpeechError
from conversation.voice.ports import CallModels
from orchestration.deployment import Deployment
from orchestration.server.voices import TRY_AGAIN_AFTER_S, DeployedVoices
from tests.conversation.voice.fakes import FakeModels
from tests.orchestration.sample import write_data

SPEAKING = AgentConfig.model_validate(
    {"agent_id": "desk", "name": "Desk", "voice": {"stt": {"model": "openai/whisper-1"}}}
)
SILENT = AgentConfig(agent_id="mute", name="Mute")


class Clock:
    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def voices(
    tmp_path: Path, open_models: Callable[..., CallModels], clock: Clock, max_wait_s: float = 60
) -> DeployedVoices:
    deployment = Deployment(write_data(tmp_path / "data"))
    return DeployedVoices(deployment, open_models=open_models, max_wait_s=max_wait_s, timer_s=clock)


def test_models_are_those_of_the_agents_voice_and_language(tmp_path: Path):
    asked: list[tuple[Any, ...]] = []
    found = FakeModels()

    def open_models(voice: Any, *, language: str, **_: Any) -> CallModels:
        asked.append((voice, language))
        return found

    served = voices(tmp_path, open_models, Clock())

    assert served.models(SPEAKING) is found
    assert asked == [(SPEAKING.voice, "en")]
    assert served.can_speak_for(SPEAKING)
    assert not served.can_speak_for(SILENT)


def test_the_path_of_a_voice_begins_at_the_agent_file(tmp_path: Path):
    asked: list[VoiceSection] = []

    def open_models(voice: VoiceSection, **_: Any) -> CallModels:
        asked.append(voice)
        return FakeModels()

    own = SPEAKING.model_copy(update={"voice": VoiceSection(voice_id="voices/anna.onnx")})
    voices(tmp_path, open_models, Clock()).models(own)

    assert Path(asked[0].voice_id) == tmp_path / "data" / "agents" / "voices" / "anna.onnx"


@pytest.mark.parametrize("error", [SpeechError("no such voice"), RuntimeError("a bug")])
def test_a_voice_that_fails_is_tried_again_after_a_while(tmp_path: Path, error: Exception):
    def open_models(*_: Any, **__: Any) -> CallModels:
        raise error

    clock = Clock()
    served = voices(tmp_path, open_models, clock)
    with pytest.raises(SpeechError):
        served.models(SPEAKING)

    assert not served.can_speak_for(SPEAKING)
    clock.now_s = TRY_AGAIN_AFTER_S + 1
    assert served.can_speak_for(SPEAKING)


def test_a_voice_that_one_session_chose_and_cannot_be_used_silences_nobody_else(tmp_path: Path):
    def open_models(voice: VoiceSection, **_: Any) -> CallModels:
        if voice.voice_id == "nobody":
            raise SpeechError("no such voice")
        return FakeModels()

    served = voices(tmp_path, open_models, Clock())
    chosen = SPEAKING.model_copy(update={"voice": VoiceSection(voice_id="nobody")})
    with pytest.raises(SpeechError):
        served.models(chosen)

    assert not served.can_speak_for(chosen)
    assert served.can_speak_for(SPEAKING)
    assert served.models(SPEAKING)


def test_nobody_waits_for_a_download_and_it_goes_on(tmp_path: Path):
    downloaded, opened = threading.Event(), threading.Event()

    def open_models(*_: Any, **__: Any) -> CallModels:
        downloaded.wait(60)
        opened.set()
        return FakeModels()

    served = voices(tmp_path, open_models, Clock(), max_wait_s=0.01)
    with pytest.raises(SpeechError, match="--preload"):
        served.models(SPEAKING)

    assert not served.can_speak_for(SPEAKING)
    downloaded.set()
    assert opened.wait(60)


def test_loading_beforehand_says_who_has_no_voice(tmp_path: Path):
    def open_models(*_: Any, **__: Any) -> CallModels:
        raise SpeechError("weights are missing")

    served = voices(tmp_path, open_models, Clock())

    assert served.preload([SPEAKING, SILENT]) == ["desk: weights are missing"]


def test_the_extra_is_missed_before_anybody_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    embedded = AgentConfig.model_validate({"agent_id": "desk", "name": "Desk", "voice": {}})
    monkeypatch.setattr("orchestration.server.voices.find_spec", lambda _name: None)
    served = voices(tmp_path, lambda *_, **__: FakeModels(), Clock())

    assert not served.can_speak_for(embedded)
    assert served.can_speak_for(SPEAKING), "its ears are a provider's"
