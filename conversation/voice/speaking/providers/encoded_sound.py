"""Sound as providers send it -> samples: raw, WAV while it comes in, and files of other formats."""

import importlib
import io
import re
import struct
from typing import Any

import numpy as np

from conversation.errors import SpeechError
from conversation.voice.audio import StreamResampler
from conversation.voice.ports import Samples
from conversation.voice.speaking.providers.speech_endpoint import SAMPLE_RATE_HZ

_FILES = (b"ID3", b"OggS", b"fLaC", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa", b"FORM")
_HEADER_BYTES = 4_096
_NEEDED_BYTES = 12
_RATE = re.compile(r"rate=(\d{4,6})")
_RATES_HZ = (8_000, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000)
_UNKNOWN_SIZES = (0, 0x7FFF_0000)
"""What a server writes that does not know yet how long its sound will be: none, or too much."""
_NO_SAMPLES = np.zeros(0, dtype=np.int16)


class SoundDecoder:
    """Bytes of one answer -> samples at `SAMPLE_RATE_HZ`, as soon as they can be known.

    What begins as a file of another format than WAV is decoded when it is whole. What begins as
    none is raw: 16-bit little-endian samples, as providers that are asked for `pcm` send them.
    """

    def __init__(self, *, raw_rate_hz: int = SAMPLE_RATE_HZ) -> None:
        self._raw_rate_hz = raw_rate_hz
        self._pending = b""
        self._kind: str | None = None
        self._channels = 1
        self._left: int | None = None
        """Bytes of samples that a header promised; None where none did."""
        self._rate: StreamResampler | None = None

    def feed(self, block: bytes, content_type: str = "") -> Samples:
        """The samples that are certain with `block`.

        Raises:
            SpeechError: It is no sound.
        """
        self._pending += block
        if self._kind is None:
            self._recognise(content_type, is_whole=False)
        return self._raw() if self._kind == "raw" else _NO_SAMPLES

    def finish(self) -> Samples:
        """The rest.

        Raises:
            SpeechError: It is no sound, or in a format that is not known.
        """
        if self._kind is None and self._pending:
            self._recognise("", is_whole=True)
        if self._kind == "file":
            samples, rate_hz = decoded(self._pending)
            self._pending, self._kind = b"", "raw"
            self._rate = _to_our_rate(rate_hz)
            return np.concatenate((self._rate.push(samples), self._rate.finish()))
        rest = self._raw() if self._kind == "raw" else _NO_SAMPLES
        return rest if self._rate is None else np.concatenate((rest, self._rate.finish()))

    def _recognise(self, content_type: str, *, is_whole: bool) -> None:
        """Find out what the bytes are, once there are enough of them."""
        head = self._pending
        if content_type.startswith(("text/", "application/json")):
            raise SpeechError(f"the answer is {content_type.partition(';')[0]}, not sound")
        if len(head) < _NEEDED_BYTES and not is_whole:
            return
        if head.startswith(b"RIFF"):
            found = _wav_header(head)
            if found is None:
                if is_whole or len(head) > _HEADER_BYTES:
                    self._kind = "file"
                return
            start, size, rate_hz, self._channels = found
            self._left = size if _UNKNOWN_SIZES[0] < size < _UNKNOWN_SIZES[1] else None
            self._pending = head[start:]
        elif head.startswith(_FILES):
            self._kind = "file"
            return
        else:
            told = _RATE.search(content_type)
            rate_hz = int(told[1]) if told else self._raw_rate_hz
        self._kind = "raw"
        self._rate = _to_our_rate(rate_hz)

    def _raw(self) -> Samples:
        if self._left is not None:
            # Behind the samples a file may tell who made it.
            self._pending = self._pending[: self._left]
        width = 2 * self._channels
        whole = len(self._pending) // width * width
        taken, self._pending = self._pending[:whole], self._pending[whole:]
        if self._left is not None:
            self._left -= len(taken)
        samples = np.frombuffer(taken, dtype="<i2").astype(np.int16)
        if self._channels > 1:
            samples = samples.reshape(-1, self._channels).mean(axis=1).astype(np.int16)
        return _NO_SAMPLES if self._rate is None else self._rate.push(samples)


def decoded(data: bytes) -> tuple[Samples, int]:
    """The samples of a whole file (WAV, MP3, Ogg, FLAC), mixed to one channel, and their rate.

    Raises:
        SpeechError: It is no such file, or the extra that reads it is not installed.
    """
    try:
        soundfile: Any = importlib.import_module("soundfile")
    except ImportError as error:
        raise SpeechError(
            "the provider sends compressed sound: `pip install 'vivavoce[voice]'` reads it"
        ) from error
    try:
        sound, rate_hz = soundfile.read(io.BytesIO(data), dtype="int16", always_2d=True)
    except Exception as error:  # libsndfile has a class of its own for each way to fail
        raise SpeechError("the answer is no sound in a known format") from error
    return np.asarray(sound).mean(axis=1).astype(np.int16), int(rate_hz)


def _to_our_rate(rate_hz: int) -> StreamResampler:
    if rate_hz not in _RATES_HZ:
        raise SpeechError(f"the answer has {rate_hz:,} samples a second, which no voice has")
    return StreamResampler(rate_hz, SAMPLE_RATE_HZ)


def _wav_header(head: bytes) -> tuple[int, int, int, int] | None:
    """Where 16-bit samples begin, how many bytes, their rate and channels.

    None for other WAV, or not yet.
    """
    at, told = 12, None
    while at + 8 <= len(head):
        name, size = head[at : at + 4], struct.unpack_from("<I", head, at + 4)[0]
        if name == b"data":
            return None if told is None else (at + 8, size, *told)
        if name == b"fmt " and at + 24 <= len(head):
            kind, channels, rate_hz = struct.unpack_from("<HHI", head, at + 8)
            bits = struct.unpack_from("<H", head, at + 22)[0]
            if kind not in (1, 0xFFFE) or bits != 16 or not channels or rate_hz < 4_000:
                return None
            told = (rate_hz, channels)
        at += 8 + size + size % 2
    return None
