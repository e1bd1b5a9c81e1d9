"""What an adapter implements, one asynchronous stream, and the `ChatModel` made of it."""

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import Protocol, runtime_checkable

from conversation.errors import ModelUnavailableError
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    Completion,
    CompletionOptions,
    ContextBoundModel,
    PromptMemory,
    RememberingModel,
    ToolCallingModel,
)
from conversation.llm.model_loop import model_loop
from conversation.llm.reasoning_habit import habit_of
from conversation.llm.visible_text import visible


class TextGenerator(Protocol):
    """A language model as an adapter sees it."""

    @property
    def model(self) -> str:
        """The model string."""
        ...

    async def check(self) -> None:
        """Raise `ModelSetupError` or `ModelUnavailableError` when it cannot be used."""
        ...

    def generate(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield text deltas, then one `Completion` whose text is their concatenation."""
        ...


@runtime_checkable
class PricedModel(Protocol):
    """A model that can say what a call costs."""

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Price of so many tokens; None when it is not known."""
        ...


class TwinChatModel:
    """A `ChatModel` over a generator: every call runs on the process's model loop.

    `complete` is a stream read to its end, so that a buffered answer and a streamed one cannot
    differ.
    """

    def __init__(self, generator: TextGenerator) -> None:
        self._generator = generator
        self._habit = habit_of(generator)

    @property
    def model(self) -> str:
        """The model string."""
        return self._generator.model

    def calls_tools(self) -> bool:
        """Whether the provider has tool calls of its own."""
        return calls_tools(self._generator)

    def price_usd(self, *, read: int, written: int) -> float | None:
        """Price of so many tokens; None when it is not known."""
        return price_usd(self._generator, read=read, written=written)

    def context_tokens(self) -> int | None:
        """How much the model reads at once; None when it is not known."""
        return context_tokens(self._generator)

    def prompt_memory(self) -> PromptMemory | None:
        """What remembers the beginning of prompts; None when nothing does."""
        return prompt_memory(self._generator)

    def check(self) -> None:
        """Raise now what a first call would raise: bad name, missing key, dead endpoint."""
        model_loop().call(self._generator.check())

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the whole answer."""
        return model_loop().call(_read_to_end(self._pieces(messages, options), model=self.model))

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the whole answer, without blocking the event loop."""
        return await model_loop().acall(
            _read_to_end(self._pieces(messages, options), model=self.model)
        )

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        """Yield the answer as it is produced."""
        return model_loop().iterate(lambda: self._pieces(messages, options))

    def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the answer as it is produced, without blocking the event loop."""
        return model_loop().aiterate(lambda: self._pieces(messages, options))

    def _pieces(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> AsyncGenerator[str | Completion, None]:
        pieces = self._generator.generate(messages, options)
        return visible(pieces, self._habit) if options.schema is None else pieces


def calls_tools(model: object) -> bool:
    """Whether a model or generator has tool calls; one that does not say has none."""
    return isinstance(model, ToolCallingModel) and model.calls_tools()


def context_tokens(model: object) -> int | None:
    """How many tokens a model or generator reads at once; None when it does not say."""
    return model.context_tokens() if isinstance(model, ContextBoundModel) else None


def prompt_memory(model: object) -> PromptMemory | None:
    """What remembers the beginning of a model's or generator's prompts; None when nothing does."""
    return model.prompt_memory() if isinstance(model, RememberingModel) else None


def price_usd(model: object, *, read: int, written: int) -> float | None:
    """Price of so many tokens of a model or generator; None when it does not say."""
    return model.price_usd(read=read, written=written) if isinstance(model, PricedModel) else None


async def _read_to_end(pieces: AsyncGenerator[str | Completion, None], *, model: str) -> Completion:
    completion: Completion | None = None
    async for piece in pieces:
        if isinstance(piece, Completion):
            completion = piece
    if completion is None:
        raise ModelUnavailableError(
            f"Model {model!r} ended its answer without finishing it. Try again."
        )
    return completion
