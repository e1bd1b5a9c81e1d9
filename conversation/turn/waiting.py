"""Waiting for a model or a tool until it is done or the turn is closed, whichever comes first."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Generator, Iterator
from typing import Any, TypeVar

from conversation.llm.chat_model import Completion
from conversation.turn.turn_so_far import SpeakingTurn

T = TypeVar("T")


def parts(
    stream: Iterator[str | Completion], speaking: SpeakingTurn
) -> Generator[str | Completion]:
    """The stream until the turn is closed. A model that can be stopped is stopped at once."""
    speaking.when_over(getattr(stream, "cancel", None))
    try:
        for part in stream:
            if speaking.is_over:
                return
            yield part
            if speaking.is_over:
                return
    finally:
        speaking.when_over(None)
        close = getattr(stream, "close", None)
        if close is not None:
            close()


async def aparts(
    stream: AsyncIterator[str | Completion], speaking: SpeakingTurn
) -> AsyncGenerator[str | Completion]:
    """The stream until the turn is closed, which stops the model at once."""

    async def next_part() -> str | Completion | None:
        return await anext(stream, None)

    try:
        while (part := await unless_over(next_part(), speaking)) is not None:
            yield part
    finally:
        close = getattr(stream, "aclose", None)
        if close is not None:
            await close()


async def unless_over(work: Coroutine[Any, Any, T], speaking: SpeakingTurn) -> T | None:
    """What `work` returns; None, with `work` cancelled, when the turn is closed meanwhile."""
    if speaking.is_over:
        work.close()
        return None
    loop = asyncio.get_running_loop()
    task = loop.create_task(work)
    speaking.when_over(lambda: loop.call_soon_threadsafe(task.cancel))
    try:
        result = await task
    except asyncio.CancelledError:
        current = asyncio.current_task()
        if speaking.is_over and current is not None and not current.cancelling():
            return None
        task.cancel()
        raise
    finally:
        speaking.when_over(None)
    return None if speaking.is_over else result
