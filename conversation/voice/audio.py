"""Sound as clients send and take it: formats, mu-law, and rates changed as the sound comes in.

Inside, sound is mono 16-bit at `SAMPLE_RATE_HZ`. How a stream is cut into chunks never changes
what comes out of it: what a chunk leaves unfinished, half a sample or the reach of a filter, waits
for the next one.
"""

import base64
import binascii
from functools import lru_cache
from math import gcd
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from conversation.agent.models.voice_config import AudioFormat
from conversation.errors import AudioError
from conversation.voice.pcm_bytes import PcmBytes
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples

Encoding = Literal["pcm", "ulaw"]

_RATES_HZ: dict[AudioFormat, int] = {
    "pcm_8000": 8_000,
    "pcm_16000": 16_000,
    "pcm_22050": 22_050,
    "pcm_24000": 24_000,
    "pcm_44100": 44_100,
    "pcm_48000": 48_000,
    "ulaw_8000": 8_000,
}
FORMATS = tuple(_RATES_HZ)
"""All that can be spoken over the wire."""

_ZERO_CROSSINGS = 16
_KAISER_BETA = 8.0
"""80 dB down beyond the lower of the two rates: an alias is quieter than 16-bit speech."""
_MULAW_BIAS = 0x84
_MULAW_CLIP = 32_635


def rate_of(audio_format: AudioFormat) -> int:
    """Samples a second of a format."""
    return _RATES_HZ[audio_format]


def encoding_of(audio_format: AudioFormat) -> Encoding:
    """How a format writes its samples: 16-bit little-endian integers, or G.711 mu-law."""
    return "ulaw" if audio_format.startswith("ulaw") else "pcm"


def audio_format(name: str) -> AudioFormat:
    """The format called `name`, as clients and agent files call it.

    Raises:
        AudioError: There is no such format; the message lists those there are.
    """
    if name not in _RATES_HZ:
        raise AudioError(f"no audio format is called {name!r}; use one of {', '.join(FORMATS)}")
    return name


def from_base64(text: str) -> bytes:
    """The bytes that a client wrote as standard base64.

    Raises:
        AudioError: It is not base64, or was cut short.
    """
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise AudioError(
            "the sound is not base64 of the standard alphabet with its padding"
        ) from error


def to_base64(data: bytes) -> str:
    """`data` as clients read it."""
    return base64.b64encode(data).decode("ascii")


class AudioDecoder:
    """Bytes of one stream in some format, to samples at `SAMPLE_RATE_HZ`."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._is_mulaw = encoding_of(audio_format) == "ulaw"
        self._rate = StreamResampler(rate_of(audio_format), SAMPLE_RATE_HZ)
        self._pcm = PcmBytes()

    def decode(self, data: bytes) -> Samples:
        """The samples that are complete with `data`; half a sample waits for its other byte."""
        return self._rate.push(self._samples(data))

    def finish(self) -> Samples:
        """What the filter still held; the next stream begins afresh."""
        self._pcm.clear()
        return self._rate.finish()

    def _samples(self, data: bytes) -> Samples:
        return from_mulaw(data) if self._is_mulaw else self._pcm.samples(data)


class AudioEncoder:
    """Samples at `SAMPLE_RATE_HZ`, to bytes of one stream in some format."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._is_mulaw = encoding_of(audio_format) == "ulaw"
        self._rate = StreamResampler(SAMPLE_RATE_HZ, rate_of(audio_format))

    def encode(self, samples: Samples) -> bytes:
        """The bytes that are complete with `samples`: whole samples always."""
        return self._bytes(self._rate.push(samples))

    def finish(self) -> bytes:
        """What the filter still held: the end of what is said. The next word begins afresh."""
        return self._bytes(self._rate.finish())

    def _bytes(self, samples: Samples) -> bytes:
        return to_mulaw(samples) if self._is_mulaw else samples.astype("<i2").tobytes()


class StreamResampler:
    """Changes the rate of a stream, chunk by chunk, as one filter over the whole of it would.

    Output lags behind by the reach of the filter, about 1 ms at 16 kHz, until `finish`. All of it
    together has `ceil(samples * to_hz / from_hz)` samples.
    """

    def __init__(self, from_hz: int, to_hz: int) -> None:
        common = gcd(from_hz, to_hz)
        self._up, self._down = to_hz // common, from_hz // common
        # Zero crossings of the filter, at the common multiple of both rates.
        self._half = _ZERO_CROSSINGS * max(self._up, self._down)
        self._lead = self._half + -self._half % self._down
        self._begin()

    def _begin(self) -> None:
        self._held = np.zeros(0, dtype=np.float64)
        self._first = 0
        """Position in the stream of what is held: a multiple of `down`, so that phases match."""
        self._made = 0

    def push(self, samples: Samples) -> Samples:
        """As much as is certain now."""
        if self._up == self._down:
            return samples
        self._held = np.concatenate((self._held, samples.astype(np.float64)))
        known = self._first + len(self._held)
        return self._make(-((self._half - known * self._up) // self._down))

    def finish(self) -> Samples:
        """The rest, as if silence followed."""
        if self._up == self._down:
            return np.zeros(0, dtype=np.int16)
        total = -(-(self._first + len(self._held)) * self._up // self._down)
        self._held = np.concatenate((self._held, np.zeros(2 * self._half // self._up + 2)))
        rest = self._make(total)
        self._begin()
        return rest

    def _make(self, end: int) -> Samples:
        """Output from where it stands to `end`; forgets the input that no later sample needs."""
        if end <= self._made:
            return np.zeros(0, dtype=np.int16)
        import scipy.signal  # pyright: ignore[reportMissingTypeStubs]

        signal: Any = scipy.signal
        taps = _filter(self._up, self._down, self._half, self._lead - self._half)
        made: NDArray[np.float64] = signal.upfirdn(taps, self._held, self._up, self._down)
        start = self._made + (self._lead - self._first * self._up) // self._down
        wanted = made[start : start + end - self._made]
        self._made = end
        reach = max(0, -(-(end * self._down - self._half) // self._up))
        keep_from = reach // self._down * self._down
        self._held = self._held[keep_from - self._first :]
        self._first = keep_from
        return np.clip(np.rint(wanted), -32_768, 32_767).astype(np.int16)


@lru_cache(maxsize=16)
def _filter(up: int, down: int, half: int, lead: int) -> NDArray[np.float64]:
    """A low pass at the lower of both rates, with `lead` zeros before it so that phases match."""
    at = np.arange(-half, half + 1)
    taps = np.sinc(at / max(up, down)) * np.kaiser(2 * half + 1, _KAISER_BETA)
    return np.concatenate((np.zeros(lead), taps * up / taps.sum()))


def resampled(samples: Samples, *, from_hz: int, to_hz: int) -> Samples:
    """All of `samples` at another rate."""
    rate = StreamResampler(from_hz, to_hz)
    return np.concatenate((rate.push(samples), rate.finish()))


def from_mulaw(data: bytes) -> Samples:
    """G.711 mu-law, a byte a sample."""
    return _decoding()[np.frombuffer(data, dtype=np.uint8)]


def to_mulaw(samples: Samples) -> bytes:
    """G.711 mu-law, a byte a sample."""
    return _encoding()[samples.view(np.uint16)].tobytes()


@lru_cache(maxsize=1)
def _decoding() -> Samples:
    code = ~np.arange(256, dtype=np.uint8)
    exponent = (code >> 4).astype(np.int32) & 7
    mantissa = code.astype(np.int32) & 15
    size = (((mantissa << 3) + _MULAW_BIAS) << exponent) - _MULAW_BIAS
    return np.where(code & 0x80, -size, size).astype(np.int16)


@lru_cache(maxsize=1)
def _encoding() -> NDArray[np.uint8]:
    """By the sample's 16 bits, read as a number without a sign."""
    value = np.arange(65_536, dtype=np.uint16).view(np.int16).astype(np.int32)
    size = np.minimum(np.abs(value), _MULAW_CLIP) + _MULAW_BIAS
    exponent = np.floor(np.log2(size)).astype(np.int32) - 7
    mantissa = (size >> (exponent + 3)) & 15
    sign = np.where(value < 0, 0x80, 0)
    return (~(sign | (exponent << 4) | mantissa) & 0xFF).astype(np.uint8)
