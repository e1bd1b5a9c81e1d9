"""A recording of any usual format -> its channels, as ears take them."""

from os import SEEK_CUR
from pathlib import Path

import numpy as np

from conversation.errors import AudioError
from conversation.importing.roles import RecordError
from conversation.voice.ports import Samples
from conversation.voice.recording.reading import read_channels

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg", ".oga", ".opus", ".aiff", ".aif", ".au")
_UNKNOWN_SIZE = 0x7FFFFF00
_SAME_SHARE = 0.02
"""Of a channel's loudness: two that differ by less are one, written twice."""


def channels_of(path: Path) -> list[Samples]:
    """Read a recording, each channel at `SAMPLE_RATE_HZ`; one that is there twice, once.

    Raises:
        RecordError: It is no recording, silent, too long, or has too many channels.
    """
    if path.stat().st_size == 0:
        raise RecordError("the file is empty (0 bytes)")
    try:
        channels = read_channels(path)
    except AudioError as error:
        raise RecordError(str(error).rstrip(".")) from error
    if not any(each.any() for each in channels):
        raise RecordError("nobody says anything in it: the recording is silent")
    return channels[:1] if _is_one_twice(channels) else channels


def missing_bytes(path: Path) -> int:
    """How many bytes of sound a WAV file promises and does not hold, as one that was cut off."""
    with path.open("rb") as content:
        head = content.read(12)
        if head[:4] not in (b"RIFF", b"RIFX") or head[8:] != b"WAVE":
            return 0
        is_little = head[:4] == b"RIFF"
        while len(chunk := content.read(8)) == 8:
            size = int.from_bytes(chunk[4:], "little" if is_little else "big")
            if chunk[:4] == b"data":
                # Those who write while a call goes on do not know its size yet.
                is_known = 0 < size < _UNKNOWN_SIZE
                return max(0, size - (path.stat().st_size - content.tell())) if is_known else 0
            content.seek(size + size % 2, SEEK_CUR)
    return 0


def _is_one_twice(channels: list[Samples]) -> bool:
    """Whether all channels hold the same sound: a telephone's one channel saved as stereo."""
    first = channels[0].astype(np.float32)
    loudness = float(np.abs(first).mean())
    return len(channels) > 1 and all(
        float(np.abs(first - each).mean()) <= _SAME_SHARE * loudness for each in channels[1:]
    )
