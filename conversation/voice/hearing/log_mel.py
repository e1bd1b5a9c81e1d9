"""Sound -> the logarithmic mel spectrogram that Whisper and its relatives read.

80 bands between 0 and 8 kHz on Slaney's mel scale (linear below 1 kHz, logarithmic above), frames
of 25 ms every 10 ms.

Source: Radford et al., "Robust Speech Recognition via Large-Scale Weak Supervision", 2022, section
2.2; Slaney, "Auditory Toolbox", Technical Report 1998-010, for the scale and its areas.
"""

from functools import cache

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

BANDS = 80
HOP_SAMPLES = 160
"""10 ms: one frame of the spectrogram."""
WINDOW_SAMPLES = 400

_FLOOR = 1e-10
_DYNAMIC_RANGE = 8.0
"""In powers of ten below the loudest cell; what is quieter is cut off."""
_LINEAR_TO_HZ = 1_000.0
_HZ_PER_MEL = 200 / 3
_LOG_STEP = np.log(6.4) / 27

Waveform = NDArray[np.float32]


def waveform_of(samples: Samples) -> Waveform:
    """Return samples as numbers from -1 to 1."""
    return samples.astype(np.float32) * np.float32(1 / 32768)


def log_mel(waveform: Waveform, frames: int) -> NDArray[np.float32]:
    """Return the spectrogram of shape (`BANDS`, `frames`), about -1 to 1.

    Args:
        waveform: At `SAMPLE_RATE_HZ`, -1 to 1. What is missing at its end is silence; what is too
            much is left out.
        frames: How many, each of `HOP_SAMPLES`; at least two.
    """
    length = frames * HOP_SAMPLES
    fitted = np.zeros(length, np.float32)
    given = waveform[:length]
    fitted[: len(given)] = given
    padded = np.pad(fitted, WINDOW_SAMPLES // 2, mode="reflect")
    windows = sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES][:frames]
    spectrum = np.fft.rfft(windows * _hann(), axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    levels = np.log10(np.maximum(power @ mel_filters().T, _FLOOR)).T
    levels = np.maximum(levels, levels.max() - _DYNAMIC_RANGE)
    return np.ascontiguousarray((levels + 4) / 4, dtype=np.float32)


@cache
def mel_filters(bands: int = BANDS) -> NDArray[np.float32]:
    """Return triangles of equal area, of shape (`bands`, `WINDOW_SAMPLES` // 2 + 1)."""
    highest = _hz_to_mel(SAMPLE_RATE_HZ / 2)
    corners = np.array([_mel_to_hz(mel) for mel in np.linspace(0, highest, bands + 2)])
    bins = np.linspace(0, SAMPLE_RATE_HZ / 2, WINDOW_SAMPLES // 2 + 1)
    low, middle, high = corners[:-2, None], corners[1:-1, None], corners[2:, None]
    rising = (bins - low) / (middle - low)
    falling = (high - bins) / (high - middle)
    triangles = np.maximum(0, np.minimum(rising, falling))
    return (triangles * 2 / (high - low)).astype(np.float32)


@cache
def _hann() -> NDArray[np.float32]:
    """Return the periodic window: its next sample would be the first again."""
    return np.hanning(WINDOW_SAMPLES + 1)[:-1].astype(np.float32)


def _hz_to_mel(hertz: float) -> float:
    if hertz < _LINEAR_TO_HZ:
        return hertz / _HZ_PER_MEL
    return float(_LINEAR_TO_HZ / _HZ_PER_MEL + np.log(hertz / _LINEAR_TO_HZ) / _LOG_STEP)


def _mel_to_hz(mel: float) -> float:
    bend = _LINEAR_TO_HZ / _HZ_PER_MEL
    if mel < bend:
        return mel * _HZ_PER_MEL
    return float(_LINEAR_TO_HZ * np.exp(_LOG_STEP * (mel - bend)))
