"""Answers of a judge that are paid for and not yet part of a result, kept from one run to the next.

The questions about a conversation are stored together. A run that is killed between two of them has
paid for those that were answered: the next run finds them here and asks only the others.
"""

import dataclasses
import hashlib
import json
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from analysis.store import tables
from analysis.store.rows import insert_or_ignore
from conversation.errors import FailedAttempt
from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    ChatModel,
    Completion,
    CompletionOptions,
)
from conversation.llm.generator import context_tokens
from conversation.store.database import READ_ONLY
from conversation.transcript import Usage


class KeepingJudge:
    """A judge whose answers about one conversation outlive the process that asked for them."""

    def __init__(
        self,
        judge: ChatModel,
        engine: sa.Engine,
        *,
        conversation_id: str,
        sample: int,
        now: Callable[[], datetime],
    ) -> None:
        """Look nothing up yet.

        Args:
            judge: Asked for what is not kept.
            engine: Of the analysis store, which forgets the answers when the result is saved.
            conversation_id: What is asked about.
            sample: Number of the repetition: repeating a question means asking it again.
            now: The clock.
        """
        self._judge = judge
        self._engine = engine
        self._conversation_id = conversation_id
        self._sample = sample
        self._now = now

    @property
    def model(self) -> str:
        """The model string of the judge."""
        return self._judge.model

    def context_tokens(self) -> int | None:
        """How much the judge reads at once; None when it is not known."""
        return context_tokens(self._judge)

    def check(self) -> None:
        """Raise when the judge cannot be used."""
        self._judge.check()

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the kept answer to exactly this prompt, or the judge's, which is then kept."""
        key = answer_key(self.model, messages, options, sample=self._sample)
        kept = self._kept(key)
        if kept is not None:
            return kept
        completion = self._judge.complete(messages, options)
        self._keep(key, completion)
        return completion

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the judge's answer; nothing is kept for callers without a store."""
        return await self._judge.acomplete(messages, options)

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        """Yield the judge's answer as it is produced."""
        return self._judge.stream(messages, options)

    def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        """Yield the judge's answer as it is produced, without blocking the event loop."""
        return self._judge.astream(messages, options)

    def _kept(self, key: str) -> Completion | None:
        table = tables.kept_answers
        query = sa.select(table.c.completion).where(
            table.c.conversation_id == self._conversation_id, table.c.answer_key == key
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            row = connection.execute(query).first()
        return None if row is None else completion_of(row.completion)

    def _keep(self, key: str, completion: Completion) -> None:
        row = {
            "conversation_id": self._conversation_id,
            "answer_key": key,
            "completion": record_of(completion),
            "answered_at": self._now(),
        }
        with self._engine.begin() as connection:
            connection.execute(insert_or_ignore(connection, tables.kept_answers), row)


def answer_key(
    model: str, messages: Sequence[ChatMessage], options: CompletionOptions, *, sample: int
) -> str:
    """Hash of everything that an answer depends on. Two equal keys are the same question."""
    asked = {
        "model": model,
        "messages": [dataclasses.asdict(message) for message in messages],
        "options": dataclasses.asdict(options),
        "sample": sample,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def record_of(completion: Completion) -> dict[str, Any]:
    """A completion as JSON."""
    return {
        "text": completion.text,
        "usage": completion.usage.model_dump(),
        "finish_reason": completion.finish_reason,
        "top_logprobs": completion.top_logprobs,
        "failed_attempts": [
            {"model": failed.model, "error": failed.error} for failed in completion.failed_attempts
        ],
    }


def completion_of(record: dict[str, Any]) -> Completion:
    """What `record_of` made a record of."""
    return Completion(
        text=record["text"],
        usage=Usage.model_validate(record["usage"]),
        finish_reason=record["finish_reason"],
        top_logprobs=record["top_logprobs"],
        failed_attempts=tuple(FailedAttempt(**failed) for failed in record["failed_attempts"]),
    )
