"""Silero VAD: whether a frame of 32 ms holds a voice."""

import numpy as np
from numpy.typing import NDArray

from conversation.voice.hearing.log_mel import waveform_of
from conversation.voice.models.onnx_session import OnnxModel
from conversation.voice.ports import FRAME_SAMPLES, SAMPLE_RATE_HZ, Samples

CONTEXT_SAMPLES = 64
"""Of the frame before, which the network reads again in front of each frame."""
_STATE_SHAPE = (2, 1, 128)


class SileroDetector:
    """Remembers what it heard, so each call has one of its own; the network is shared."""

    def __init__(self, model: OnnxModel) -> None:
        self._model = model
        self._rate = np.array(SAMPLE_RATE_HZ, np.int64)
        self.reset()

    def reset(self) -> None:
        """Forget the frames before."""
        self._state: NDArray[np.float32] = np.zeros(_STATE_SHAPE, np.float32)
        self._context: NDArray[np.float32] = np.zeros(CONTEXT_SAMPLES, np.float32)

    def probability(self, frame: Samples) -> float:
        """How likely the next frame holds a voice, 0 to 1.

        Raises:
            ValueError: The frame does not have `FRAME_SAMPLES` samples.
        """
        if frame.shape != (FRAME_SAMPLES,):
            raise ValueError(f"a frame has {FRAME_SAMPLES} samples, got {frame.shape}")
        heard = waveform_of(frame)
        given = np.concatenate((self._context, heard))[None, :]
        score, self._state = self._model.run(
            {"input": given, "state": self._state, "sr": self._rate}
        )
        self._context = heard[-CONTEXT_SAMPLES:]
        return float(score.item())
