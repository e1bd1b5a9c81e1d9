"""A stretch of sound -> a vector by which voices are told apart, whatever they say.

The network is the speaker encoder of the package `resemblyzer` (three LSTM layers and a
projection), trained so that stretches of one speaker point into one direction.

Source: Wan et al., "Generalized End-to-End Loss for Speaker Verification", 2018.
"""

import importlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from conversation.errors import SpeechError
from conversation.voice.hearing.log_mel import (
    HOP_SAMPLES,
    WINDOW_SAMPLES,
    Waveform,
    mel_filters,
    waveform_of,
)
from conversation.voice.ports import Samples

BANDS = 40
WINDOW_FRAMES = 160
"""Of one look: 1.6 s, as in the training of the network."""
WINDOW_S = WINDOW_FRAMES * 0.01
_LAYERS, _WIDTH = 3, 256
_LOUDNESS = 10 ** (-30 / 20)
"""Of the speech it was trained on; quieter sound is raised to it."""
_SHORTEST_SAMPLES = 1_600

Voice = NDArray[np.float32]
"""Of length one, `_WIDTH` numbers."""


class VoiceEncoder:
    """The loaded network."""

    def __init__(self, path: Path) -> None:
        """Load the weights; nothing in the file is run.

        Raises:
            SpeechError: The file is damaged.
        """
        torch: Any = importlib.import_module("torch")
        self._torch = torch
        try:
            state = torch.load(path, map_location="cpu", weights_only=True)["model_state"]
            self._lstm = torch.nn.LSTM(BANDS, _WIDTH, _LAYERS, batch_first=True)
            self._lstm.load_state_dict(
                {key.removeprefix("lstm."): its for key, its in state.items() if "lstm." in key}
            )
            self._weight, self._bias = state["linear.weight"], state["linear.bias"]
        except Exception as error:  # the library has no class of its own for a bad file
            raise SpeechError(
                f"The model at {path} cannot be loaded ({type(error).__name__}). Remove its folder "
                "so that it is fetched again."
            ) from error

    def voices(self, windows: list[Samples]) -> NDArray[np.float32]:
        """Return the voice of each window, at most `WINDOW_S` of it, as one row."""
        if not windows:
            return np.zeros((0, _WIDTH), np.float32)
        looks = np.stack([_spectrogram(each) for each in windows])
        with self._torch.inference_mode():
            _, (hidden, _) = self._lstm(self._torch.from_numpy(looks))
            raw = self._torch.relu(hidden[-1] @ self._weight.T + self._bias)
            found = raw / (raw.norm(dim=1, keepdim=True) + 1e-9)
        return np.asarray(found.numpy(), np.float32)


def _spectrogram(samples: Samples) -> NDArray[np.float32]:
    """Of shape (`WINDOW_FRAMES`, `BANDS`); a shorter stretch is heard again and again."""
    heard = waveform_of(samples)
    if len(heard) < _SHORTEST_SAMPLES:
        heard = np.pad(heard, (0, _SHORTEST_SAMPLES - len(heard)))
    level = float(np.sqrt((heard**2).mean()))
    if 0 < level < _LOUDNESS:
        heard = heard * np.float32(_LOUDNESS / level)
    length = WINDOW_FRAMES * HOP_SAMPLES
    fitted = np.resize(heard, length)
    return _power_bands(fitted)


def _power_bands(waveform: Waveform) -> NDArray[np.float32]:
    padded = np.pad(waveform, WINDOW_SAMPLES // 2)
    windows = sliding_window_view(padded, WINDOW_SAMPLES)[::HOP_SAMPLES][:WINDOW_FRAMES]
    spectrum = np.fft.rfft(windows * np.hanning(WINDOW_SAMPLES + 1)[:-1], axis=-1)
    power = spectrum.real**2 + spectrum.imag**2
    return np.asarray(power @ mel_filters(BANDS).T, np.float32)
