"""The check of voices and ears: with models at the ports replaced, and the real ones (slow)."""

import importlib.util
import wave
from collections.abc import AsyncIterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from conversation.errors import SpeechError
from conversation.voice.open_voice import VoiceModels
from conversation.voice.ports import Samples, SpeechChunk, Transcription
from orchestration.checks.voice import SENTENCE, SENTENCES, VoiceCheck, measured
from orchestration.cli.main import app
from orchestration.errors import SoundFileError


class Mouth:
    name = "fake/mouth"
    sample_rate_hz = 22_050

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        for _ in range(2):
            yield SpeechChunk(np.full(self.sample_rate_hz, 500, np.int16))


class Ear:
    """Hears what it is told, and remembers how long the sound was."""

    name = "fake/ear"

    def __init__(self, heard: str) -> None:
        self._heard = heard
        self.lengths: list[int] = []

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        self.lengths.append(len(samples))
        return Transcription(self._heard, language)

    async def probability(self, samples: Samples) -> float:
        return 1.0


class Detector:
    def probability(self, frame: Samples) -> float:
        return 0.9

    def reset(self) -> None:
        """Nothing is remembered."""


class Words:
    def probability(self, text: str, *, language: str) -> float:
        return 0.9


async def check(heard: str, file: Path, language: str = "en") -> tuple[VoiceCheck, Ear]:
    ear = Ear(heard)
    models = VoiceModels(Detector, ear, ear, Words(), Mouth())
    return await measured(models, language=language, file=file, load_s=1.5), ear


async def test_a_sentence_is_written_and_heard_again_at_the_rate_of_ears(tmp_path: Path):
    found, ear = await check(SENTENCE.lower().rstrip("."), tmp_path / "new" / "check.wav")

    assert found.is_understood
    assert (found.voice, found.ear, found.load_s) == ("fake/mouth", "fake/ear", 1.5)
    assert found.spoken_s == 2.0
    assert ear.lengths[-1] == pytest.approx(2.2 * 16_000, abs=20), "with the pause after it"
    with wave.open(str(found.file)) as file:
        assert (file.getframerate(), file.getnframes()) == (22_050, 44_100)
    assert found.answer_s >= 0.2 + found.first_sound_s


async def test_the_sentence_is_one_of_the_agents_language(tmp_path: Path):
    for language, sentence in SENTENCES.items():
        found, _ = await check(sentence.lower(), tmp_path / "check.wav", f"{language}-XX")
        assert (found.said, found.is_understood) == (sentence, True)
    assert (await check(SENTENCE, tmp_path / "check.wav", "sw"))[0].said == SENTENCE


@pytest.mark.parametrize("heard", ["", "This is a check", "something else altogether, of course"])
async def test_other_words_are_not_understood(heard: str, tmp_path: Path):
    assert not (await check(heard, tmp_path / "check.wav"))[0].is_understood


async def test_a_place_that_cannot_be_written_is_one_sentence(tmp_path: Path):
    (tmp_path / "taken").write_text("a file\n", "utf-8")

    for file in (tmp_path, tmp_path / "taken" / "check.wav"):
        with pytest.raises(SoundFileError, match="cannot be written"):
            await check(SENTENCE, file)


def test_no_file_of_a_call_takes_the_place_of_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    write_sound(tmp_path / "call.wav")
    before = (tmp_path / "call.wav").read_bytes()
    (tmp_path / "there.json").mkdir()

    for out, told in (
        (["--out", "./call.wav"], "is the recording"),
        ([], "is the recording"),
        (["--out", "other.json"], r"The transcript .* 'other\.json'"),
        (["--out", "there.wav"], r"The transcript .* 'there\.json'"),
    ):
        with pytest.raises(SoundFileError, match=told):
            CliRunner().invoke(app, ["call", "support", "call.wav", *out], catch_exceptions=False)

    assert (tmp_path / "call.wav").read_bytes() == before
    assert {path.name for path in tmp_path.iterdir()} == {"call.wav", "there.json"}


def write_sound(file: Path) -> None:
    with wave.open(str(file), "wb") as written:
        written.setnchannels(1)
        written.setsampwidth(2)
        written.setframerate(16_000)
        written.writeframes(bytes(3_200))


def test_without_the_extra_the_command_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    found = importlib.util.find_spec

    def find_spec(name: str, package: str | None = None) -> ModuleSpec | None:
        return None if name == "ctranslate2" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", find_spec)
    monkeypatch.chdir(tmp_path)

    with pytest.raises(SpeechError, match=r"pip install 'vivavoce\[voice\]'"):
        CliRunner().invoke(app, ["voice", "check"], catch_exceptions=False)
    assert list(tmp_path.glob("*.wav")) == []


@pytest.mark.slow
def test_this_machine_speaks_and_hears(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    pytest.importorskip("ctranslate2", reason="the extra `voice` is not installed")
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(app, ["voice", "check"], catch_exceptions=False)

    assert result.exit_code == 0
    assert "embedded/piper:joe" in result.output
    assert "embedded/whisper-base" in result.output
    assert (tmp_path / "voice-check.wav").stat().st_size > 100_000
