"""The spectrogram, against its definition written out and values of other implementations."""

import numpy as np
import pytest

from conversation.voice.hearing.log_mel import BANDS, HOP_SAMPLES, log_mel, mel_filters

RATE = 16_000


def tone(hertz: float, seconds: float = 1.0) -> np.ndarray:
    return np.sin(2 * np.pi * hertz * np.arange(int(RATE * seconds)) / RATE).astype(np.float32)


def by_definition(waveform: np.ndarray, frame: int) -> np.ndarray:
    """Powers of one frame in each band, by a discrete Fourier transform written out."""
    centre = frame * HOP_SAMPLES
    places = np.abs(np.arange(centre - 200, centre + 200))  # mirrored at the beginning
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    cut = waveform[places] * window
    turns = np.exp(-2j * np.pi * np.outer(np.arange(201), np.arange(400)) / 400)
    return mel_filters().astype(np.float64) @ np.abs(turns @ cut) ** 2


def test_filters_have_the_values_that_whisper_ships():
    filters = mel_filters()

    assert filters.shape == (80, 201)
    assert filters[:3, 1] == pytest.approx([0.02486259, 0.00199082, 0], abs=1e-7)
    assert filters[79, 200] == 0
    # Every triangle has the same area: 1 over the 40 Hz between two bins, as far as bins are dense.
    assert filters[45:].sum(axis=1) * 40 == pytest.approx(np.ones(35), abs=0.02)


def test_a_frame_is_what_the_definition_says():
    waveform = np.random.default_rng(7).normal(0, 0.1, RATE).astype(np.float32)

    got = log_mel(waveform, 100)

    levels = np.log10(np.stack([by_definition(waveform, frame) for frame in range(98)], axis=1))
    assert got[:, :98] == pytest.approx((levels + 4) / 4, abs=1e-4)


@pytest.mark.parametrize("hertz", [200, 440, 1_000, 3_000, 7_000])
def test_a_tone_is_loudest_in_the_band_of_its_frequency(hertz: float):
    loudest = int(log_mel(tone(hertz), 100)[:, 50].argmax())

    assert int(mel_filters()[:, round(hertz / 40)].argmax()) == loudest


def test_what_is_missing_is_silence_and_what_is_too_much_is_left_out():
    short, long = tone(440, 0.5), tone(440, 3)

    assert log_mel(short, 100) == pytest.approx(
        log_mel(np.concatenate((short, np.zeros(8_000, np.float32))), 100)
    )
    assert log_mel(long, 100) == pytest.approx(log_mel(long[:RATE], 100))


def test_silence_is_even_and_finite():
    got = log_mel(np.zeros(0, np.float32), 60)

    assert got.shape == (BANDS, 60)
    assert got.dtype == np.float32
    assert np.all(got == got[0, 0])
