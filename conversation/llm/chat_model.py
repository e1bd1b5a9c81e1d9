"""What sessions and judges need of a language model. Adapters stand beside this module."""

from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, runtime_checkable

from conversation.errors import FailedAttempt
from conversation.transcript import Usage

MessageRole = Literal["system", "user", "assistant"]
JSONSchema = dict[str, Any]
FILTERED = frozenset({"content_filter", "safety", "refusal"})
"""What providers give as the reason when their filter ends an answer early."""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message of a prompt. Put what never changes first: providers cache the prefix."""

    role: MessageRole
    content: str


@dataclass(frozen=True, slots=True)
class OfferedTool:
    """A tool that the model may ask for, for providers that have tool calls of their own."""

    name: str
    description: str
    parameters: JSONSchema


@dataclass(frozen=True, slots=True)
class RequestedTool:
    """A tool that the model asks for."""

    name: str
    arguments: str
    """JSON as the model wrote it: not checked."""


@dataclass(frozen=True, slots=True)
class Completion:
    """A finished answer."""

    text: str
    usage: Usage
    """Its `model` is the one that answered."""
    finish_reason: str
    """`stop`, `length` (cut at the token limit), `cancelled`, ..."""
    request_to_first_token_ms: float | None = None
    request_to_last_token_ms: float | None = None
    top_logprobs: dict[str, float] | None = None
    """Natural-log probabilities of candidates for the first token, when asked for."""
    failed_attempts: tuple[FailedAttempt, ...] = ()
    """Retries and fallbacks that came before, oldest first."""
    requested_tools: tuple[RequestedTool, ...] = ()
    """Of those that were offered, in the model's order."""
    thinking: str = ""
    """What the model wrote for itself between tags; no part of `text`."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """When a model is taken not to know: it was likely to begin by saying so, and did not."""

    words: str
    """How it says that it does not know; the whole answer where it is in doubt."""
    share: float
    """Probability, from 0 to 1, that its first token begins these words."""


@dataclass(frozen=True, slots=True)
class CompletionOptions:
    """How an answer is produced."""

    max_output_tokens: int = 256
    temperature: float = 0.0
    schema: JSONSchema | None = None
    """JSON schema that the answer must follow; its text is then one JSON value."""
    top_logprobs: int = 0
    """How many candidates for the first token to report; 0 for none."""
    doubt: Doubt | None = None
    """Heeded by models in this process, whose probabilities are known; others answer as ever."""
    language: str = "en"
    """That the agent speaks now; heeded by what answers in sentences of its own."""
    stop: tuple[str, ...] = ()
    tools: tuple[OfferedTool, ...] = ()
    """Tools that the model may ask for instead of, or after, its text."""
    first_token_timeout_s: float | None = None
    total_timeout_s: float | None = None


DEFAULT_OPTIONS = CompletionOptions()


class ChatModel(Protocol):
    """A language model. Every method raises `ModelError` and nothing else on purpose.

    A stream yields text deltas as `str` and ends with one `Completion` whose text is their
    concatenation. Closing a stream early stops the generation.
    """

    @property
    def model(self) -> str:
        """The model string, e.g. `embedded/smollm2-135m-instruct`."""
        ...

    def check(self) -> None:
        """Raise `ModelSetupError` or `ModelUnavailableError` now, before any work is done."""
        ...

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the whole answer."""
        ...

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the whole answer, without blocking the event loop."""
        ...

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        """Yield the answer as it is produced."""
        ...

    def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the answer as it is produced, without blocking the event loop."""
        ...


@runtime_checkable
class ToolCallingModel(Protocol):
    """A model that knows whether its provider has tool calls; others are taken to have none."""

    def calls_tools(self) -> bool:
        """Whether `CompletionOptions.tools` reach the model."""
        ...


@dataclass(frozen=True, slots=True)
class KeptPrompt:
    """The beginning of prompts that was read ahead of every conversation, and lies in a file."""

    tokens: int
    size_bytes: int
    was_there: bool = False
    """Whether it had been made before."""


class PromptMemory(Protocol):
    """Reads the beginning of prompts ahead, and keeps what it read in a folder."""

    def has(self, beginning: str, folder: Path) -> bool:
        """Whether system messages that begin so need not be read from their start."""
        ...

    def make(
        self,
        beginning: str,
        folder: Path,
        *,
        on_read: Callable[[int, int], None] = lambda _done, _total: None,
    ) -> KeptPrompt:
        """Read how system messages begin, which takes minutes, and keep it.

        Args:
            beginning: The text, in place of the one that was kept in this folder.
            folder: For this one text.
            on_read: Told how many tokens of how many were read.

        Raises:
            ModelError: It cannot be read, does not fit, or cannot be kept.
        """
        ...

    def prepare(
        self,
        messages: Sequence[ChatMessage],
        folder: Path | None,
        *,
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """Have the beginning of a prompt read, beside whatever follows, before it is asked.

        Args:
            messages: The last one is the user's, and may go on.
            folder: Where their beginning may have been kept; None for nowhere.
            is_wanted: Asked before anything is read: whether the prompt is still to come.
        """
        ...


@runtime_checkable
class RememberingModel(Protocol):
    """A model that can be made to know the beginning of prompts before they come."""

    def prompt_memory(self) -> PromptMemory | None:
        """What it remembers with; None when it cannot."""
        ...


@runtime_checkable
class ContextBoundModel(Protocol):
    """A model that knows how much it reads at once; of others it is not known."""

    def context_tokens(self) -> int | None:
        """Prompt and answer together, in tokens; None when it is not known."""
        ...
