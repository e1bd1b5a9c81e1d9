"""A Piper voice: an English clause -> sound, in chunks, with the time of every word."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversation.errors import SpeechError
from conversation.voice.models.onnx_session import OnnxModel, Tensor
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import AlignmentFeed, spans_of, timed_chars
from conversation.voice.speaking.english.pronouncing import SaidPart
from conversation.voice.speaking.piper.espeak_alphabet import to_espeak
from conversation.voice.speaking.piper.piper_config import PiperConfig, read_piper_config
from conversation.voice.speaking.piper.piper_graph import SplitGraph, split_graph

FRAME_SAMPLES = 256
CHUNK_FRAMES = (24, 48, 96)
"""Of the first, the second and all other chunks: 0.28, 0.56 and 1.11 s at 22,050 Hz."""
CONTEXT_FRAMES = 13
"""How far the decoder looks to either side."""
_PAD, _BEGIN, _END, _SPACE = "_", "^", "$", " "
_PAUSES = {"…": "...", "—": ","}


@dataclass(frozen=True, slots=True)
class PhonemeIds:
    """What the encoder reads, and which part of the clause each number belongs to."""

    ids: tuple[int, ...]
    parts: tuple[int, ...]
    """Index of the part; -1 between parts."""


class PiperVoice:
    """A loaded voice. Several threads may speak with it at a time."""

    def __init__(self, graph: SplitGraph, config: PiperConfig) -> None:
        self._graph = graph
        self._config = config
        self._encoder = OnnxModel(graph.encoder)
        self._decoder = OnnxModel(graph.decoder)

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks."""
        return self._config.audio.sample_rate

    @property
    def is_british(self) -> bool:
        """Whether it was trained with British pronunciations."""
        return self._config.espeak.voice.startswith("en-gb")

    def chunks(
        self, clause: str, parts: Sequence[SaidPart], *, speed: float
    ) -> Iterator[SpeechChunk]:
        """The sound of `clause`, made while it is taken.

        Args:
            clause: What is said.
            parts: How it is pronounced; something must be.
            speed: 1 is as the voice was trained; greater is faster.
        """
        numbered = phoneme_ids(parts, self._config.phoneme_id_map)
        frames, conditions, durations = self.encode(numbered.ids, speed=speed)
        frame_s = FRAME_SAMPLES / self.sample_rate_hz
        total = frames.shape[2]
        spans = spans_of(parts, numbered.parts, np.cumsum(durations) * frame_s)
        feed = AlignmentFeed(timed_chars(clause, spans, total_s=total * frame_s))
        for start, end in frame_ranges(total):
            sound = self.sound(frames, conditions, start, end)
            samples = np.clip(np.rint(sound * 32_767), -32_768, 32_767).astype(np.int16)
            yield SpeechChunk(samples, feed.rest() if end == total else feed.until(end * frame_s))

    def sound(
        self, frames: Tensor, conditions: Sequence[Tensor], start: int, end: int
    ) -> NDArray[np.float32]:
        """Frames [start, end) as they sound within all of them, -1 to 1."""
        first = max(0, start - CONTEXT_FRAMES)
        piece = frames[:, :, first : end + CONTEXT_FRAMES]
        given = dict(zip(self._graph.conditions, conditions, strict=True))
        sound = self._decoder.run({self._graph.frames: piece, **given})[0].reshape(-1)
        return sound[(start - first) * FRAME_SAMPLES : (end - first) * FRAME_SAMPLES]

    def encode(self, ids: Sequence[int], *, speed: float) -> tuple[Tensor, list[Tensor], Tensor]:
        """Frames, what else the decoder needs, and how many frames each id takes."""
        told = self._config.inference
        scales = (told.noise_scale, told.length_scale / speed, told.noise_w)
        given: dict[str, Tensor] = {
            "input": np.asarray([ids], dtype=np.int64),
            "input_lengths": np.asarray([len(ids)], dtype=np.int64),
            "scales": np.asarray(scales, dtype=np.float32),
        }
        if "sid" in self._encoder.inputs:
            given["sid"] = np.zeros(1, dtype=np.int64)
        graph = self._graph
        made = self._encoder.run(given, (graph.frames, *graph.conditions, graph.durations))
        return made[0], made[1:-1], made[-1].reshape(-1)


def open_piper(path: Path, *, cache: Path) -> PiperVoice:
    """Load the voice in `path`, whose settings lie beside it; its parts are kept in `cache`.

    Raises:
        SpeechError: A file is missing, is no such voice, or does not speak English.
    """
    if not path.is_file():
        raise SpeechError(
            f"There is no Piper voice at {path}. Correct `voice_id` of the agent's `voice`."
        )
    config = read_piper_config(path.with_name(f"{path.name}.json"))
    return PiperVoice(split_graph(path, cache), config)


def phoneme_ids(parts: Sequence[SaidPart], numbers: Mapping[str, Sequence[int]]) -> PhonemeIds:
    """What the encoder reads for `parts`; phonemes that the voice does not know are left out."""
    ids, owners = list(numbers[_BEGIN]) + list(numbers[_PAD]), [-1, -1]
    for at, part in enumerate(parts):
        said = to_espeak(part.phonemes) if part.phonemes else _PAUSES.get(part.pause, part.pause)
        if part.phonemes and at:
            said = _SPACE + said
        for place, sign in enumerate(said):
            known = numbers.get(sign)
            if known is None:
                continue
            is_gap = sign == _SPACE and place == 0
            ids += [*known, *numbers[_PAD]]
            owners += [-1 if is_gap else at] * (len(known) + len(numbers[_PAD]))
    return PhonemeIds((*ids, *numbers[_END]), (*owners, *[-1] * len(numbers[_END])))


def frame_ranges(total: int) -> Iterator[tuple[int, int]]:
    """[start, end) of each chunk: the first is small, so that it is heard soon."""
    start = 0
    for frames in chain(CHUNK_FRAMES, repeat(CHUNK_FRAMES[-1])):
        if start >= total:
            return
        end = min(total, start + frames)
        if total - end < CHUNK_FRAMES[0]:
            end = total  # a tail would cost more context than sound
        yield start, end
        start = end
