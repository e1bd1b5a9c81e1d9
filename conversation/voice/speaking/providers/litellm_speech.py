"""Voices of every other provider that litellm knows: a clause comes when it is whole."""

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import numpy as np

from conversation.errors import ModelError, SpeechError
from conversation.llm.model_loop import model_loop
from conversation.llm.providers.litellm_errors import as_model_error
from conversation.llm.providers.litellm_model import load_litellm
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import spread_evenly
from conversation.voice.speaking.providers.encoded_sound import SoundDecoder
from conversation.voice.speaking.providers.only_words import only_words
from conversation.voice.speaking.providers.speech_endpoint import SAMPLE_RATE_HZ, SpeechEndpoint

TIMEOUT_S = 15.0
"""For a whole clause."""


class LiteLLMSpeech:
    """One voice. It does not tell when it says what, so that times of words are estimates."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, endpoint: SpeechEndpoint) -> None:
        """Load litellm, which takes seconds: nobody on the line should wait for that."""
        self._endpoint = endpoint
        self._litellm: Any = load_litellm()

    @property
    def name(self) -> str:
        """The model string with the voice."""
        return self._endpoint.name

    @only_words
    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """The sound of a clause, in one chunk. Leaving early cancels the request.

        Raises:
            SpeechError: The provider failed.
        """
        data, content_type = await model_loop().acall(self._asked(clause))
        try:
            decoder = SoundDecoder()
            samples = np.concatenate((decoder.feed(data, content_type), decoder.finish()))
        except SpeechError as error:
            raise SpeechError(f"{self.name}: {error}.") from error
        if not len(samples):
            raise SpeechError(f"{self.name} sent no sound.")
        timed = spread_evenly(clause, total_s=len(samples) / SAMPLE_RATE_HZ)
        yield SpeechChunk(samples, tuple(timed), is_estimated=True)

    async def _asked(self, clause: str) -> tuple[bytes, str]:
        endpoint = self._endpoint
        request: dict[str, Any] = {
            "model": f"{endpoint.provider}/{endpoint.model}",
            "input": clause,
            "voice": endpoint.voice,
            "response_format": "wav",
            "timeout": TIMEOUT_S,
            "max_retries": 0,
        }
        if endpoint.api_base:
            request["api_base"] = endpoint.api_base
        if endpoint.key:
            request["api_key"] = endpoint.key
        if endpoint.settings.speed != 1.0:
            request["speed"] = endpoint.settings.speed
        try:
            async with asyncio.timeout(TIMEOUT_S):
                answer: Any = await self._litellm.aspeech(**request)
                content: bytes = await answer.aread()
                return content, str(answer.response.headers.get("content-type", ""))
        except TimeoutError as error:
            raise SpeechError(f"{self.name} sent nothing for {TIMEOUT_S:.0f} s.") from error
        except Exception as error:
            raise self._as_speech_error(error) from error

    def _as_speech_error(self, error: Exception) -> SpeechError:
        """What went wrong, without the provider's sentences: they may quote what was to be said."""
        endpoint = self._endpoint
        told: ModelError = as_model_error(
            error, self.name, api_base=endpoint.api_base, key_names=(endpoint.key_name,)
        )
        return SpeechError(str(told).partition(" It said:")[0])
