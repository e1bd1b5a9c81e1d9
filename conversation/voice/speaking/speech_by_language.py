"""Voices of one agent, each for the language that it speaks."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import replace
from typing import cast

from conversation.agent.models.voice_config import base_language
from conversation.voice.audio import StreamResampler
from conversation.voice.ports import SpeechChunk, SpeechSynthesizer


class SpeechByLanguage:
    """The usual voice, and others for languages that it does not speak, all at its rate."""

    def __init__(self, usual: SpeechSynthesizer, others: Mapping[str, SpeechSynthesizer]) -> None:
        """Take the usual voice, and others by language, e.g. `es`."""
        self._usual = usual
        self._others = others

    @property
    def name(self) -> str:
        """Of the usual voice."""
        return self._usual.name

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks, whoever speaks."""
        return self._usual.sample_rate_hz

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """The sound of a clause by the voice of its language.

        Raises:
            SpeechError: The voice failed, or none speaks the language.
        """
        voice = self._others.get(base_language(language), self._usual)
        rate = StreamResampler(voice.sample_rate_hz, self.sample_rate_hz)
        stream = voice.speak(clause, language=language, is_first=is_first)
        async with aclosing(cast("AsyncGenerator[SpeechChunk]", stream)) as chunks:
            async for chunk in chunks:
                yield replace(chunk, samples=rate.push(chunk.samples))
        rest = rate.finish()
        if len(rest):
            yield SpeechChunk(rest)
