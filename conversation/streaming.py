"""A model's stream to text that is delivered, until the stream ends or the turn is closed."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator, Iterator

from conversation.llm.chat_model import Completion
from conversation.speaking import SpeakingTurn

Take = Callable[[SpeakingTurn, str | Completion], str]
"""Gives a part to the turn and returns the text to deliver, perhaps none."""


def deltas(
    stream: Iterator[str | Completion], speaking: SpeakingTurn, *, take: Take
) -> Generator[str]:
    """Deliver the stream. A turn that was closed meanwhile stops the model at its next part."""
    try:
        for part in stream:
            if speaking.is_over:
                return
            delivered = take(speaking, part)
            if delivered:
                yield delivered
            if speaking.is_over:
                return
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()


async def adeltas(
    stream: AsyncIterator[str | Completion], speaking: SpeakingTurn, *, take: Take
) -> AsyncGenerator[str]:
    """Deliver the stream. A turn that is closed meanwhile stops the model at once."""
    try:
        while (part := await _next_part(stream, speaking)) is not None:
            delivered = take(speaking, part)
            if delivered:
                yield delivered
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def _next_part(
    stream: AsyncIterator[str | Completion], speaking: SpeakingTurn
) -> str | Completion | None:
    """The stream's next part; None at its end, or at once when the turn is closed meanwhile."""
    if speaking.is_over:
        return None

    async def wait() -> str | Completion | None:
        return await anext(stream, None)

    loop = asyncio.get_running_loop()
    task = loop.create_task(wait())
    speaking.when_over(lambda: loop.call_soon_threadsafe(task.cancel))
    try:
        part = await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if speaking.is_over and current is not None and not current.cancelling():
            return None
        raise
    finally:
        speaking.when_over(None)
    return None if speaking.is_over else part
