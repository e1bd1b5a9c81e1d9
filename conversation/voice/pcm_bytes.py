"""Bytes of 16-bit sound, cut anywhere, to samples. Pure.

A client may cut its stream in the middle of a sample: the other byte comes with the next piece. But
a piece of which a byte was lost looks the same, and from then on every sample would be made of two
halves: loud noise until the end of the call. Voices tell the two apart, for neighbours are alike.
"""

import numpy as np

from conversation.voice.ports import Samples

_ALIKE, _UNLIKE = 0.6, 0.3
"""Correlation of neighbours: of voices and music .7 and more, of halves put together 0."""
_LEAST = 64
"""Samples that are needed to say so."""


class PcmBytes:
    """Little-endian samples of one stream. Half a sample waits for its other byte."""

    def __init__(self) -> None:
        self._half = b""

    def samples(self, data: bytes) -> Samples:
        """The samples that are complete with `data`."""
        joined = self._half + data
        if self._half and _is_noise(_whole(joined)) and _is_sound(_whole(data)):
            joined = data  # the other half was lost
        even = len(joined) - len(joined) % 2
        self._half = joined[even:]
        return _whole(joined)

    def clear(self) -> None:
        """Forget half a sample: another stream begins."""
        self._half = b""


def _whole(data: bytes) -> Samples:
    return np.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(np.int16)


def _is_noise(samples: Samples) -> bool:
    return _alike(samples) < _UNLIKE


def _is_sound(samples: Samples) -> bool:
    return _alike(samples) > _ALIKE


def _alike(samples: Samples) -> float:
    """Correlation of neighbours; between the bounds where nothing can be said."""
    if len(samples) < _LEAST:
        return _ALIKE
    centred = samples.astype(np.float64) - samples.mean()
    power = float(np.dot(centred, centred))
    return float(np.dot(centred[1:], centred[:-1])) / power if power else _ALIKE
