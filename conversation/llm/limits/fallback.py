"""A list of models: the next one answers when the one before cannot."""

import time
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from dataclasses import replace

from conversation.errors import FailedAttempt, ModelError, ModelOutputError, ModelSetupError
from conversation.llm.chat_model import (
    FILTERED,
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
from conversation.llm.limits.continuing import Continuation
from conversation.llm.reasoning_habit import habit_of
from conversation.llm.visible_text import visible

_ENDS = (*".!?:;\u2026\u3002\uff01\uff1f\u061f\u0964\"')]}*`", "\u201d", "\u300d")
"""What an answer may end with."""
CONTINUE = (
    "Your answer was cut off there. Continue it exactly where it stops, without repeating anything."
)


class FallbackGenerator:
    """Models in order of preference.

    When a model fails in the middle of an answer, the next one continues it: it is shown what was
    said so far, and what it repeats of that is left out. `Completion.usage.model` names the model
    that finished, `failed_attempts` the others.
    """

    def __init__(
        self,
        generators: Sequence[TextGenerator],
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take at least one generator, first choice first; `clock` gives seconds that only grow."""
        if not generators:
            raise ValueError("a fallback list needs at least one model")
        self._generators = tuple(generators)
        self._habits = [habit_of(each) for each in generators]
        self._clock = clock

    @property
    def model(self) -> str:
        """Model string of the first choice."""
        return self._generators[0].model

    def calls_tools(self) -> bool:
        """Whether every model has tool calls of its own: each may be the one that answers."""
        return all(calls_tools(generator) for generator in self._generators)

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Price of the first choice."""
        return price_usd(self._generators[0], read=read, written=written)

    def prompt_memory(self) -> PromptMemory | None:
        """What the first choice remembers prompts with; None when nothing does."""
        return prompt_memory(self._generators[0])

    def context_tokens(self) -> int | None:
        """What every model reads at once: each may be the one that answers."""
        known = [context_tokens(generator) for generator in self._generators]
        return None if None in known else min(each for each in known if each is not None)

    async def check(self) -> None:
        """Raise when any model is set up wrongly, or when none can be reached."""
        errors: list[ModelError] = []
        for generator in self._generators:
            try:
                await generator.check()
            except ModelSetupError:
                raise
            except ModelError as error:
                errors.append(error)
        if len(errors) == len(self._generators):
            raise errors[0]

    async def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield text deltas and then one `Completion` over everything that was yielded."""
        said = ""
        failed: list[FailedAttempt] = []
        began_s = self._clock()
        for number, generator in enumerate(self._generators):
            prompt = _continuing(messages, said) if said else messages
            after = _after(said, messages, options)
            left, before = len(self._generators) - number, said
            share = _with_share(options, self._clock() - began_s, models=left)
            pieces = generator.generate(prompt, share)
            if not options.schema:
                pieces = visible(pieces, self._habits[number])
            try:
                async with aclosing(pieces) as shown:
                    async for piece in shown:
                        is_done = isinstance(piece, Completion)
                        if is_done and not said and left > 1:
                            _require_an_answer(piece, options, generator.model)
                        fresh = after.end() if is_done else after.take(piece)
                        if is_done and not fresh and said == before:
                            _require_an_end(piece, said, generator.model)
                        said += fresh
                        if fresh:
                            yield fresh
                        if is_done:
                            attempts = (*failed, *piece.failed_attempts)
                            yield replace(piece, text=said, failed_attempts=attempts)
                return
            except ModelError as error:
                failed += error.failed_attempts or [_failed(generator.model, error)]
                spent = _is_spent(options, self._clock() - began_s)
                if spent or generator is self._generators[-1]:
                    error.failed_attempts = tuple(failed)
                    raise


def _after(said: str, messages: Sequence[ChatMessage], options: CompletionOptions) -> Continuation:
    """What tells the next model's answer from what was said before it."""
    known = " ".join(message.content for message in messages) if said else ""
    return Continuation(said, known=known, language=options.language)


def _require_an_end(piece: Completion, said: str, model: str) -> None:
    """Raises when nothing was added to an answer that stops within a sentence."""
    if not said or said.rstrip().endswith(_ENDS) or piece.requested_tools:
        return
    raise _in_vain(piece, model, "added nothing to an answer that was cut")


def _require_an_answer(piece: Completion, options: CompletionOptions, model: str) -> None:
    """Raises for an answer in which nothing is said and nothing asked for.

    A model that is offered tools may want none; one whose answer was filtered said nothing.
    """
    filtered = piece.finish_reason.casefold() in FILTERED
    is_silent = not piece.text.strip() and not piece.requested_tools and options.schema is None
    if not is_silent or (options.tools and not filtered):
        return
    why = "had its answer stopped by the content filter" if filtered else "gave an empty answer"
    raise _in_vain(piece, model, why)


def _in_vain(piece: Completion, model: str, why: str) -> ModelOutputError:
    """The error for an answer that is paid for and of no use."""
    error = ModelOutputError(f"Model {model!r} {why}.")
    attempt = replace(
        _failed(model, error),
        usage=piece.usage,
        request_to_first_token_ms=piece.request_to_first_token_ms,
        request_to_failure_ms=piece.request_to_last_token_ms,
    )
    error.failed_attempts = (*piece.failed_attempts, attempt)
    return error


def _with_share(options: CompletionOptions, elapsed_s: float, *, models: int) -> CompletionOptions:
    """A fair share of the time that is left, so that the last model is asked whatever happens."""
    if not options.total_timeout_s:
        return options
    return replace(options, total_timeout_s=(options.total_timeout_s - elapsed_s) / models)


def _is_spent(options: CompletionOptions, elapsed_s: float) -> bool:
    return bool(options.total_timeout_s) and elapsed_s >= options.total_timeout_s


def _failed(model: str, error: ModelError) -> FailedAttempt:
    return FailedAttempt(model, str(error), kind=type(error).__name__)


def _continuing(messages: Sequence[ChatMessage], said: str) -> list[ChatMessage]:
    return [*messages, ChatMessage("assistant", said), ChatMessage("user", CONTINUE)]
