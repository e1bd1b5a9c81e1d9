"""Voices of OpenAI, and of every server that speaks its protocol, e.g. on this machine."""

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from typing import Any

from conversation.errors import SpeechError
from conversation.llm.model_loop import model_loop
from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import GrowingEstimate
from conversation.voice.speaking.providers.encoded_sound import SoundDecoder
from conversation.voice.speaking.providers.http_stream import posted
from conversation.voice.speaking.providers.only_words import only_words
from conversation.voice.speaking.providers.speech_endpoint import SAMPLE_RATE_HZ, SpeechEndpoint

_ADDRESS = "https://api.openai.com/v1"
FIRST_SECONDS_PER_CHAR = 0.065
"""Of a voice that has not spoken yet."""
_PACE_KEPT = 0.7
"""Share of the pace so far in the pace after a clause."""


class OpenAISpeech:
    """One voice. It does not tell when it says what, so that times of words are estimates."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, endpoint: SpeechEndpoint) -> None:
        self._endpoint = endpoint
        self._seconds_per_char = FIRST_SECONDS_PER_CHAR / endpoint.settings.speed

    @property
    def name(self) -> str:
        """The model string with the voice."""
        return self._endpoint.name

    @only_words
    async def speak(
        self, clause: str, *, language: str, is_first: bool = False
    ) -> AsyncGenerator[SpeechChunk]:
        """The sound of a clause while it comes in. Leaving early closes the connection.

        Raises:
            SpeechError: The provider failed.
        """
        async with aclosing(model_loop().aiterate(lambda: self._chunks(clause))) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _chunks(self, clause: str) -> AsyncGenerator[SpeechChunk]:
        decoder, made = SoundDecoder(), 0
        words = GrowingEstimate(clause, seconds_per_char=self._seconds_per_char)
        blocks = posted(
            self._endpoint, self._url(), headers=self._headers(), body=self._body(clause)
        )
        try:
            async with aclosing(blocks):
                async for block, content_type in blocks:
                    samples = decoder.feed(block, content_type)
                    made += len(samples)
                    if len(samples):
                        timed = words.until(made / SAMPLE_RATE_HZ)
                        yield SpeechChunk(samples, timed, is_estimated=True)
            rest = decoder.finish()
        except SpeechError as error:
            raise _about(self.name, error) from error
        made += len(rest)
        if not made:
            raise SpeechError(f"{self.name} sent no sound.")
        total_s = made / SAMPLE_RATE_HZ
        yield SpeechChunk(rest, words.finish(total_s), is_estimated=True)
        self._learn(total_s / len(clause))

    def _learn(self, seconds_per_char: float) -> None:
        self._seconds_per_char += (1 - _PACE_KEPT) * (seconds_per_char - self._seconds_per_char)

    def _url(self) -> str:
        return f"{(self._endpoint.api_base or _ADDRESS).rstrip('/')}/audio/speech"

    def _headers(self) -> Mapping[str, str]:
        key = self._endpoint.key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _body(self, clause: str) -> dict[str, Any]:
        endpoint = self._endpoint
        body: dict[str, Any] = {
            "model": endpoint.model,
            "voice": endpoint.voice,
            "input": clause,
            # Servers of others make raw sound at rates of their own; the header of WAV tells.
            "response_format": "wav" if endpoint.api_base else "pcm",
        }
        return body if endpoint.settings.speed == 1.0 else body | {"speed": endpoint.settings.speed}


def _about(name: str, error: SpeechError) -> SpeechError:
    """What the decoder found says not whose sound it is."""
    return error if name in str(error) else SpeechError(f"{name}: {error}.")
