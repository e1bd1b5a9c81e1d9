"""The real voices. Weights are fetched once; bounds are in seconds of one core, and generous."""

import re
import shutil
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversation.voice.models.runner import ModelRunner
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.embedded_speech import EmbeddedSpeech
from conversation.voice.speaking.embedded_voices import open_embedded
from conversation.voice.speaking.piper.piper_graph import split_graph
from conversation.voice.speaking.piper.piper_voice import PiperVoice, frame_ranges, phoneme_ids
from kb.weights.folder import Weights
from kb.weights.voice_models import PIPER_JOE

pytestmark = pytest.mark.slow

CLAUSE = "You can return any item within thirty days, and we refund the full price."


@pytest.fixture(scope="module")
def weights() -> Weights:
    return Weights()


@pytest.fixture(scope="module")
def runner() -> ModelRunner:
    return ModelRunner(workers=1)


def opened(name: str, weights: Weights, runner: ModelRunner, speed: float = 1.0) -> EmbeddedSpeech:
    return open_embedded(name, language="en", speed=speed, weights=weights, runner=runner)


async def spoken(voice: EmbeddedSpeech, clause: str = CLAUSE) -> list[SpeechChunk]:
    return [chunk async for chunk in voice.speak(clause, language="en", is_first=True)]


def seconds(chunks: Sequence[SpeechChunk], voice: EmbeddedSpeech) -> float:
    return sum(len(chunk.samples) for chunk in chunks) / voice.sample_rate_hz


def assert_words_have_times(chunks: Sequence[SpeechChunk], voice: EmbeddedSpeech) -> None:
    timed = [each for chunk in chunks for each in chunk.alignment]
    assert "".join(each.chars for each in timed) == CLAUSE
    assert all(one.start_s <= other.start_s for one, other in pairwise(timed))
    said = [each for each in timed if each.chars.isalpha()]
    assert len(said) == len(CLAUSE.split())
    assert all(0.03 < each.duration_s < 1.2 for each in said)
    end_s = timed[-1].start_s + timed[-1].duration_s
    assert seconds(chunks, voice) - 0.3 < end_s <= seconds(chunks, voice) + 1e-6


async def test_spanish_is_understood_by_the_embedded_ears(weights: Weights, runner: ModelRunner):
    from conversation.agent.models.voice_config import VoiceSection
    from conversation.voice.audio import resampled
    from conversation.voice.hearing.open_hearing import open_hearing

    voice = open_embedded("dora", language="es-MX", speed=1.0, weights=weights, runner=runner)
    clause = "Puede devolver cualquier artículo, y le devolvemos el dinero."
    chunks = [chunk async for chunk in voice.speak(clause, language="es")]
    sound = np.concatenate([chunk.samples for chunk in chunks])
    ear = open_hearing(VoiceSection(), languages=("es",), runner=runner).transcriber
    heard = await ear.transcribe(
        resampled(sound, from_hz=voice.sample_rate_hz, to_hz=16_000), language="es"
    )

    # Ears are wrong in one word of twenty.
    said, understood = (set(re.findall(r"\w+", text.lower())) for text in (clause, heard.text))
    assert len(said - understood) <= 1
    assert "".join(each.chars for chunk in chunks for each in chunk.alignment) == clause


async def test_joe_is_heard_at_once_and_knows_when_he_says_what(
    weights: Weights, runner: ModelRunner
):
    voice = opened("joe", weights, runner)
    await spoken(voice)
    started = time.process_time()
    chunks: list[SpeechChunk] = []
    first_s = 0.0
    async for chunk in voice.speak(CLAUSE, language="en", is_first=True):
        first_s = first_s or time.process_time() - started
        chunks.append(chunk)

    assert first_s < 0.4
    assert len(chunks) > 3
    assert 3 < seconds(chunks, voice) < 7
    assert_words_have_times(chunks, voice)
    loudness = np.abs(np.concatenate([chunk.samples for chunk in chunks]).astype(float)).mean()
    assert 300 < loudness < 6_000


async def test_joe_sounds_in_chunks_as_in_one_run(weights: Weights, runner: ModelRunner):
    speech = opened("joe", weights, runner)
    voice: Any = speech._voice
    parts = speech._speaker.pronounce(CLAUSE).parts
    ids = phoneme_ids(parts, voice._config.phoneme_id_map).ids
    frames, conditions, durations = voice.encode(ids, speed=1.0)
    total = frames.shape[2]
    whole = voice.sound(frames, conditions, 0, total)
    pieces = [voice.sound(frames, conditions, *each) for each in frame_ranges(total)]

    assert durations.sum() == total
    assert len(pieces) > 3
    # What is left is the order in which floats are added.
    assert np.abs(np.concatenate(pieces) - whole).max() < 5e-6


@pytest.mark.parametrize("name", ["joe", "heart"])
async def test_speed_is_heard(name: str, weights: Weights, runner: ModelRunner):
    slow, fast = (opened(name, weights, runner, speed) for speed in (0.7, 1.2))
    lasts = [
        seconds(await spoken(voice, "Hello there, my friend."), voice) for voice in (slow, fast)
    ]

    assert 1.3 < lasts[0] / lasts[1] < 2.2


@pytest.mark.parametrize("name", ["heart", "michael", "emma", "george", "bella"])
async def test_kokoro_speaks_without_long_silence(name: str, weights: Weights, runner: ModelRunner):
    voice = opened(name, weights, runner)
    (chunk,) = await spoken(voice)
    sound = np.abs(chunk.samples.astype(float))
    loud = np.flatnonzero(sound > 0.05 * sound.max())

    assert loud[0] / voice.sample_rate_hz < 0.15
    assert (len(sound) - loud[-1]) / voice.sample_rate_hz < 0.35
    assert_words_have_times([chunk], voice)


async def test_a_voice_by_its_path_speaks_and_its_parts_are_kept(
    weights: Weights, runner: ModelRunner, tmp_path: Path
):
    joe = weights.resolve(PIPER_JOE) / "en_US-joe-medium.onnx"
    path = tmp_path / "anna.onnx"
    shutil.copy(joe, path)
    shutil.copy(f"{joe}.json", f"{path}.json")
    voice = opened(str(path), weights, runner)
    assert_words_have_times(await spoken(voice), voice)
    assert voice.name == "embedded/piper:anna"

    made = split_graph(path, tmp_path / "parts")
    before = made.encoder.stat().st_mtime_ns
    assert split_graph(path, tmp_path / "parts").encoder.stat().st_mtime_ns == before
    made.decoder.write_bytes(b"damaged")
    mended = split_graph(path, tmp_path / "parts")
    assert mended.decoder.stat().st_size > 1_000_000
    assert isinstance(voice._voice, PiperVoice)


@pytest.mark.parametrize(
    "clause",
    [
        "I",
        "Hm.",
        "A B C",
        "U.S.",
        "zzzz",
        "Donaudampfschifffahrtsgesellschaft",
        "x" * 300,
        "Ok, " * 90,
    ],
)
async def test_whatever_is_written_is_said(clause: str, weights: Weights, runner: ModelRunner):
    voice = opened("joe", weights, runner)
    chunks = await spoken(voice, clause)

    assert "".join(timed.chars for chunk in chunks for timed in chunk.alignment) == clause
    assert seconds(chunks, voice) > 0.1
