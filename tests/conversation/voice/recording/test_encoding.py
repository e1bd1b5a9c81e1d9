"""Recordings as FLAC and MP3, which the voice extra brings."""

import io
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import AGENT, USER
from conversation.voice.recording.encoding import mp3
from conversation.voice.recording.kept_calls import KeptCalls
from tests.conversation.voice.recording.test_recording import recorded, sound

pytestmark = pytest.mark.slow

SECOND = SAMPLE_RATE_HZ


@pytest.fixture(scope="module")
def soundfile() -> Any:
    return pytest.importorskip("soundfile", reason="the extra `voice` is not installed")


def test_a_finished_recording_is_exact_and_private(tmp_path: Path, soundfile: Any):
    kept = KeptCalls(tmp_path / "recordings")
    recorded(kept)
    before = kept.sound("conv_1")
    kept.finish("conv_1")

    assert sorted(path.name for path in (tmp_path / "recordings").iterdir()) == [
        "conv_1.flac",
        "conv_1.sides",
    ]
    assert np.array_equal(kept.sound("conv_1"), before)
    kept.listened("conv_1")
    assert stat.S_IMODE((tmp_path / "recordings").stat().st_mode) == 0o700
    for path in (tmp_path / "recordings").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path.name


def test_mp3_is_as_long_as_the_call_and_not_shifted(tmp_path: Path, soundfile: Any):
    kept = KeptCalls(tmp_path)
    call = kept.begin("conv_1")
    beeps = np.zeros(3 * SECOND, dtype=np.int16)
    beeps[SECOND : SECOND + 2_000] = np.random.default_rng(1).integers(-8_000, 8_000, 2_000)
    call.heard(beeps, 0.0)
    call.close()
    kept.finish("conv_1")
    listened = kept.listened("conv_1")
    found, rate_hz = soundfile.read(listened.path, dtype="float32")

    assert (listened.media_type, rate_hz, found.shape) == ("audio/mpeg", SECOND, (3 * SECOND, 2))
    lags = np.correlate(found[:, USER], beeps[1_000:40_000].astype(np.float32), mode="valid")
    assert abs(int(np.argmax(lags)) - 1_000) <= 8


def test_mp3_sounds_like_the_call(soundfile: Any):
    """Silence stays silence, and what one side says stays on its side."""
    moment = np.arange(2 * SECOND) / SECOND
    tone = np.round(8_000 * np.sin(2 * np.pi * 300 * moment)).astype(np.int16)
    tone[:SECOND] = 0
    call = np.stack([tone, np.zeros_like(tone)], axis=1)
    found, _ = soundfile.read(io.BytesIO(mp3(call)), dtype="float32")
    wrong = found - call / np.float32(32_768)

    assert np.abs(found[: SECOND - 1_500]).max() < 0.001
    assert np.abs(found[:, AGENT]).max() < 0.001
    assert np.sqrt(np.mean(wrong[:, USER] ** 2)) < 0.01


def test_a_call_that_goes_on_is_recorded_behind_itself(tmp_path: Path, soundfile: Any):
    kept = KeptCalls(tmp_path)
    recorded(kept)
    kept.finish("conv_1")
    kept.listened("conv_1")
    call = kept.begin("conv_1")
    assert call.length_s == 2.0
    call.heard(sound(1, 3), 2.0)
    call.close()
    kept.finish("conv_1")
    found = kept.sound("conv_1")

    assert (len(found), set(found[2 * SECOND :, USER])) == (3 * SECOND, {3})
    assert soundfile.info(kept.listened("conv_1").path).frames == 3 * SECOND
