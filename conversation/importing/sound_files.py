"""A recording of any usual format -> its channels, as ears take them."""

from pathlib import Path

import numpy as np

from conversation.errors import AudioError
from conversation.importing.roles import RecordError
from conversation.voice.ports import Samples
from conversation.voice.recording.reading import read_channels

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
_SAME_SHARE = 0.02
"""Of a channel's loudness: two that differ by less are one, written twice."""


def channels_of(path: Path) -> list[Samples]:
    """Read a recording, each channel at `SAMPLE_RATE_HZ`; one that is there twice, once.

    Raises:
        RecordError: It is no recording, too long, or has too many channels.
    """
    try:
        channels = read_channels(path)
    except AudioError as error:
        raise RecordError(str(error).rstrip(".")) from error
    return channels[:1] if _is_one_twice(channels) else channels


def _is_one_twice(channels: list[Samples]) -> bool:
    """Whether all channels hold the same sound: a telephone's one channel saved as stereo."""
    first = channels[0].astype(np.float32)
    loudness = float(np.abs(first).mean())
    return len(channels) > 1 and all(
        float(np.abs(first - each).mean()) <= _SAME_SHARE * loudness for each in channels[1:]
    )
