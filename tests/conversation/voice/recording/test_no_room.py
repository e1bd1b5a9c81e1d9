"""A recording for which the disk has no room ends; the call, and what was recorded, do not."""

import resource
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.kept_calls import KeptCalls

SECOND = np.random.default_rng(1).integers(-9_000, 9_000, SAMPLE_RATE_HZ).astype(np.int16)


@pytest.fixture
def bounded() -> Iterator[None]:
    """No file of this process may have more than two seconds of sound."""
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2 * 4 * SAMPLE_RATE_HZ, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handled)


@pytest.mark.slow
def test_a_recording_without_room_keeps_what_it_has(tmp_path: Path, bounded: None):
    kept = KeptCalls(tmp_path)
    call = kept.begin("conv_a")
    for second in range(5):
        call.heard(SECOND, float(second))
        call.said(SECOND, float(second))
    call.close()
    assert call.failure is not None
    sound = kept.sound("conv_a")
    assert 1.5 * SAMPLE_RATE_HZ < len(sound) <= 2 * SAMPLE_RATE_HZ
    assert (sound[:SAMPLE_RATE_HZ, 0] == SECOND).all()


@pytest.mark.slow
def test_what_cannot_be_made_smaller_stays_as_it_is(tmp_path: Path):
    kept = KeptCalls(tmp_path)
    call = kept.begin("conv_a")
    for second in range(5):
        call.heard(SECOND, float(second))
        call.said(SECOND, float(second))
    call.close()
    before = kept.sound("conv_a")
    handled = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limit[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            kept.finish("conv_a")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, handled)
    assert not kept.is_finished("conv_a")
    assert not list(tmp_path.glob("*.next"))
    assert (kept.sound("conv_a") == before).all()

    kept.finish("conv_a")
    assert kept.is_finished("conv_a")
    assert (kept.sound("conv_a") == before).all()
    assert not list(tmp_path.glob("*.next"))
