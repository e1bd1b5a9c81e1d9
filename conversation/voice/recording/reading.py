"""Sound files of any kind, as a call hears them."""

import importlib
import wave
from pathlib import Path
from typing import Any

import numpy as np

from conversation.errors import AudioError
from conversation.voice.audio import resampled
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

MAX_S = 4 * 3_600.0
"""Longer than any call: what claims to be is another kind of file."""


def read_sound(path: Path) -> Samples:
    """All of the file's sound, mixed to one channel at `SAMPLE_RATE_HZ`.

    WAV files with 16-bit samples need nothing; others (FLAC, MP3, OGG, mu-law and float WAV) need
    the voice extra.

    Raises:
        AudioError: The file cannot be read, or is no sound; says what to do.
    """
    try:
        samples, rate_hz = _plain_wav(path)
    except (wave.Error, EOFError):
        samples, rate_hz = _by_soundfile(path)
    except OSError as error:
        raise AudioError(
            f"The sound file {str(path)!r} cannot be read: {error.strerror}."
        ) from error
    if len(samples) > MAX_S * rate_hz:
        raise AudioError(f"{str(path)!r} is longer than {MAX_S / 3_600:.0f} hours.")
    mixed = np.rint(samples.mean(axis=1)).astype(np.int16) if len(samples) else samples[:, 0]
    return resampled(mixed, from_hz=rate_hz, to_hz=SAMPLE_RATE_HZ)


def _plain_wav(path: Path) -> tuple[Samples, int]:
    with wave.open(str(path), "rb") as file:
        if file.getsampwidth() != 2 or not 1 <= file.getnchannels() <= 8:
            raise wave.Error("not 16-bit")
        data = file.readframes(file.getnframes())
        channels, rate_hz = file.getnchannels(), file.getframerate()
    whole = len(data) // (2 * channels) * channels
    return np.frombuffer(data, dtype="<i2", count=whole).reshape(-1, channels), rate_hz


def _by_soundfile(path: Path) -> tuple[Samples, int]:
    try:
        soundfile: Any = importlib.import_module("soundfile")
    except ImportError as error:
        raise AudioError(
            f"{str(path)!r} is no WAV file with 16-bit samples. Others need the voice extra: "
            "pip install 'vivavoce[voice]'"
        ) from error
    try:
        samples, rate_hz = soundfile.read(path, dtype="int16", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise AudioError(
            f"{str(path)!r} is no sound file that can be read here: use WAV, FLAC, MP3 or OGG."
        ) from error
    return samples, int(rate_hz)
