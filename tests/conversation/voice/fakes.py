"""A user with a microphone, and models behind the ports of a call: quick, exact, and as slow or
broken as a test wants them.

A spoken word is sound whose loudness names it, so that a transcript is read off the samples: of
half a word nothing is understood, and what was never sent cannot be.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from conversation.errors import SpeechError
from conversation.voice.ports import (
    FRAME_SAMPLES,
    SAMPLE_RATE_HZ,
    Samples,
    SpeechChunk,
    TimedChars,
    Transcription,
)

WORD_S = 0.32
WORD_FRAMES = 10
CHARS_PER_S = 20.0
_VOCABULARY: list[str] = []


def silence(seconds: float) -> Samples:
    """Nothing, for so long, in whole frames."""
    return np.zeros(round(seconds / 0.032) * FRAME_SAMPLES, np.int16)


def spoken(text: str) -> Samples:
    """The words of `text`, a third of a second each, without a break."""
    parts: list[Samples] = []
    for word in text.split():
        if word not in _VOCABULARY:
            _VOCABULARY.append(word)
        loudness = 1_000 + 10 * _VOCABULARY.index(word)
        parts.append(np.full(WORD_FRAMES * FRAME_SAMPLES, loudness, np.int16))
    return np.concatenate(parts)


def understood_words(samples: Samples) -> str:
    """What `spoken` said, as far as it is there."""
    return " ".join(word for word, _, _ in timed_words(samples))


def timed_words(samples: Samples) -> list[tuple[str, float, float]]:
    """Each word with where it begins, and how long it is."""
    frames = samples[: len(samples) // FRAME_SAMPLES * FRAME_SAMPLES].reshape(-1, FRAME_SAMPLES)
    words: list[tuple[str, float, float]] = []
    before, count = 0, 0
    for number, loudness in enumerate([*(int(frame[0]) for frame in frames), 0]):
        if loudness == before:
            count += 1
            continue
        if before >= 1_000 and count > WORD_FRAMES // 2:
            times = max(1, round(count / WORD_FRAMES))
            each_s = count * 0.032 / times
            start_s = (number - count) * 0.032
            word = _VOCABULARY[(before - 1_000) // 10]
            words += [(word, start_s + each_s * n, each_s) for n in range(times)]
        before, count = loudness, 1
    return words


HUM = 100
"""Loudness of what may be a voice, and is none."""


class FakeDetector:
    """Hears a voice wherever there is sound, and in a hum perhaps."""

    def __init__(self) -> None:
        self.resets = 0

    def probability(self, frame: Samples) -> float:
        assert len(frame) == FRAME_SAMPLES
        loudest = int(np.abs(frame).max())
        return 0.95 if loudest >= 500 else 0.3 if loudest >= HUM else 0.02

    def reset(self) -> None:
        self.resets += 1


@dataclass
class FakeTranscriber:
    """Understands `spoken` words."""

    takes_s: float = 0.15
    fails: Callable[[int], BaseException | None] = lambda number: None
    """The error of the call with this number, from 1, tentative ones not counted."""
    hangs: bool = False
    understands: Callable[[str], str] = lambda text: text
    name: str = "fake/ears"
    heard: list[str] = field(default_factory=list[str])
    tentative: int = 0
    cancelled: int = 0

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        number = len(self.heard) + 1
        if is_tentative:
            self.tentative += 1
        else:
            self.heard.append(understood_words(samples))
        try:
            await asyncio.sleep(3_600 if self.hangs else self.takes_s)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if not is_tentative and (error := self.fails(number)) is not None:
            raise error
        text = self.understands(understood_words(samples))
        if is_tentative or text != understood_words(samples):
            return Transcription(text, "en")
        timed = (
            TimedChars(f" {word}" if place else word, start_s, lasts_s)
            for place, (word, start_s, lasts_s) in enumerate(timed_words(samples))
        )
        return Transcription(text, "en", tuple(timed))


@dataclass
class FakeTurnEnd:
    """Always as sure."""

    sure: float = 0.9
    takes_s: float = 0.08
    fails: bool = False

    async def probability(self, samples: Samples) -> float:
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise SpeechError("no melody")
        return self.sure


@dataclass
class FakeTurnWords:
    """A turn that ends with one of `open_words` goes on."""

    open_words: tuple[str, ...] = ("and", "the", "to", "can", "how")

    def probability(self, text: str, *, language: str) -> float:
        return 0.02 if text.split()[-1].casefold() in self.open_words else 0.9


@dataclass
class FakeShortAnswers:
    """Takes a voice for an answer, or not; keeps how long each was that it heard."""

    may: bool = True
    takes_s: float = 0.2
    fails: bool = False
    asked_s: list[float] = field(default_factory=list[float])

    async def may_be(self, samples: Samples, answers: Sequence[str], *, language: str) -> bool:
        self.asked_s.append(len(samples) / SAMPLE_RATE_HZ)
        await asyncio.sleep(self.takes_s)
        if self.fails:
            raise RuntimeError("out of memory")
        return self.may


@dataclass
class FakeSynthesizer:
    """Says twenty characters a second; every sample has its number in the whole call."""

    sample_rate_hz: int = SAMPLE_RATE_HZ
    takes_s: float = 0.1
    """Until the first chunk, and as long for each one that follows."""
    chunk_s: float = 0.4
    aligns: bool = True
    fails: Callable[[int], BaseException | None] = lambda number: None
    """The error of the clause with this number, from 1."""
    hangs: bool = False
    name: str = "fake/mouth"
    clauses: list[str] = field(default_factory=list[str])
    made: int = 0

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        self.clauses.append(clause)
        number = len(self.clauses)
        per_chunk = round(self.chunk_s * CHARS_PER_S)
        for start in range(0, len(clause), per_chunk):
            await asyncio.sleep(3_600 if self.hangs else self.takes_s)
            if (error := self.fails(number)) is not None:
                raise error
            chars = clause[start : start + per_chunk]
            count = round(len(chars) / CHARS_PER_S * self.sample_rate_hz)
            numbers = np.arange(self.made, self.made + count) % 20_000 + 1
            self.made += count
            timed = tuple(
                TimedChars(char, (start + place) / CHARS_PER_S, 1 / CHARS_PER_S)
                for place, char in enumerate(chars)
            )
            yield SpeechChunk(numbers.astype(np.int16), timed if self.aligns else ())


@dataclass
class FakeModels:
    """All of a call."""

    transcriber: FakeTranscriber = field(default_factory=FakeTranscriber)
    turn_end: FakeTurnEnd | None = field(default_factory=FakeTurnEnd)
    turn_words: FakeTurnWords | None = field(default_factory=FakeTurnWords)
    short_answers: FakeShortAnswers | None = None
    synthesizer: FakeSynthesizer = field(default_factory=FakeSynthesizer)

    def new_detector(self) -> FakeDetector:
        return FakeDetector()


@dataclass
class FakeRecorder:
    """Keeps both sides by position."""

    user: list[tuple[float, Samples]] = field(default_factory=list[tuple[float, Samples]])
    agent: list[tuple[float, Samples]] = field(default_factory=list[tuple[float, Samples]])
    is_closed: bool = False

    def heard(self, samples: Samples, at_s: float) -> None:
        self.user.append((at_s, samples))

    def said(self, samples: Samples, at_s: float) -> None:
        self.agent.append((at_s, samples))

    def cut(self, at_s: float) -> None:
        kept: list[tuple[float, Samples]] = []
        for begins_s, samples in self.agent:
            left = round((at_s - begins_s) * SAMPLE_RATE_HZ)
            if left > 0:
                kept.append((begins_s, samples[:left]))
        self.agent = kept

    def close(self) -> None:
        assert not self.is_closed
        self.is_closed = True
