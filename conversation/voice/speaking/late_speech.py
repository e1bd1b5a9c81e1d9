"""A voice that is not loaded before it is needed."""

import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import cast

from conversation.voice.models.runner import ModelRunner, Urgency
from conversation.voice.ports import SpeechChunk, SpeechSynthesizer


class LateSpeech:
    """A voice that is loaded when it is to say something for the first time."""

    def __init__(
        self,
        name: str,
        open_voice: Callable[[], SpeechSynthesizer],
        *,
        sample_rate_hz: int,
        runner: ModelRunner,
    ) -> None:
        self._name = name
        self._sample_rate_hz = sample_rate_hz
        self._open = open_voice
        self._runner = runner
        self._loaded: SpeechSynthesizer | None = None
        self._loading = threading.Lock()

    @property
    def name(self) -> str:
        """The model string with the voice."""
        return self._name

    @property
    def sample_rate_hz(self) -> int:
        """Of the chunks; known before it is loaded."""
        return self._sample_rate_hz

    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """As the voice itself.

        Raises:
            SpeechError: It cannot be loaded, or failed.
        """
        voice = self._loaded or await self._runner.run(self._load, urgency=Urgency.FIRST_CLAUSE)
        chunks = voice.speak(clause, language=language, is_first=is_first)
        async with aclosing(cast("AsyncGenerator[SpeechChunk]", chunks)):
            async for chunk in chunks:
                yield chunk

    def _load(self) -> SpeechSynthesizer:
        with self._loading:
            if self._loaded is None:
                self._loaded = self._open()
            return self._loaded
