"""The real models on real speech. Weights are fetched once; bounds are in seconds of one core."""

import json
import time
import wave
from pathlib import Path

import numpy as np
import pytest

from conversation.agent.models.voice_config import VoiceSection
from conversation.voice.hearing.open_hearing import Hearing, open_hearing
from conversation.voice.ports import FRAME_SAMPLES, Samples

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def hearing() -> Hearing:
    pytest.importorskip("ctranslate2", reason="the extra `voice` is not installed")
    return open_hearing(VoiceSection(), languages=("en",))


@pytest.fixture
def clips(datasets: Path) -> list[tuple[str, Samples]]:
    folder = datasets / "audio_speech" / "dev"
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return [(row["text"], read(folder / row["file"])) for row in rows]


def read(path: Path) -> Samples:
    with wave.open(str(path)) as file:
        return np.frombuffer(file.readframes(file.getnframes()), np.int16)


async def test_words_are_heard_in_a_fifth_of_a_second(
    hearing: Hearing, clips: list[tuple[str, Samples]]
):
    await hearing.transcriber.transcribe(clips[0][1], language="en")
    for said, samples in clips:
        started = time.process_time()
        heard = await hearing.transcriber.transcribe(samples, language="en")
        took_s = time.process_time() - started

        assert took_s < 0.6
        assert said.split()[-1] in heard.text.lower() or heard.text == "5 5"


def test_the_detector_hears_voices_and_nothing_in_noise(
    hearing: Hearing, clips: list[tuple[str, Samples]]
):
    noise = np.random.default_rng(3).normal(0, 800, 5 * 16_000).astype(np.int16)

    for samples, is_voice in [*((samples, True) for _, samples in clips), (noise, False)]:
        detector = hearing.new_detector()
        frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES]
        found = [detector.probability(frame) for frame in frames.reshape(-1, FRAME_SAMPLES)]
        assert (max(found) > 0.9) is is_voice
        assert max(found) > 0.9 or max(found) < 0.2


def test_calls_do_not_hear_each_other(hearing: Hearing, clips: list[tuple[str, Samples]]):
    frames = clips[0][1][: 40 * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    alone = hearing.new_detector()
    expected = [alone.probability(frame) for frame in frames]
    one, other = hearing.new_detector(), hearing.new_detector()

    mixed = [(one.probability(frame), other.probability(frame[::-1]))[0] for frame in frames]

    assert mixed == expected


async def test_the_melody_of_a_turn_is_a_probability(
    hearing: Hearing, clips: list[tuple[str, Samples]]
):
    for _, samples in clips:
        assert 0 <= await hearing.turn_end.probability(samples) <= 1
    assert 0 <= await hearing.turn_end.probability(np.zeros(0, np.int16)) <= 1


async def test_words_stand_where_they_were_said(hearing: Hearing, clips: list[tuple[str, Samples]]):
    two = np.concatenate((*(clips[0][1], clips[1][1]) * 5, clips[2][1]))
    for samples in (*(samples for _, samples in clips), two):
        heard = await hearing.transcriber.transcribe(samples, language="en")
        times = [(word.start_s, word.start_s + word.duration_s) for word in heard.words]

        assert "".join(word.chars for word in heard.words) == heard.text
        assert times == sorted(times)
        assert times[-1][1] <= len(samples) / 16_000 + 0.1
    heard = await hearing.transcriber.transcribe(two, language="en")
    # "Ten of clubs", whatever is heard for the clubs.
    assert heard.words[-1].start_s == pytest.approx(len(two) / 16_000 - 0.65, abs=0.3)


async def test_tentative_words_have_no_times(hearing: Hearing, clips: list[tuple[str, Samples]]):
    heard = await hearing.transcriber.transcribe(clips[2][1], language="en", is_tentative=True)

    assert heard.text
    assert heard.words == ()
