"""Smart Turn: whether a turn sounds finished, by its melody and not by its words."""

import numpy as np

from conversation.voice.hearing.log_mel import HOP_SAMPLES, log_mel, waveform_of
from conversation.voice.models.onnx_session import OnnxModel
from conversation.voice.models.runner import ModelRunner, Urgency
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

WINDOW_S = 8
_SMALLEST_VARIANCE = 1e-7


class SmartTurn:
    """The last eight seconds of a turn -> how likely its speaker is done."""

    def __init__(self, model: OnnxModel, runner: ModelRunner) -> None:
        self._model = model
        self._runner = runner

    async def probability(self, samples: Samples) -> float:
        """How likely the speaker is done, 0 to 1, for a turn that ends 0.2 s after its speech."""
        return await self._runner.run(lambda: self.judge(samples), urgency=Urgency.TRANSCRIPT)

    def judge(self, samples: Samples) -> float:
        """Do the same in this thread."""
        length = WINDOW_S * SAMPLE_RATE_HZ
        window = np.zeros(length, np.float32)
        heard = waveform_of(samples[-length:])
        # A shorter turn stands at the end, as in the training of the network.
        window[length - len(heard) :] = heard
        window = (window - window.mean()) / np.sqrt(window.var() + _SMALLEST_VARIANCE)
        features = log_mel(window, length // HOP_SAMPLES)[None]
        (score,) = self._model.run({self._model.inputs[0]: features})
        return float(score.reshape(-1)[0])
