"""What a voice call needs of the models behind it, whoever provides them.

Samples are mono, signed 16-bit integers at `SAMPLE_RATE_HZ` unless a name says otherwise. Models
are shared by all calls of a process and do their work outside of the event loop; only a
`VoiceDetector` keeps state, one for each call.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 16_000
FRAME_SAMPLES = 512
"""Of one frame that a `VoiceDetector` judges: 32 ms."""

Samples = NDArray[np.int16]


class VoiceDetector(Protocol):
    """Whether somebody speaks. One for each call: it remembers the frames before."""

    def probability(self, frame: Samples) -> float:
        """How likely the next `FRAME_SAMPLES` samples hold a voice, 0 to 1."""
        ...

    def reset(self) -> None:
        """Forget the frames before, e.g. where the microphone was muted."""
        ...


@dataclass(frozen=True, slots=True)
class Transcription:
    """What was understood of a stretch of sound."""

    text: str
    """Empty when there were no words."""
    language: str | None = None
    """As the model found or was told it, e.g. `en`."""
    words: tuple["TimedChars", ...] = ()
    """When each word was said, from the beginning of the samples, where the model tells. Joined,
    `chars` are the text."""


class Transcriber(Protocol):
    """Speech to text."""

    @property
    def name(self) -> str:
        """The model string, e.g. `embedded/whisper-base`."""
        ...

    async def transcribe(
        self,
        samples: Samples,
        *,
        language: str | None = None,
        keywords: Sequence[str] = (),
        is_tentative: bool = False,
    ) -> Transcription:
        """The words in `samples`, which hold the whole of a turn so far.

        Args:
            samples: At `SAMPLE_RATE_HZ`.
            language: None leaves it to the model.
            keywords: Words that are likely to be said.
            is_tentative: Whether the user still speaks: others go first.

        Raises:
            SpeechError: The model or its provider failed.
        """
        ...


class ShortAnswers(Protocol):
    """Whether a short voice says no more than "go on", whatever was written down of it."""

    async def may_be(self, samples: Samples, answers: Sequence[str], *, language: str) -> bool:
        """Whether one of `answers` may be all that is said."""
        ...


class TurnEndModel(Protocol):
    """Whether a turn sounds finished."""

    async def probability(self, samples: Samples) -> float:
        """How likely the speaker is done, 0 to 1, for a turn that ends 0.2 s after its speech."""
        ...


class TurnWords(Protocol):
    """Whether a turn reads finished."""

    def probability(self, text: str, *, language: str) -> float | None:
        """How likely the speaker is done, 0 to 1, by the words alone; None if they do not tell."""
        ...


@dataclass(frozen=True, slots=True)
class TimedChars:
    """Where characters of a text stand in its sound."""

    chars: str
    start_s: float
    """From the beginning of the clause."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class SpeechChunk:
    """A piece of synthesised sound, and the characters that it says."""

    samples: Samples
    """At the synthesizer's own rate."""
    alignment: tuple[TimedChars, ...] = ()
    """Joined over all chunks of a clause, `chars` are the clause. Empty where it is not known."""
    is_estimated: bool = False
    """Whether `alignment` was reckoned by the length of words: the voice did not tell."""


class SpeechSynthesizer(Protocol):
    """Text to speech."""

    @property
    def name(self) -> str:
        """The model string with the voice, e.g. `embedded/piper:joe`."""
        ...

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks."""
        ...

    def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncIterator[SpeechChunk]:
        """The sound of a clause, in chunks as they are made. Leaving early stops the work.

        Args:
            clause: Plain words, as `spoken_form` gives them.
            language: Of the clause.
            is_first: Whether the user waits for it: it goes before others.

        Raises:
            SpeechError: The model or its provider failed.
        """
        ...


class CallRecorder(Protocol):
    """Keeps the sound of a call: what the user said, and of the agent what the user heard.

    Positions are seconds of audio time from the beginning of the call. Every method is quick.
    """

    def heard(self, samples: Samples, at_s: float) -> None:
        """The user's microphone from `at_s` on."""
        ...

    def said(self, samples: Samples, at_s: float) -> None:
        """The agent's voice, as the user hears it from `at_s` on."""
        ...

    def cut(self, at_s: float) -> None:
        """What the agent was to say from `at_s` on was thrown away before it was heard."""
        ...

    def close(self) -> None:
        """The call is over."""
        ...


class CallModels(Protocol):
    """All that one call needs: of them only the detector is its own."""

    def new_detector(self) -> VoiceDetector:
        """A detector that has heard nothing yet."""
        ...

    @property
    def transcriber(self) -> Transcriber:
        """What hears."""
        ...

    @property
    def turn_end(self) -> TurnEndModel | None:
        """None where turns are judged by their words alone."""
        ...

    @property
    def turn_words(self) -> TurnWords | None:
        """None where turns are judged by their sound alone."""
        ...

    @property
    def short_answers(self) -> ShortAnswers | None:
        """None where what was written down is taken as said."""
        ...

    @property
    def synthesizer(self) -> SpeechSynthesizer:
        """What speaks."""
        ...
