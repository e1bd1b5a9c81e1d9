"""A recording of any usual format -> its channels, as ears take them."""

import importlib
import importlib.util
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from conversation.importing.roles import RecordError
from conversation.voice.audio import StreamResampler
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

Block = NDArray[Any]
"""Frames by channels, each number a 16-bit sample."""

SOUND_SUFFIXES = (".wav", ".flac", ".mp3", ".ogg")
MAX_HOURS = 4
MAX_CHANNELS = 8
_BLOCK_FRAMES = 1 << 18
_SAME_SHARE = 0.02
"""Of a channel's loudness: two that differ by less are one, written twice."""
_FULL_SCALE = 32_767
_EXTRA = "pip install 'vivavoce[voice]'"


def channels_of(path: Path) -> list[Samples]:
    """Read a recording, each channel at `SAMPLE_RATE_HZ`; one that is there twice, once.

    Raises:
        RecordError: It is no recording, too long, or has too many channels.
    """
    if importlib.util.find_spec("soundfile") is None:
        channels = _plain_wav(path)
    else:
        channels = _any_format(path)
    return channels[:1] if _is_one_twice(channels) else channels


def _any_format(path: Path) -> list[Samples]:
    soundfile: Any = importlib.import_module("soundfile")

    def read() -> Block:
        # As numbers between -1 and 1: read as integers, floating-point files would be silence.
        block = cast(NDArray[np.float32], file.read(_BLOCK_FRAMES, "float32", always_2d=True))
        return np.clip(np.nan_to_num(block) * _FULL_SCALE, -_FULL_SCALE, _FULL_SCALE)

    try:
        with soundfile.SoundFile(str(path)) as file:
            rate, count = int(file.samplerate), int(file.channels)
            _check_size(int(file.frames), rate, count)
            return _resampled(read, rate=rate, count=count)
    except soundfile.SoundFileError as error:
        raise RecordError(f"it is no recording that can be read ({_first_line(error)})") from error


def _plain_wav(path: Path) -> list[Samples]:
    """Read what needs no more packages: a WAV file of 16-bit samples."""
    if path.suffix.lower() != ".wav":
        raise RecordError(f"{path.suffix} files need more packages: {_EXTRA}")

    def read() -> Block:
        return np.frombuffer(file.readframes(_BLOCK_FRAMES), "<i2").reshape(-1, count)

    try:
        with wave.open(str(path)) as file:
            rate, count = file.getframerate(), file.getnchannels()
            if file.getsampwidth() != 2:
                raise RecordError(f"its samples have not 16 bits, which needs packages: {_EXTRA}")
            _check_size(file.getnframes(), rate, count)
            return _resampled(read, rate=rate, count=count)
    except (wave.Error, EOFError) as error:
        raise RecordError(f"it is no recording that can be read ({_first_line(error)})") from error


def _check_size(frames: int, rate: int, count: int) -> None:
    if frames > MAX_HOURS * 3_600 * rate:
        raise RecordError(f"it is longer than {MAX_HOURS} hours; cut it into calls")
    if count > MAX_CHANNELS:
        raise RecordError(f"it has {count} channels; {MAX_CHANNELS} are the most")


def _resampled(read: Callable[[], Block], *, rate: int, count: int) -> list[Samples]:
    resamplers = [StreamResampler(rate, SAMPLE_RATE_HZ) for _ in range(count)]
    parts: list[list[Samples]] = [[] for _ in range(count)]
    left = MAX_HOURS * 3_600 * rate  # whatever the header says
    while left > 0 and len(block := read()):
        left -= len(block)
        for number, resampler in enumerate(resamplers):
            parts[number].append(resampler.push(block[:, number].astype(np.int16)))
    for number, resampler in enumerate(resamplers):
        parts[number].append(resampler.finish())
    return [np.concatenate(each) for each in parts]


def _is_one_twice(channels: list[Samples]) -> bool:
    """Whether all channels hold the same sound: a telephone's one channel saved as stereo."""
    first = channels[0].astype(np.float32)
    loudness = float(np.abs(first).mean())
    return len(channels) > 1 and all(
        float(np.abs(first - each).mean()) <= _SAME_SHARE * loudness for each in channels[1:]
    )


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0] if str(error) else type(error).__name__
