"""A list of models: the next one answers when the one before cannot."""

from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace

from conversation.errors import ModelError, ModelSetupError
from conversation.llm.chat_model import (
    ChatMessage,
    Completion,
    CompletionOptions,
    FailedAttempt,
)
from conversation.llm.generator import TextGenerator, calls_tools

CONTINUE = (
    "Your answer was cut off there. Continue it exactly where it stops, without repeating anything."
)


class FallbackGenerator:
    """Models in order of preference.

    When a model fails in the middle of an answer, the next one continues it: it is shown what was
    said so far. `Completion.usage.model` names the model that finished, `failed_attempts` the
    others.
    """

    def __init__(self, generators: Sequence[TextGenerator]) -> None:
        """Take at least one generator, first choice first."""
        if not generators:
            raise ValueError("a fallback list needs at least one model")
        self._generators = tuple(generators)

    @property
    def model(self) -> str:
        """Model string of the first choice."""
        return self._generators[0].model

    def calls_tools(self) -> bool:
        """Whether every model has tool calls of its own: each may be the one that answers."""
        return all(calls_tools(generator) for generator in self._generators)

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
        for number, generator in enumerate(self._generators, start=1):
            prompt = _continuing(messages, said) if said else messages
            try:
                async with aclosing(generator.generate(prompt, options)) as pieces:
                    before = said
                    async for piece in pieces:
                        if isinstance(piece, Completion):
                            yield replace(
                                piece,
                                text=before + piece.text,
                                failed_attempts=(*failed, *piece.failed_attempts),
                            )
                        else:
                            said += piece
                            yield piece
                return
            except ModelError as error:
                if number == len(self._generators):
                    raise
                failed.append(FailedAttempt(generator.model, str(error)))


def _continuing(messages: Sequence[ChatMessage], said: str) -> list[ChatMessage]:
    return [*messages, ChatMessage("assistant", said), ChatMessage("user", CONTINUE)]
