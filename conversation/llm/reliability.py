"""Deadlines, retries and rate limits around one model.

A call is tried again only when trying again may help, and only until its first text came out: what
was heard cannot be taken back. Waiting and chance are arguments, so that tests decide them.
"""

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace

from conversation.errors import ModelError, ModelUnavailableError
from conversation.llm.chat_model import (
    ChatMessage,
    Completion,
    CompletionOptions,
    FailedAttempt,
)
from conversation.llm.generator import TextGenerator, calls_tools


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often, and how long between."""

    max_attempts: int = 3
    first_delay_s: float = 0.5
    """Doubled after each attempt; the real delay is drawn between half of it and all of it."""
    max_delay_s: float = 8.0
    max_retry_after_s: float = 20.0
    """A provider that asks for a longer pause is given up at once, so that a fallback answers."""


class ReliableGenerator:
    """A generator with deadlines and retries. One per model, shared by all sessions.

    A rate limit holds for everybody: calls that come during the pause that the provider asked for
    wait until it is over, instead of making it longer.
    """

    def __init__(
        self,
        inner: TextGenerator,
        policy: RetryPolicy = RetryPolicy(),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Wrap `inner`; `chance` returns numbers in [0, 1) for the jitter."""
        self._inner = inner
        self._policy = policy
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._paused_until_s = 0.0

    @property
    def model(self) -> str:
        """The model string."""
        return self._inner.model

    def calls_tools(self) -> bool:
        """Whether the model has tool calls of its own."""
        return calls_tools(self._inner)

    async def check(self) -> None:
        """Check the model once, without retries."""
        await self._inner.check()

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield text deltas and then the `Completion`, which lists the attempts that failed."""
        deadline_s = None
        if options.total_timeout_s:
            deadline_s = self._clock() + options.total_timeout_s
        failed: list[FailedAttempt] = []
        while True:
            await self._wait_for_pause(deadline_s)
            started = False
            try:
                attempt = _with_deadlines(self._inner, messages, options, self._left(deadline_s))
                async with aclosing(attempt) as pieces:
                    async for piece in pieces:
                        started = True
                        if isinstance(piece, Completion):
                            piece = replace(
                                piece, failed_attempts=(*failed, *piece.failed_attempts)
                            )
                        yield piece
                return
            except ModelError as error:
                failed.append(FailedAttempt(self.model, str(error)))
                self._note_pause(error)
                delay_s = self._delay_s(error, len(failed))
                if started or delay_s is None or not _fits(delay_s, self._left(deadline_s)):
                    raise
            await self._sleep(delay_s)

    def _delay_s(self, error: ModelError, attempts: int) -> float | None:
        """Return how long to wait before the next attempt, or None for no further one."""
        if not error.retryable or attempts >= self._policy.max_attempts:
            return None
        asked_s = error.retry_after_s if isinstance(error, ModelUnavailableError) else None
        if asked_s is not None:
            return asked_s if asked_s <= self._policy.max_retry_after_s else None
        ceiling_s = min(self._policy.first_delay_s * 2 ** (attempts - 1), self._policy.max_delay_s)
        return ceiling_s * (0.5 + 0.5 * self._chance())

    def _note_pause(self, error: ModelError) -> None:
        if isinstance(error, ModelUnavailableError) and error.retry_after_s:
            self._paused_until_s = max(self._paused_until_s, self._clock() + error.retry_after_s)

    async def _wait_for_pause(self, deadline_s: float | None) -> None:
        pause_s = self._paused_until_s - self._clock()
        if pause_s <= 0:
            return
        if pause_s > self._policy.max_retry_after_s or not _fits(pause_s, self._left(deadline_s)):
            limited = ModelUnavailableError(
                f"Model {self.model!r} asked for a pause of {pause_s:.0f} s more (rate limit). "
                "Wait, or name another model under `llm.fallbacks`."
            )
            limited.retry_after_s = pause_s
            raise limited
        await self._sleep(pause_s)

    def _left(self, deadline_s: float | None) -> float | None:
        return None if deadline_s is None else deadline_s - self._clock()


async def _with_deadlines(
    inner: TextGenerator,
    messages: Sequence[ChatMessage],
    options: CompletionOptions,
    left_s: float | None,
) -> AsyncGenerator[str | Completion, None]:
    """Run one attempt; closing it, or passing a deadline, cancels the request."""
    ends_s = None if left_s is None else asyncio.get_running_loop().time() + max(left_s, 0)
    pieces = inner.generate(messages, options)
    first = True
    try:
        while True:
            limit_s = _sooner(ends_s, options.first_token_timeout_s if first else None)
            try:
                async with asyncio.timeout_at(limit_s):
                    piece = await anext(pieces)
            except StopAsyncIteration:
                return
            except TimeoutError as error:
                raise _too_late(inner.model, options, first=first) from error
            first = False
            yield piece
    finally:
        await pieces.aclose()


def _sooner(ends_s: float | None, timeout_s: float | None) -> float | None:
    """Return the earlier of a point in time and a time from now, both on the loop's clock."""
    points = [] if ends_s is None else [ends_s]
    if timeout_s:
        points.append(asyncio.get_running_loop().time() + timeout_s)
    return min(points, default=None)


def _too_late(model: str, options: CompletionOptions, *, first: bool) -> ModelUnavailableError:
    if first and options.first_token_timeout_s:
        limit = f"did not begin to answer within {options.first_token_timeout_s:g} s"
        key = "first_token_timeout_s"
    else:
        limit = f"did not finish within {options.total_timeout_s:g} s"
        key = "total_timeout_s"
    return ModelUnavailableError(
        f"Model {model!r} {limit}. Try again, raise `llm.{key}`, or name a faster model."
    )


def _fits(delay_s: float, left_s: float | None) -> bool:
    return left_s is None or delay_s < left_s
