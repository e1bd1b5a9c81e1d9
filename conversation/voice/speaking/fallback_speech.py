"""A list of voices: the next one speaks when the one before cannot.

What was said already is not said again: when a voice breaks off in the middle of a clause, the
next one goes on with the word after the last that was begun. Where only estimates tell which word
that was, it goes on where a quick voice would have come, so that rather a word is lost than one is
heard twice.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import cast

import numpy as np

from conversation.errors import SpeechError
from conversation.voice.audio import StreamResampler
from conversation.voice.ports import Samples, SpeechChunk, SpeechSynthesizer, TimedChars

_LOG = logging.getLogger(__name__)

SECONDS_PER_CHAR = 0.05
"""Of a quick voice that tells nothing of its words: rather too many are taken as said."""
PATIENCE_S = 4.0
"""With a provider that sends nothing, while another voice can speak."""
REST_S = 30.0
"""How long a voice that failed is not asked again, while another one can speak."""


@dataclass
class _Said:
    """What was handed out of a clause so far."""

    clause: str
    chars: int = 0
    """Of the clause, in alignments."""
    seconds: float = 0.0
    is_estimated: bool = False
    goes_on_at: int = 0
    """Where the next voice begins."""


class FallbackSpeech:
    """Voices in order of preference, all at the rate of the first."""

    def __init__(
        self,
        voices: Sequence[SpeechSynthesizer],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take at least one voice, first choice first; `clock` gives seconds that only grow."""
        if not voices:
            raise ValueError("a list of voices needs at least one")
        self._voices = tuple(voices)
        self._clock = clock
        self._rests_until: dict[int, float] = {}
        self.failures: Counter[str] = Counter()
        """How often each voice failed, by name."""

    @property
    def name(self) -> str:
        """Of the first choice."""
        return self._voices[0].name

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks, whoever speaks."""
        return self._voices[0].sample_rate_hz

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """The sound of a clause by the first voice that can, or by several in turn.

        Raises:
            SpeechError: All of them failed.
        """
        said = _Said(clause)
        order = self._order()
        for number in order:
            voice = self._voices[number]
            try:
                is_waited_for = number == order[-1] or voice.name.startswith("embedded/")
                chunks = self._rest_of(
                    said,
                    voice,
                    language=language,
                    is_first=is_first,
                    patience_s=None if is_waited_for else PATIENCE_S,
                )
                async with aclosing(chunks):
                    async for chunk in chunks:
                        yield chunk
                self._rests_until.pop(number, None)
                return
            except SpeechError as error:
                self._note(number, error, after_s=said.seconds)
                if number == order[-1]:
                    raise
                said.goes_on_at = _after_what_was_begun(said)

    def _order(self) -> list[int]:
        """All voices, those that failed a moment ago last."""
        now = self._clock()
        numbers = range(len(self._voices))
        return sorted(numbers, key=lambda number: self._rests_until.get(number, now) > now)

    async def _rest_of(
        self,
        said: _Said,
        voice: SpeechSynthesizer,
        *,
        language: str,
        is_first: bool,
        patience_s: float | None,
    ) -> AsyncGenerator[SpeechChunk]:
        """What is left of the clause, spoken by `voice`."""
        offset_s, rest = said.seconds, said.clause[said.goes_on_at :]
        # What is skipped stands where this voice begins.
        skipped = said.clause[said.chars : said.goes_on_at]
        waiting = [TimedChars(skipped, offset_s, 0.0)] if skipped else []
        if offset_s and not any(char.isalnum() for char in rest):
            waiting += [TimedChars(rest, offset_s, 0.0)] if rest else []
            yield SpeechChunk(np.zeros(0, dtype=np.int16), tuple(waiting))
            return
        rate = StreamResampler(voice.sample_rate_hz, self.sample_rate_hz)
        stream = voice.speak(rest, language=language, is_first=is_first or offset_s > 0)
        async with aclosing(cast("AsyncGenerator[SpeechChunk]", stream)) as chunks:
            while (chunk := await _next(chunks, voice.name, patience_s)) is not None:
                samples = rate.push(chunk.samples)
                waiting += _later(chunk.alignment, offset_s)
                said.is_estimated = chunk.is_estimated or not chunk.alignment
                if len(samples):
                    yield self._handed(said, samples, waiting)
                    waiting = []
        yield self._handed(said, rate.finish(), waiting)

    def _handed(self, said: _Said, samples: Samples, timed: Sequence[TimedChars]) -> SpeechChunk:
        """A chunk; text without sound waits for some, so that both are counted together."""
        said.seconds += len(samples) / self.sample_rate_hz
        said.chars += sum(len(each.chars) for each in timed)
        return SpeechChunk(samples, tuple(timed), is_estimated=said.is_estimated)

    def _note(self, number: int, error: SpeechError, *, after_s: float) -> None:
        name = self._voices[number].name
        self.failures[name] += 1
        self._rests_until[number] = self._clock() + REST_S
        _LOG.warning("the voice %s failed after %.1f s of a clause: %s", name, after_s, error)


async def _next(
    chunks: AsyncGenerator[SpeechChunk], name: str, patience_s: float | None
) -> SpeechChunk | None:
    """The next chunk, if it comes in time; None after the last."""
    try:
        async with asyncio.timeout(patience_s):
            return await anext(chunks, None)
    except TimeoutError as error:
        raise SpeechError(f"{name} sent nothing for {patience_s} s.") from error


def _after_what_was_begun(said: _Said) -> int:
    """Where a clause goes on that broke off, so that no word is said twice."""
    if not said.seconds:
        return 0
    guessed = round(said.seconds / SECONDS_PER_CHAR) if said.is_estimated else 0
    return _end_of_word(said.clause, min(len(said.clause), max(said.chars, guessed)))


def _end_of_word(clause: str, at: int) -> int:
    """The end of the word that the character before `at` belongs to."""
    if at and not clause[at - 1 : at].isspace():
        while at < len(clause) and not clause[at].isspace():
            at += 1
    return min(at, len(clause))


def _later(timed: Sequence[TimedChars], seconds: float) -> list[TimedChars]:
    return [replace(each, start_s=each.start_s + seconds) for each in timed]
