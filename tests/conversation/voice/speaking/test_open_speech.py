import logging
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from conversation.agent.models.voice_config import VoiceSection
from conversation.errors import SpeechError
from conversation.voice.ports import SpeechChunk, TimedChars
from conversation.voice.speaking.embedded_voices import embedded_voice_of, open_embedded
from conversation.voice.speaking.fallback_speech import FallbackSpeech
from conversation.voice.speaking.open_speech import open_speech
from tests.conversation.voice.speaking.providers.no_weights import without_weights
from tests.conversation.voice.speaking.providers.speech_server import (
    Answer,
    SpeechServer,
    raw,
    tone,
)


def opened(section: dict[str, Any], *, language: str = "en", **secrets: str) -> Any:
    return open_speech(
        VoiceSection.model_validate(section),
        language=language,
        weights=without_weights(),
        secret=secrets.get,
    )


@pytest.mark.parametrize(
    ("section", "voice"),
    [
        ({}, "joe"),
        ({"voice_id": "emma"}, "emma"),
        ({"voice_id": "joe", "tts": {"model": "embedded/piper"}}, "joe"),
        ({"tts": {"model": "embedded/kokoro"}}, "heart"),
        ({"voice_id": "voices/anna.onnx"}, "voices/anna.onnx"),
        ({"voice_id": "voices/anna.onnx", "tts": {"model": "embedded/piper"}}, "voices/anna.onnx"),
        ({"voice_id": "somebody of a provider"}, "joe"),
    ],
)
def test_the_embedded_voice_of_a_section(section: dict[str, Any], voice: str):
    assert embedded_voice_of(VoiceSection.model_validate(section)) == voice


@pytest.mark.parametrize("language", ["es", "es-MX", "ES_es"])
@pytest.mark.parametrize(
    ("section", "voice"),
    [
        ({}, "dora"),
        ({"voice_id": "alex"}, "alex"),
        ({"tts": {"model": "embedded/kokoro"}}, "dora"),
        ({"voice_id": "somebody of a provider"}, "dora"),
    ],
)
def test_an_agent_in_spanish_has_a_voice_that_speaks_it(
    section: dict[str, Any], voice: str, language: str
):
    assert embedded_voice_of(VoiceSection.model_validate(section), language) == voice
    with pytest.raises(SpeechError, match="no weights named"):
        opened(section, language=language)


@pytest.mark.parametrize(
    ("voice", "language", "message"),
    [
        ("joe", "es", "speaks English, not 'es'.*voice_id: dora.*voice_id: alex"),
        ("voices/anna.onnx", "es", "speaks English, not 'es'.*voice_id: dora"),
        ("dora", "en", "speaks Spanish, not 'en'.*voice_id: joe"),
        ("alex", "de", "speaks Spanish, not 'de'.*provider"),
    ],
)
def test_a_voice_that_does_not_fit_the_language_says_which_does(
    voice: str, language: str, message: str
):
    with pytest.raises(SpeechError, match=message):
        opened({"voice_id": voice}, language=language)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"voice_id": "joe", "tts": {"model": "embedded/kokoro"}}, "heart, michael"),
        ({"voice_id": "heart", "tts": {"model": "embedded/piper"}}, "joe"),
        ({"tts": {"model": "embedded/festival"}}, "embedded/piper"),
        ({"voice_id": "a.onnx", "tts": {"model": "embedded/kokoro"}}, "is a Piper voice"),
        ({"voice_id": "voices/nobody.onnx"}, "There is no Piper voice"),
        ({"tts": {"model": "openai/tts-1"}}, "OPENAI_API_KEY"),
        ({"tts": {"model": "openai/tts-1", "api_key_variable": "OURS"}}, "OURS"),
        ({"tts": {"model": "elevenlabs/eleven_v3"}}, "voice_id"),
        ({"voice_id": "anna", "tts": {"model": "elevenlabs/eleven_v3"}}, "ELEVENLABS_API_KEY"),
        ({"voice_id": "joe", "tts": {"model": "openai/tts-1"}}, "is an embedded voice"),
        ({"tts": {"model": "aws_polly/neural"}}, "voice_id"),
        ({"voice_id": "Joanna", "tts": {"model": "aws_polly/neural", "speed": 1.1}}, "speed"),
        (
            {"voice_id": "x", "tts": {"model": "openai/t", "api_base": "ftp://a", "fallbacks": []}},
            None,
        ),
    ],
)
def test_what_cannot_be_used_is_said_when_it_is_opened(
    section: dict[str, Any], message: str | None
):
    if message is None:
        opened(section)
        return
    with pytest.raises(SpeechError, match=message):
        opened(section)


@pytest.mark.parametrize("name", ["stability", "similarity_boost", "style"])
def test_settings_of_elevenlabs_are_refused_where_they_would_do_nothing(name: str):
    for model in ({}, {"model": "openai/tts-1"}, {"model": "embedded/piper"}):
        with pytest.raises(ValidationError, match=name):
            VoiceSection.model_validate({"tts": {**model, name: 0.5}})
    fallback = {"model": "elevenlabs/eleven_v3", "voice_id": "anna"}
    VoiceSection.model_validate(
        {"tts": {"model": "openai/tts-1", name: 0.5, "fallbacks": [fallback]}}
    )


@pytest.mark.parametrize("language", ["de", "pl-PL", "zh_CN", "fr", "pt-br"])
@pytest.mark.parametrize("voice", ["default", "heart", "voices/anna.onnx"])
def test_no_embedded_voice_reads_another_language_as_if_it_were_english(voice: str, language: str):
    with pytest.raises(SpeechError, match="speaks English, not"):
        opened({"voice_id": voice}, language=language)


@pytest.mark.parametrize("language", ["en", "en-US", "en_GB", "EN"])
def test_english_by_any_name_is_english(language: str):
    with pytest.raises(SpeechError, match="no weights named"):
        opened({}, language=language)


async def test_a_provider_is_followed_by_its_fallbacks():
    async with SpeechServer([Answer(status=500), Answer([raw(tone(0.5))])]) as server:
        voice = opened(
            {
                "voice_id": "nova",
                "tts": {
                    "model": "openai/best",
                    "api_base": server.address,
                    "fallbacks": [{"model": "openai/other", "api_base": server.address}],
                },
            }
        )
        chunks = [chunk async for chunk in voice.speak("We are back.", language="en")]

    assert isinstance(voice, FallbackSpeech)
    assert [asked.body["model"] for asked in server.asked] == ["best", "other"]
    assert [asked.body["voice"] for asked in server.asked] == ["nova", "nova"]
    assert voice.failures == {"openai/best:nova": 1}
    assert "".join(t.chars for chunk in chunks for t in chunk.alignment) == "We are back."


def test_without_files_of_an_embedded_voice_a_provider_speaks_alone(
    caplog: pytest.LogCaptureFixture,
):
    caplog.set_level(logging.WARNING)
    voice = opened({"tts": {"model": "openai/tts-1"}}, OPENAI_API_KEY="k")

    assert voice.name == "openai/tts-1:alloy"
    assert "no embedded voice speaks when providers fail" in caplog.text


def test_a_language_that_no_embedded_voice_speaks_is_left_to_providers():
    voice = opened({"tts": {"model": "openai/tts-1"}}, language="de", OPENAI_API_KEY="k")

    assert voice.name == "openai/tts-1:alloy"


class Kokoro:
    """Says a second of nothing, at its own rate."""

    def __init__(self, name: str, language: str) -> None:
        self.name, self.language, self.sample_rate_hz = name, language, 24_000
        self.said: list[tuple[str, str]] = []

    async def speak(self, clause: str, *, language: str, is_first: bool = False):
        self.said.append((clause, language))
        yield SpeechChunk(np.zeros(24_000, np.int16), (TimedChars(clause, 0.0, 1.0),))


async def test_an_agent_of_two_languages_has_a_voice_for_each(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    from conversation.voice.speaking import open_speech as module

    made: dict[str, Kokoro] = {}

    def opened_embedded(name: str, *, language: str, **_: Any) -> Kokoro:
        made[name] = Kokoro(name, language)
        made[name].sample_rate_hz = 22_050 if name == "joe" else 24_000
        return made[name]

    monkeypatch.setattr(module, "EmbeddedSpeech", Kokoro)
    monkeypatch.setattr(module, "open_embedded", opened_embedded)
    monkeypatch.setattr(module, "fetch_embedded", lambda *_: None)  # pyright: ignore
    caplog.set_level(logging.WARNING)
    voice = module.open_speech(
        VoiceSection(),
        language="en",
        further_languages=("es-MX", "es", "en-GB", "de"),
        weights=without_weights(),
    )
    assert list(made) == ["joe"], "the other one is loaded when it is needed"

    for clause, language in (("Hola.", "es-MX"), ("Hello.", "en"), ("Hello.", "en-GB")):
        chunks = [chunk async for chunk in voice.speak(clause, language=language)]
        rate = voice.sample_rate_hz
        assert sum(len(chunk.samples) for chunk in chunks) == pytest.approx(
            24_000 * (rate / 24_000 if clause == "Hola." else 1), abs=2
        )
        assert "".join(t.chars for chunk in chunks for t in chunk.alignment) == clause

    assert (voice.name, voice.sample_rate_hz) == ("joe", 22_050)
    assert made["dora"].said == [("Hola.", "es-MX")]
    assert made["joe"].said == [("Hello.", "en"), ("Hello.", "en-GB")]
    assert caplog.text.count("nothing will be said in 'de'") == 1
    assert "'es'" not in caplog.text


def test_a_path_names_the_voice():
    with pytest.raises(SpeechError, match=r"no Piper voice at no/where\.onnx"):
        open_embedded(
            "no/where.onnx",
            language="en",
            speed=1.0,
            weights=without_weights(),
            runner=None,  # type: ignore[arg-type]
        )


def test_languages_that_the_voice_does_not_speak_are_told_when_it_is_opened(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    from conversation.voice.speaking import open_speech as module

    class Joe:
        name = "embedded/piper:joe"
        language = "en"

    monkeypatch.setattr(module, "EmbeddedSpeech", Joe)
    monkeypatch.setattr(module, "open_embedded", lambda *_, **__: Joe())  # pyright: ignore
    caplog.set_level(logging.WARNING)
    module.open_speech(
        VoiceSection(), language="en", further_languages=("en-GB", "de"), weights=without_weights()
    )

    assert "nothing will be said in 'de'" in caplog.text
    assert "en-GB" not in caplog.text


@pytest.mark.parametrize(
    ("voice_id", "found"),
    [
        ("voices/anna.onnx", "/agents/voices/anna.onnx"),
        ("../anna.onnx", "/agents/../anna.onnx"),
        ("/elsewhere/anna.onnx", "/elsewhere/anna.onnx"),
        ("joe", "joe"),
        ("a name of a provider", "a name of a provider"),
    ],
)
def test_paths_of_voices_begin_at_the_folder_of_the_agent_file(voice_id: str, found: str):
    fallback = {"model": "embedded/piper", "voice_id": voice_id}
    section = VoiceSection.model_validate({"voice_id": voice_id, "tts": {"fallbacks": [fallback]}})

    beside = section.beside(Path("/agents"))

    assert beside.voice_id == found
    assert beside.tts.fallbacks[0].voice_id == found


def test_a_path_from_home_stays_there():
    section = VoiceSection(voice_id="~/anna.onnx")

    assert section.beside(Path("/agents")).voice_id == str(Path.home() / "anna.onnx")
