"""Voices of ElevenLabs, which tell when they say each character."""

import base64
import binascii
import json
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Any
from urllib.parse import quote

from pydantic import BaseModel, ValidationError

from conversation.errors import SpeechError
from conversation.llm.model_loop import model_loop
from conversation.voice.ports import SpeechChunk, TimedChars
from conversation.voice.speaking.alignment import TimedSpan, timed_chars
from conversation.voice.speaking.providers.encoded_sound import SoundDecoder
from conversation.voice.speaking.providers.http_stream import posted
from conversation.voice.speaking.providers.only_words import only_words
from conversation.voice.speaking.providers.speech_endpoint import SAMPLE_RATE_HZ, SpeechEndpoint

_ADDRESS = "https://api.elevenlabs.io"
_MAX_LINE_BYTES = 16_000_000
_TOLERANCE_S = 0.02
_TOLD_THE_LANGUAGE = ("eleven_flash_v2_5", "eleven_turbo_v2_5", "eleven_v3")
"""Models that take a language; the others find it out."""


class _Characters(BaseModel):
    characters: list[str]
    character_start_times_seconds: list[float]
    character_end_times_seconds: list[float]


class _Line(BaseModel):
    audio_base64: str | None = None
    alignment: _Characters | None = None


class ElevenLabsSpeech:
    """One voice."""

    sample_rate_hz = SAMPLE_RATE_HZ

    def __init__(self, endpoint: SpeechEndpoint) -> None:
        self._endpoint = endpoint

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
        source = model_loop().aiterate(lambda: self._chunks(clause, language))
        async with aclosing(source) as chunks:
            async for chunk in chunks:
                yield chunk

    async def _chunks(self, clause: str, language: str) -> AsyncGenerator[SpeechChunk]:
        decoder, words, made = SoundDecoder(), _HeardCharacters(clause), 0
        try:
            async with aclosing(self._lines(clause, language)) as lines:
                async for line in lines:
                    begins_s = made / SAMPLE_RATE_HZ
                    samples = decoder.feed(_bytes_of(line.audio_base64))
                    made += len(samples)
                    timed = words.take(line.alignment, begins_s)
                    if len(samples) or timed:
                        yield SpeechChunk(samples, timed, is_estimated=words.is_estimated)
            rest = decoder.finish()
        except SpeechError as error:
            raise (
                error if self.name in str(error) else SpeechError(f"{self.name}: {error}.")
            ) from error
        made += len(rest)
        if not made:
            raise SpeechError(f"{self.name} sent no sound.")
        timed = words.finish(made / SAMPLE_RATE_HZ)
        yield SpeechChunk(rest, timed, is_estimated=words.is_estimated)

    async def _lines(self, clause: str, language: str) -> AsyncGenerator[_Line]:
        """The answer, an object a line."""
        endpoint, waiting = self._endpoint, b""
        base = (endpoint.api_base or _ADDRESS).rstrip("/").removesuffix("/v1")
        blocks = posted(
            endpoint,
            f"{base}/v1/text-to-speech/{quote(endpoint.voice, safe='')}/stream/with-timestamps",
            headers={"xi-api-key": endpoint.key} if endpoint.key else {},
            body=self._body(clause, language),
            params={"output_format": f"pcm_{SAMPLE_RATE_HZ}"},
        )
        async with aclosing(blocks):
            async for block, _ in blocks:
                *lines, waiting = (waiting + block).split(b"\n")
                for line in lines:
                    if line.strip():
                        yield _read(line)
                if len(waiting) > _MAX_LINE_BYTES:
                    raise SpeechError("a line of the answer does not end")
        if waiting.strip():
            yield _read(waiting)

    def _body(self, clause: str, language: str) -> dict[str, Any]:
        settings, model = self._endpoint.settings, self._endpoint.model
        told = {
            "stability": settings.stability,
            "similarity_boost": settings.similarity_boost,
            "style": settings.style,
            "speed": settings.speed if settings.speed != 1.0 else None,
        }
        given = {name: value for name, value in told.items() if value is not None}
        body: dict[str, Any] = {"text": clause, "model_id": model}
        if model.startswith(_TOLD_THE_LANGUAGE):
            body["language_code"] = language.replace("_", "-").partition("-")[0].lower()
        return body | {"voice_settings": given} if given else body


class _HeardCharacters:
    """What the provider tells of characters -> the characters of the clause, all and in order."""

    def __init__(self, clause: str) -> None:
        self._clause = clause
        self._at = 0
        self._now = 0.0
        self.is_estimated = False
        """Whether the provider told of other characters, or of none."""

    def take(self, told: _Characters | None, begins_s: float) -> tuple[TimedChars, ...]:
        """The characters that are told of, with times from the beginning of the clause."""
        if told is None or not told.characters:
            return ()
        starts = told.character_start_times_seconds
        # Some answers count from the beginning of the clause, some from that of each piece.
        counts_afresh = bool(starts) and starts[0] < self._now - _TOLERANCE_S
        offset_s = begins_s if counts_afresh else 0.0
        spans = list(self._spans(told, offset_s))
        if not spans:
            return ()
        begin, end = self._at, spans[-1].end_char
        ends_s = max(self._now, spans[-1].end_s)
        moved = [
            TimedSpan(
                s.start_char - begin, s.end_char - begin, s.start_s - self._now, s.end_s - self._now
            )
            for s in spans
        ]
        timed = timed_chars(self._clause[begin:end], moved, total_s=ends_s - self._now)
        shifted = _later(timed, self._now)
        self._at, self._now = end, ends_s
        return shifted

    def finish(self, total_s: float) -> tuple[TimedChars, ...]:
        """What the provider did not tell of."""
        rest = self._clause[self._at :]
        self.is_estimated = self.is_estimated or bool(rest.strip())
        now = min(self._now, total_s)
        timed = timed_chars(
            rest, [TimedSpan(0, len(rest), 0.0, total_s - now)], total_s=total_s - now
        )
        return _later(timed, now)

    def _spans(self, told: _Characters, offset_s: float):
        at = self._at
        for char, start_s, end_s in zip(
            told.characters,
            told.character_start_times_seconds,
            told.character_end_times_seconds,
            strict=False,
        ):
            found = self._clause.find(char, at, at + len(char) + 2) if char else -1
            if found < 0:
                self.is_estimated = self.is_estimated or not char.isspace()
                continue
            yield TimedSpan(found, found + len(char), start_s + offset_s, end_s + offset_s)
            at = found + len(char)


def _later(timed: Sequence[TimedChars], seconds: float) -> tuple[TimedChars, ...]:
    return tuple(TimedChars(each.chars, each.start_s + seconds, each.duration_s) for each in timed)


def _read(line: bytes) -> _Line:
    """One object; also as an event of a stream of events."""
    try:
        return _Line.model_validate(json.loads(line.removeprefix(b"data:")))
    except (ValueError, ValidationError) as error:
        raise SpeechError("the answer is not what that protocol says") from error


def _bytes_of(text: str | None) -> bytes:
    try:
        return base64.b64decode(text or "", validate=True)
    except (binascii.Error, ValueError) as error:
        raise SpeechError("the sound of the answer is not base64") from error
