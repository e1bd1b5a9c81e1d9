"""Recordings made smaller: FLAC to keep, MP3 to listen to. Needs `soundfile`, of the extra."""

import io
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from conversation.errors import AudioError
from conversation.voice.ports import SAMPLE_RATE_HZ
from conversation.voice.recording.call_file import CHANNELS, Stereo


def can_encode() -> bool:
    """Whether `soundfile` is installed."""
    return find_spec("soundfile") is not None


def write_flac(sound: Stereo, path: Path) -> None:
    """Write all of it, exactly, to a file that only its owner may read.

    Raises:
        OSError: It cannot be written, such as to a full disk; nothing is left of it then.
    """
    # Not into the file at once: of one that takes no more, soundfile tells nothing.
    made = io.BytesIO()
    _soundfile().write(made, sound, SAMPLE_RATE_HZ, format="FLAC", subtype="PCM_16")
    path.touch(0o600)
    try:
        path.write_bytes(made.getbuffer())
    except OSError:
        path.unlink(missing_ok=True)
        raise


def read_flac(path: Path) -> Stereo:
    """The two channels of a file that `write_flac` wrote.

    Raises:
        AudioError: It cannot be read, or is none of these.
    """
    module = _soundfile()
    try:
        sound, rate_hz = module.read(path, dtype="int16", always_2d=True)
    except module.LibsndfileError as error:
        raise AudioError(f"{path.name} cannot be read as FLAC") from error
    if rate_hz != SAMPLE_RATE_HZ or sound.shape[1] != CHANNELS:
        raise AudioError(f"{path.name} is no recording of a call")
    return sound


def mp3(sound: Stereo) -> bytes:
    """As MP3, at the encoder's own settings: others shift the sound by up to 0.1 s."""
    into = io.BytesIO()
    # The encoder wants a frame at least.
    least = np.zeros((1_152, CHANNELS), dtype=np.int16)
    # Of whole numbers in two channels libsndfile 1.2.2 makes noise; of fractions it does not.
    fractions = (sound if len(sound) else least).astype(np.float32) / 32_768
    _soundfile().write(into, fractions, SAMPLE_RATE_HZ, format="MP3")
    return into.getvalue()


def _soundfile() -> Any:
    try:
        import soundfile  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise AudioError(
            "FLAC and MP3 need the package soundfile: pip install 'vivavoce[voice]'"
        ) from error
    return soundfile
