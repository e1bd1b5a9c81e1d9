"""A clause without a word is no provider's business."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from functools import wraps
from typing import Any

from conversation.voice.ports import SpeechChunk
from conversation.voice.speaking.alignment import unsaid

Speak = Callable[..., AsyncGenerator[SpeechChunk]]


def only_words(speak: Speak) -> Speak:
    """Ask the provider only for a clause that has something to say; the rest is passed over."""

    @wraps(speak)
    async def asked(voice: Any, clause: str, **how: Any) -> AsyncGenerator[SpeechChunk]:
        if not any(char.isalnum() for char in clause):
            yield unsaid(clause)
            return
        async with aclosing(speak(voice, clause, **how)) as chunks:
            async for chunk in chunks:
                yield chunk

    return asked
