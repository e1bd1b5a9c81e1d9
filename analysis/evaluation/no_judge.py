"""What stands in a judge's place where code decides everything: it can be asked nothing."""

from collections.abc import AsyncGenerator, Generator, Sequence
from typing import NoReturn

from conversation.errors import ModelSetupError
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    Completion,
    CompletionOptions,
)


class NoJudge:
    """Refuses every question."""

    def __init__(self, model: str) -> None:
        self._model = model

    @property
    def model(self) -> str:
        """Name of the evaluator."""
        return self._model

    def check(self) -> None:
        """Do nothing: there is nothing to reach."""

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Raise."""
        self._refuse()

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Raise."""
        self._refuse()

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        """Raise."""
        self._refuse()

    def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        """Raise."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise ModelSetupError(
            f"A question was put to {self._model!r}, which is no judge. Name a judge for criteria "
            "without a `kind`, fields and summaries."
        )
