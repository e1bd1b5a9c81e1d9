"""Sound files of any kind, as ears take them."""

import importlib
import importlib.util
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from conversation.errors import AudioError
from conversation.voice.audio import StreamResampler
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

MAX_HOURS = 4
"""Longer than any call: what claims to be is another kind of file, or several calls."""
MAX_CHANNELS = 8
RATES_HZ = (4_000, 384_000)
"""A header that names another rate is broken, and a filter for it could take all memory."""
_BLOCK_FRAMES = 1 << 18
_FULL_SCALE = 32_768
_EXTRA = "pip install 'vivavoce[voice]'"

_Block = NDArray[Any]
"""Frames by channels, each number as large as a 16-bit sample."""


def read_sound(path: Path) -> Samples:
    """All of the file's sound, mixed to one channel at `SAMPLE_RATE_HZ`.

    WAV files with 16-bit samples need nothing; others (FLAC, MP3, OGG, mu-law and float WAV) need
    the voice extra.

    Raises:
        AudioError: The file cannot be read, is too long or is no sound; says what to do.
    """
    (mixed,) = _read(path, mixes=True)
    return mixed


def read_channels(path: Path) -> list[Samples]:
    """As `read_sound`, each channel for itself."""
    return _read(path, mixes=False)


def _read(path: Path, *, mixes: bool) -> list[Samples]:
    try:
        if importlib.util.find_spec("soundfile") is None:
            return _plain_wav(path, mixes=mixes)
        return _any_format(path, mixes=mixes)
    except OSError as error:
        raise AudioError(
            f"The sound file {str(path)!r} cannot be read: {error.strerror}."
        ) from error


def _any_format(path: Path, *, mixes: bool) -> list[Samples]:
    soundfile: Any = importlib.import_module("soundfile")

    def read() -> _Block:
        # As numbers between -1 and 1: read as integers, floating-point files would be silence.
        block = cast(NDArray[np.float32], sound.read(_BLOCK_FRAMES, "float32", always_2d=True))
        whole = np.rint(np.clip(np.nan_to_num(block), -1, 1) * _FULL_SCALE)
        return np.minimum(whole, _FULL_SCALE - 1)

    try:
        with path.open("rb") as file, soundfile.SoundFile(file) as sound:
            rate_hz, count = int(sound.samplerate), int(sound.channels)
            _check(path, frames=int(sound.frames), rate_hz=rate_hz, count=count)
            return _resampled(read, rate_hz=rate_hz, count=count, mixes=mixes)
    except soundfile.SoundFileError as error:
        raise AudioError(
            f"{str(path)!r} is no sound file that can be read here: use WAV, FLAC, MP3 or OGG."
        ) from error


def _plain_wav(path: Path, *, mixes: bool) -> list[Samples]:
    """Read what needs no more packages: a WAV file of 16-bit samples."""

    def read() -> _Block:
        data = sound.readframes(_BLOCK_FRAMES)
        whole = len(data) // (2 * count) * count
        return np.frombuffer(data, "<i2", count=whole).reshape(-1, count)

    try:
        with path.open("rb") as file, wave.open(file) as sound:
            rate_hz, count = sound.getframerate(), sound.getnchannels()
            if sound.getsampwidth() != 2:
                raise wave.Error("not 16-bit")
            # What the header says of its length is not believed; so it is never too long.
            _check(path, frames=0, rate_hz=rate_hz, count=count)
            return _resampled(read, rate_hz=rate_hz, count=count, mixes=mixes)
    except (wave.Error, EOFError) as error:
        raise AudioError(
            f"{str(path)!r} is no WAV file with 16-bit samples. Others need the voice extra: "
            f"{_EXTRA}"
        ) from error


def _check(path: Path, *, frames: int, rate_hz: int, count: int) -> None:
    low_hz, high_hz = RATES_HZ
    if not low_hz <= rate_hz <= high_hz:
        raise AudioError(
            f"{str(path)!r} says that it has {rate_hz} samples a second, which no sound has: its "
            f"header is broken. From {low_hz} to {high_hz} are read."
        )
    if frames > MAX_HOURS * 3_600 * rate_hz:
        raise AudioError(f"{str(path)!r} is longer than {MAX_HOURS} hours; cut it into calls.")
    if count > MAX_CHANNELS:
        raise AudioError(f"{str(path)!r} has {count} channels; {MAX_CHANNELS} are the most.")


def _resampled(
    read: Callable[[], _Block], *, rate_hz: int, count: int, mixes: bool
) -> list[Samples]:
    kept = 1 if mixes else count
    resamplers = [StreamResampler(rate_hz, SAMPLE_RATE_HZ) for _ in range(kept)]
    parts: list[list[Samples]] = [[] for _ in range(kept)]
    left = MAX_HOURS * 3_600 * rate_hz  # whatever the header says
    while left > 0 and len(block := read()):
        left -= len(block)
        if mixes:
            block = np.rint(block.mean(axis=1, keepdims=True))
        for number, resampler in enumerate(resamplers):
            parts[number].append(resampler.push(block[:, number].astype(np.int16)))
    for number, resampler in enumerate(resamplers):
        parts[number].append(resampler.finish())
    return [np.concatenate(each) for each in parts]
