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

from conversation.errors import FailedAttempt, ModelError, ModelUnavailableError
from conversation.language.tokens import estimated_tokens
from conversation.llm.chat_model import (
    ChatMessage,
    Completion,
    CompletionOptions,
    PromptMemory,
)
from conversation.llm.generator import (
    TextGenerator,
    calls_tools,
    context_tokens,
    price_usd,
    prompt_memory,
)
from conversation.llm.limits.traffic import Booking, Traffic
from conversation.llm.reasoning_habit import habit_of
from conversation.transcript import Usage


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

    A rate limit holds for everybody: calls that come during the pause that the provider asked for,
    or when the minute's share is used up, wait their turn instead of making it worse.
    """

    def __init__(
        self,
        inner: TextGenerator,
        policy: RetryPolicy = RetryPolicy(),
        *,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        chance: Callable[[], float] = random.random,
        clock: Callable[[], float] = time.monotonic,
        traffic: Traffic | None = None,
    ) -> None:
        """Wrap `inner`.

        Args:
            inner: Makes one attempt.
            policy: How often, and how long between.
            sleep: Waits so many seconds.
            chance: Numbers in [0, 1) for the jitter.
            clock: Seconds that only grow.
            traffic: Of this model, with its limits; None for one of its own, without limits.
        """
        self._inner = inner
        self._policy = policy
        self._sleep = sleep
        self._chance = chance
        self._clock = clock
        self._traffic = traffic or Traffic()
        self.reasoning_habit = habit_of(inner)

    @property
    def model(self) -> str:
        """The model string."""
        return self._inner.model

    def calls_tools(self) -> bool:
        """Whether the model has tool calls of its own."""
        return calls_tools(self._inner)

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Price of so many tokens; None when it is not known."""
        return price_usd(self._inner, read=read, written=written)

    def prompt_memory(self) -> PromptMemory | None:
        """What the model remembers prompts with; None when nothing does."""
        return prompt_memory(self._inner)

    def context_tokens(self) -> int | None:
        """How much the model reads at once; None when it is not known."""
        return context_tokens(self._inner)

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
            attempt = _Attempt(self._inner, messages)
            try:
                async with aclosing(self._attempt(attempt, options, deadline_s)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Completion):
                            before = (*failed, *piece.failed_attempts)
                            piece = replace(piece, failed_attempts=before)
                        yield piece
                return
            except ModelError as error:
                if attempt.began_s is not None:
                    failed.append(attempt.failed(error, now_s=self._clock()))
                self._note_pause(error)
                delay_s = self._delay_s(error, len(failed))
                hopeless = delay_s is None or not _fits(delay_s, self._left(deadline_s))
                if attempt.text or attempt.began_s is None or hopeless:
                    error.failed_attempts = tuple(failed)
                    raise
            await self._sleep(delay_s or 0.0)

    async def _attempt(
        self, attempt: "_Attempt", options: CompletionOptions, deadline_s: float | None
    ) -> AsyncGenerator[str | Completion, None]:
        """One call, in its turn."""
        expected = attempt.expected_tokens(options)
        booking = await self._book(expected, deadline_s)
        attempt.began_s = self._clock()
        taken = 0
        pieces = _with_deadlines(self._inner, attempt.messages, options, self._left(deadline_s))
        try:
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        taken = piece.usage.input_tokens + piece.usage.output_tokens
                    else:
                        taken = expected
                        attempt.take(piece, now_s=self._clock())
                    yield piece
        finally:
            self._traffic.settle(booking, taken)

    async def _book(self, tokens: int, deadline_s: float | None) -> Booking:
        """Wait until the model's limits have room for a call.

        Raises:
            ModelUnavailableError: That takes too long; a fallback may answer.
        """
        now_s = self._clock()
        latest_s = now_s + self._policy.max_retry_after_s
        if deadline_s is not None:
            latest_s = min(latest_s, deadline_s)
        booking = self._traffic.book(tokens, now_s=now_s, latest_s=latest_s)
        wait_s = booking.start_s - now_s
        if not booking.is_booked:
            limited = ModelUnavailableError(
                f"Model {self.model!r} has no room for a call for {wait_s:.0f} s more (rate "
                "limit). Wait, or name another model under `llm.fallbacks`."
            )
            limited.retry_after_s = wait_s
            raise limited
        if wait_s > 0:
            try:
                await self._sleep(wait_s)
            except BaseException:
                self._traffic.cancel(booking)
                raise
        return booking

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
            self._traffic.pause(self._clock() + error.retry_after_s)

    def _left(self, deadline_s: float | None) -> float | None:
        return None if deadline_s is None else deadline_s - self._clock()


@dataclass(slots=True)
class _Attempt:
    """One call while it is made."""

    generator: TextGenerator
    messages: Sequence[ChatMessage]
    began_s: float | None = None
    """None while it waits for its turn."""
    first_token_s: float | None = None
    text: str = ""

    def take(self, piece: str, *, now_s: float) -> None:
        if self.first_token_s is None:
            self.first_token_s = now_s
        self.text += piece

    def expected_tokens(self, options: CompletionOptions) -> int:
        return self._read_tokens() + options.max_output_tokens

    def failed(self, error: ModelError, *, now_s: float) -> FailedAttempt:
        """Providers ask money for what they said, and for what they read to say it."""
        usage = None
        if self.text:
            read, written = self._read_tokens(), estimated_tokens(self.text)
            usage = Usage(
                model=self.generator.model,
                input_tokens=read,
                output_tokens=written,
                cost_usd=price_usd(self.generator, read=read, written=written),
                source="estimated",
            )
        return FailedAttempt(
            self.generator.model,
            str(error),
            kind=type(error).__name__,
            usage=usage,
            request_to_first_token_ms=self._since_began_ms(self.first_token_s),
            request_to_failure_ms=self._since_began_ms(now_s),
        )

    def _read_tokens(self) -> int:
        return sum(estimated_tokens(message.content) for message in self.messages)

    def _since_began_ms(self, moment_s: float | None) -> float | None:
        if moment_s is None or self.began_s is None:
            return None
        return (moment_s - self.began_s) * 1_000


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
