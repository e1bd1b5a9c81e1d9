"""A Kokoro voice: a clause -> sound, with the time of every word."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversation.errors import SpeechError
from conversation.voice.models.onnx_session import OnnxModel
from conversation.voice.ports import Samples, SpeechChunk
from conversation.voice.speaking.alignment import TimedSpan, spans_of, timed_chars
from conversation.voice.speaking.english.pronouncing import SaidPart

SAMPLE_RATE_HZ = 24_000
FRAME_SAMPLES = 600
"""Of one frame that durations are counted in: 25 ms."""
LEAD_S, TAIL_S, SENTENCE_TAIL_S = 0.03, 0.08, 0.2
"""Silence that stays at the ends: the network adds a second, which sounds like hesitation."""
DURATIONS = "/encoder/Round_output_0"
_STYLE_WIDTH = 256
_BORDER = 0
_WINDOW_SAMPLES = 120
_SILENCE_OF_PEAK = 0.01
_SENTENCE_ENDS = frozenset(".!?…")
AMERICAN_SIGNS = {"ɾ": "T", "ʔ": "t"}
"""How the network writes two American sounds; the first is another one in Spanish."""


@dataclass(frozen=True, slots=True)
class TrimmedSound:
    """Sound without the silence at its ends."""

    samples: NDArray[np.float32]
    start: int
    """Of `samples` in the sound that was trimmed."""


@dataclass(frozen=True, slots=True)
class KokoroNetwork:
    """What all voices share."""

    model: OnnxModel
    numbers: Mapping[str, int]
    """Of phonemes, as the network reads them."""


class KokoroVoice:
    """A loaded voice. Several threads may speak with it at a time."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(
        self,
        network: KokoroNetwork,
        style: NDArray[np.float32],
        *,
        other_signs: Mapping[str, str] = AMERICAN_SIGNS,
    ) -> None:
        """Take what all voices share, the voice, and signs that the network writes otherwise."""
        self._model = network.model
        self._numbers = network.numbers
        self._style = style
        self._other_signs = other_signs

    def chunks(
        self, clause: str, parts: Sequence[SaidPart], *, speed: float
    ) -> Iterator[SpeechChunk]:
        """The sound of `clause`, in one chunk.

        Args:
            clause: What is said.
            parts: How it is pronounced; something must be, in 500 phonemes at most.
            speed: 1 is as the voice was trained; greater is faster.
        """
        samples, spans = self._said(parts, speed)
        total_s = len(samples) / SAMPLE_RATE_HZ
        yield SpeechChunk(samples, tuple(timed_chars(clause, spans, total_s=total_s)))

    def _said(self, parts: Sequence[SaidPart], speed: float) -> tuple[Samples, list[TimedSpan]]:
        ids, owners = phoneme_numbers(parts, self._numbers, self._other_signs)
        sound, durations = self._model.run(
            {
                "tokens": np.asarray([ids], dtype=np.int64),
                "style": self._style[min(len(ids) - 2, len(self._style) - 1)],
                "speed": np.asarray([speed], dtype=np.float32),
            }
        )[:2]
        ends_s = np.cumsum(np.maximum(1, durations.reshape(-1))) * FRAME_SAMPLES / SAMPLE_RATE_HZ
        ends_sentence = parts[-1].pause in _SENTENCE_ENDS
        trimmed = without_silence(
            sound.reshape(-1), tail_s=SENTENCE_TAIL_S if ends_sentence else TAIL_S
        )
        spans = spans_of(parts, owners, ends_s - trimmed.start / SAMPLE_RATE_HZ)
        samples = np.clip(np.rint(trimmed.samples * 32_767), -32_768, 32_767).astype(np.int16)
        return samples, spans


def open_network(model: Path, numbers: Path) -> KokoroNetwork:
    """Load the network and the numbers of its phonemes.

    Raises:
        SpeechError: A file is missing or damaged.
    """
    try:
        # Two messages of protobuf one after the other are one: this adds an output to the graph.
        graph = OnnxModel(model.read_bytes() + _durations_as_output())
        return KokoroNetwork(graph, json.loads(numbers.read_text("utf-8"))["vocab"])
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(model.parent, error) from error


def read_style(path: Path) -> NDArray[np.float32]:
    """A voice: [lengths, 1, 256], one row for each number of phonemes.

    Raises:
        SpeechError: The file is missing or damaged.
    """
    try:
        return np.fromfile(path, dtype="<f4").reshape(-1, 1, _STYLE_WIDTH)
    except (OSError, ValueError) as error:
        raise _damaged(path.parent, error) from error


def _damaged(folder: Path, error: Exception) -> SpeechError:
    return SpeechError(
        f"The files of Kokoro in {folder} cannot be read ({type(error).__name__}). Remove this "
        "folder, so that they are fetched anew."
    )


def written(part: SaidPart, other_signs: Mapping[str, str] = AMERICAN_SIGNS) -> str:
    """A word or a pause as the network reads it."""
    return part.phonemes.translate(str.maketrans(dict(other_signs))) or part.pause


def phoneme_numbers(
    parts: Sequence[SaidPart],
    numbers: Mapping[str, int],
    other_signs: Mapping[str, str] = AMERICAN_SIGNS,
) -> tuple[list[int], list[int]]:
    """What the network reads, and the index of the part that each number belongs to, or -1."""
    ids, owners = [_BORDER], [-1]
    for at, part in enumerate(parts):
        if at and part.phonemes:
            ids.append(numbers[" "])
            owners.append(-1)
        for sign in written(part, other_signs):
            if sign in numbers:
                ids.append(numbers[sign])
                owners.append(at)
    return [*ids, _BORDER], [*owners, -1]


def without_silence(sound: NDArray[np.float32], *, tail_s: float) -> TrimmedSound:
    """`sound` from shortly before it begins to `tail_s` after it ends."""
    windows = sound[: len(sound) // _WINDOW_SAMPLES * _WINDOW_SAMPLES].reshape(-1, _WINDOW_SAMPLES)
    peaks = np.abs(windows).max(axis=1, initial=0.0)
    loud = np.flatnonzero(peaks > _SILENCE_OF_PEAK * peaks.max(initial=0.0))
    if not len(loud):
        return TrimmedSound(sound, 0)
    start = max(0, int(loud[0]) * _WINDOW_SAMPLES - round(LEAD_S * SAMPLE_RATE_HZ))
    end = (int(loud[-1]) + 1) * _WINDOW_SAMPLES + round(tail_s * SAMPLE_RATE_HZ)
    return TrimmedSound(sound[start:end], start)


def _durations_as_output() -> bytes:
    import onnx

    addition = onnx.ModelProto()
    addition.graph.output.add().name = DURATIONS
    return addition.SerializeToString()
