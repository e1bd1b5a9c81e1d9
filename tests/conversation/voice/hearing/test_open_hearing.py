"""What is said when the models of a voice call cannot be used."""

import importlib.util
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from conversation.agent.models.voice_config import SpeechToTextSection, VoiceSection
from conversation.errors import SpeechError
from conversation.voice.hearing.open_hearing import open_hearing, open_transcriber
from conversation.voice.models.runner import ModelRunner
from conversation.voice.models.shared import load_once
from kb.weights.folder import Weights
from tests.fakes import SilentReporter


@pytest.fixture
def nowhere(tmp_path: Path) -> Weights:
    """Weights of which none lie here, and none may be fetched."""
    return Weights(tmp_path, ("folder",), SilentReporter())


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ctranslate2" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)


def test_weights_that_are_missing_are_named_with_what_to_do(nowhere: Weights):
    with pytest.raises(SpeechError, match=r"'silero-vad' could not be fetched .* Put them"):
        open_hearing(VoiceSection(), languages=("en",), weights=nowhere)


@pytest.mark.usefixtures("without_extra")
def test_without_the_extra_the_error_names_it(nowhere: Weights):
    with pytest.raises(SpeechError, match=r"pip install 'vivavoce\[voice\]'"):
        open_transcriber(
            SpeechToTextSection(), languages=("en",), weights=nowhere, runner=ModelRunner()
        )


def test_an_embedded_model_that_does_not_exist_lists_those_that_do(nowhere: Weights):
    section = SpeechToTextSection(model="embedded/whisper-huge")

    with pytest.raises(SpeechError, match=r"'embedded/whisper-huge' .* embedded/whisper-base"):
        open_transcriber(section, languages=("en",), weights=nowhere, runner=ModelRunner())


def test_a_provider_without_its_key_is_said_at_once(nowhere: Weights):
    section = SpeechToTextSection(model="deepgram/nova-3", api_key_variable="EAR_KEY")

    with pytest.raises(SpeechError, match="EAR_KEY"):
        open_transcriber(
            section, languages=("en",), weights=nowhere, runner=ModelRunner(), secret={}.get
        )


def test_what_is_loaded_once_is_shared_and_a_failure_is_tried_again():
    made: list[int] = []

    def fail() -> int:
        raise SpeechError("damaged")

    def make() -> int:
        made.append(1)
        return len(made)

    with pytest.raises(SpeechError):
        load_once(("test", "once"), fail)
    assert load_once(("test", "once"), make) == 1
    assert load_once(("test", "once"), make) == 1
