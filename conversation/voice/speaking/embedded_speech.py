"""An embedded voice as what speaks in calls: on shared threads, and only what it can say."""

import logging
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from dataclasses import replace
from itertools import chain
from typing import Protocol

from conversation.agent.models.voice_config import base_language, voices_speaking
from conversation.errors import SpeechError, UnsayableError
from conversation.voice.models.runner import ModelRunner, Urgency
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import unsaid
from conversation.voice.speaking.english.pronouncing import Pronunciation, SaidPart

_LOG = logging.getLogger(__name__)

MAX_PHONEMES = 480
"""Of a run: Kokoro reads 510 at once. Two and a half times what a clause has."""
MAX_PHONEMES_OF_A_PART = 200
_NAMES = {"en": "English", "es": "Spanish"}


class EmbeddedVoice(Protocol):
    """A loaded voice of some engine."""

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks."""
        ...

    def chunks(
        self, clause: str, parts: Sequence[SaidPart], *, speed: float
    ) -> Iterator[SpeechChunk]:
        """The sound of `clause`, made while it is taken."""
        ...


class Speaker(Protocol):
    """Who knows how a language is pronounced."""

    def pronounce(self, clause: str) -> Pronunciation:
        """The phonemes of `clause`, in linear time."""
        ...


class EmbeddedSpeech:
    """Speaks with one voice. Shared by all calls of a process."""

    def __init__(
        self,
        name: str,
        voice: EmbeddedVoice,
        speaker: Speaker,
        *,
        runner: ModelRunner,
        speed: float = 1.0,
        language: str = "en",
    ) -> None:
        """Take a loaded voice and who pronounces `language` for it; `speed` 1 is its own."""
        self._name = name
        self._voice = voice
        self._speaker = speaker
        self._runner = runner
        self._speed = speed
        self.language = language
        """That it speaks."""

    @property
    def name(self) -> str:
        """The model string with the voice, e.g. `embedded/piper:joe`."""
        return self._name

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks."""
        return self._voice.sample_rate_hz

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """The sound of a clause, in chunks as they are made. Leaving early stops the work.

        Raises:
            SpeechError: The voice does not speak the language, or can say nothing of the clause.
        """
        require_language(language, self._name, speaks=self.language)
        urgency = Urgency.FIRST_CLAUSE if is_first else Urgency.LATER_CLAUSE
        chunks = self._runner.stream(lambda: self._chunks(clause), urgency=urgency)
        async with aclosing(chunks):
            async for chunk in chunks:
                yield chunk

    def _chunks(self, clause: str) -> Iterator[SpeechChunk]:
        said = self._speaker.pronounce(clause)
        if said.unreadable:
            self._tell_what_is_left_out(said)
        if not said.says_something:
            yield unsaid(clause)
            return
        begins_s = 0.0
        for text, parts in runs(clause, said.parts):
            made = 0
            for chunk in self._voice.chunks(text, parts, speed=self._speed):
                yield _later(chunk, begins_s)
                made += len(chunk.samples)
            begins_s += made / self.sample_rate_hz

    def _tell_what_is_left_out(self, said: Pronunciation) -> None:
        scripts = ", ".join(f"{count} {script}" for script, count in said.unreadable.most_common())
        if not said.says_something:
            raise UnsayableError(
                f"The voice {self._name} reads Latin letters, and a clause has none "
                f"({scripts}). Choose a provider's voice for this language, e.g. "
                "`tts: {model: openai/gpt-4o-mini-tts}`."
            )
        _LOG.warning("%s left out letters that it cannot read: %s", self._name, scripts)


def require_language(language: str, name: str, *, speaks: str) -> None:
    """Raise `SpeechError` for a language that a voice would read as if it were its own.

    Args:
        language: That is to be spoken.
        name: Of the voice.
        speaks: Its language.
    """
    if base_language(language) == speaks:
        return
    own = _NAMES.get(speaks, speaks)
    others = ", ".join(f"`voice_id: {voice}`" for voice in voices_speaking(language))
    remedy = (
        f"Choose an embedded voice that speaks it: {others}."
        if others
        else "Choose a provider's voice for this language, e.g. "
        "`tts: {model: openai/gpt-4o-mini-tts}` or `elevenlabs/eleven_flash_v2_5` with the "
        "`voice_id` of a voice there."
    )
    raise SpeechError(
        f"The voice {name} speaks {own}, not {language!r}: it would read the text as if it were "
        f"{own}. {remedy}"
    )


def runs(clause: str, parts: Sequence[SaidPart]) -> Iterator[tuple[str, list[SaidPart]]]:
    """Stretches that a network reads at once, with their text: a clause is mostly one.

    The time and the memory of a network grow with the square of what it reads.
    """
    start, size, run = 0, 0, list[SaidPart]()
    for part in chain.from_iterable(map(_in_bounds, parts)):
        length = len(part.phonemes or part.pause) + 1
        if size + length > MAX_PHONEMES and any(each.phonemes for each in run):
            yield clause[start : part.start_char], run
            start, size, run = part.start_char, 0, []
        run.append(_moved(part, -start))
        size += length
    if run:
        yield clause[start:], run


def _in_bounds(part: SaidPart) -> Iterator[SaidPart]:
    """`part`, cut where it alone is too long."""
    count = -(-len(part.phonemes) // MAX_PHONEMES_OF_A_PART) or 1
    chars = part.end_char - part.start_char
    for number in range(count):
        yield SaidPart(
            part.phonemes[number * MAX_PHONEMES_OF_A_PART :][:MAX_PHONEMES_OF_A_PART],
            part.pause,
            part.start_char + number * chars // count,
            part.start_char + (number + 1) * chars // count,
        )


def _moved(part: SaidPart, chars: int) -> SaidPart:
    return replace(part, start_char=part.start_char + chars, end_char=part.end_char + chars)


def _later(chunk: SpeechChunk, seconds: float) -> SpeechChunk:
    if not seconds:
        return chunk
    moved = (replace(timed, start_s=timed.start_s + seconds) for timed in chunk.alignment)
    return replace(chunk, alignment=tuple(moved))
