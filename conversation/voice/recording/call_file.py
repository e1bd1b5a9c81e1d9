"""The sound of one call while it is held: a WAV file whose two channels grow by position.

Left is the user, right the agent as it was heard. Each piece is handed to the operating system at
once, so a process that is killed loses nothing that it had been given. Only the sizes in the
header are then too old; a reader that takes the length from the file, as `read_wav` does, has all.
"""

import logging
import os
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversation.errors import AudioError
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

USER, AGENT = 0, 1
CHANNELS = 2
Stereo = NDArray[np.int16]
"""Two columns: user, agent."""

_FRAME_BYTES = 2 * CHANNELS
_HEADER = struct.Struct("<4sI4s4sIHHIIHH4sI")
_HEADER_EVERY_S = 5.0
_JOIN_SAMPLES = SAMPLE_RATE_HZ // 50
"""Pieces that lie no further apart than 20 ms are one sound: clocks are not exact to a sample."""

_log = logging.getLogger(__name__)


class CallFile:
    """A `CallRecorder` that writes to a file of its own. Used from one thread at a time."""

    def __init__(self, path: Path, *, timer_s: Callable[[], float] = time.monotonic) -> None:
        """Begin the file, which only its owner may read, or go on behind what is in it.

        Raises:
            OSError: It cannot be written.
        """
        self.path = path
        self.failure: str | None = None
        """Kind of the error that ended the recording before the call was over."""
        self._timer_s = timer_s
        self._file: int | None = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        there = max(0, os.fstat(self._file).st_size - _HEADER.size) // _FRAME_BYTES
        self._ends = [there, there]
        self._header_s = timer_s()
        self._write_header()

    @property
    def length_s(self) -> float:
        """From the beginning to the end of whoever was heard last."""
        return max(self._ends) / SAMPLE_RATE_HZ

    def heard(self, samples: Samples, at_s: float) -> None:
        """Add the user's microphone from `at_s` on."""
        self._put(USER, samples, at_s)

    def said(self, samples: Samples, at_s: float) -> None:
        """Add the agent's voice, as the user hears it from `at_s` on."""
        self._put(AGENT, samples, at_s)

    def cut(self, at_s: float) -> None:
        """Take out what the agent was to say from `at_s` on."""
        start = self._position(at_s)
        count = self._ends[AGENT] - start
        if count > 0:
            self._guarded(lambda: self._overlay(AGENT, start, np.zeros(count, dtype=np.int16)))
            self._ends[AGENT] = start
            self._guarded(self._shorten)

    def close(self) -> None:
        """Complete the header; nothing is recorded afterwards. Closing again changes nothing."""
        if self._file is not None:
            self._guarded(self._write_header)
        self._close()

    def _put(self, channel: int, samples: Samples, at_s: float) -> None:
        if not len(samples):
            return
        start, end = self._position(at_s), self._ends[channel]
        if abs(start - end) <= _JOIN_SAMPLES:
            start = end
        self._guarded(lambda: self._overlay(channel, start, samples))
        self._ends[channel] = max(end, start + len(samples))
        if self._timer_s() - self._header_s >= _HEADER_EVERY_S:
            self._guarded(self._write_header)

    def _position(self, at_s: float) -> int:
        return max(0, round(at_s * SAMPLE_RATE_HZ))

    def _overlay(self, channel: int, start: int, samples: Samples) -> None:
        """Set one channel from `start` on, and leave the other as it is. Gaps are silence."""
        file = self._open_file()
        place = _HEADER.size + start * _FRAME_BYTES
        frames = np.zeros((len(samples), CHANNELS), dtype="<i2")
        there = os.pread(file, frames.nbytes, place)
        known = len(there) // _FRAME_BYTES
        frames[:known] = np.frombuffer(there, dtype="<i2", count=known * CHANNELS).reshape(-1, 2)
        frames[:, channel] = samples
        _write_all(file, frames.tobytes(), place)

    def _shorten(self) -> None:
        os.ftruncate(self._open_file(), _HEADER.size + max(self._ends) * _FRAME_BYTES)

    def _write_header(self) -> None:
        self._header_s = self._timer_s()
        _write_all(self._open_file(), wav_header(max(self._ends)), 0)

    def _open_file(self) -> int:
        if self._file is None:
            raise OSError("the recording is closed")
        return self._file

    def _guarded(self, step: Callable[[], None]) -> None:
        """A full disk must not end the call: the recording stops there, and says so once."""
        if self._file is None:
            return
        try:
            step()
        except OSError as error:
            self.failure = type(error).__name__
            _log.error("the recording %s stopped: %s", self.path.name, error.strerror)
            self._close()

    def _close(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            with suppress(OSError):
                os.close(file)


def wav_header(frames: int) -> bytes:
    """Header of a WAV file with so many samples in each channel."""
    size = frames * _FRAME_BYTES
    second = SAMPLE_RATE_HZ * _FRAME_BYTES
    return _HEADER.pack(
        *(b"RIFF", min(36 + size, 0xFFFFFFFF), b"WAVE", b"fmt ", 16, 1, CHANNELS),
        *(SAMPLE_RATE_HZ, second, _FRAME_BYTES, 16, b"data", min(size, 0xFFFFFFFF)),
    )


def read_wav(path: Path) -> Stereo:
    """The two channels of a file that `CallFile` wrote, also of one whose process was killed.

    Raises:
        AudioError: The file is none of these.
    """
    data = path.read_bytes()
    if len(data) < _HEADER.size or data[:4] != b"RIFF" or data[36:40] != b"data":
        raise AudioError(f"{path.name} is no recording of a call")
    count = (len(data) - _HEADER.size) // _FRAME_BYTES * CHANNELS
    found = np.frombuffer(data, dtype="<i2", count=count, offset=_HEADER.size)
    return found.reshape(-1, CHANNELS).astype(np.int16)


def _write_all(file: int, data: bytes, place: int) -> None:
    """`pwrite`, which may write less than it was given, until all is written."""
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, place)
        view, place = view[written:], place + written
