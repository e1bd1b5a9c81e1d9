"""A judge whose answers are kept on disk, so that a measurement can stop and go on."""

import asyncio
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeVar

from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    ChatModel,
    Completion,
    CompletionOptions,
)
from conversation.llm.generator import context_tokens
from conversation.transcript import Usage
from tests.bench.places import store

T = TypeVar("T")
R = TypeVar("R")


class OutOfTimeError(Exception):
    """A call that is not kept, after the time of this run was over."""


class KeptJudge:
    """Asks the judge only what was never asked, and nothing once the time is over."""

    def __init__(self, judge: ChatModel, path: Path, *, seconds: float) -> None:
        self._judge = judge
        self._path = path
        self._stop_s = time.monotonic() + seconds
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._kept: dict[str, dict[str, Any]] = {}
        if path.is_file():
            for line in path.read_text(encoding="utf-8").splitlines():
                row = json.loads(line)
                self._kept[row["key"]] = row

    @property
    def model(self) -> str:
        """The judge's."""
        return self._judge.model

    def context_tokens(self) -> int | None:
        """The judge's."""
        return context_tokens(self._judge)

    def check(self) -> None:
        """Do nothing: the judge is opened when it is first asked."""

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """Return the kept answer, or ask."""
        asked = [*map(asdict, messages), asdict(options)]
        key = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()
        row = self._kept.get(key)
        if row is None:
            if time.monotonic() > self._stop_s:
                raise OutOfTimeError
            started = time.perf_counter()
            answer = self._judge.complete(messages, options)
            row = {
                "key": key,
                "text": answer.text,
                "usage": answer.usage.model_dump(),
                "finish_reason": answer.finish_reason,
                "top_logprobs": answer.top_logprobs,
                "seconds": round(time.perf_counter() - started, 3),
            }
            with self._lock, self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")
                self._kept[key] = row
        return Completion(
            text=row["text"],
            usage=Usage.model_validate(row["usage"]),
            finish_reason=row["finish_reason"],
            top_logprobs=row["top_logprobs"],
            request_to_last_token_ms=1_000 * row["seconds"],
        )

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        """The same without blocking the event loop."""
        return await asyncio.to_thread(self.complete, messages, options)

    stream = astream = acomplete  # type: ignore[assignment]


def keep(judge: ChatModel, *, seconds: float) -> KeptJudge:
    """Return `judge` with its answers kept in the store of the bench."""
    name = "".join(letter if letter.isalnum() else "-" for letter in judge.model)
    return KeptJudge(judge, store() / "judging" / f"{name}.jsonl", seconds=seconds)


def measured(
    items: Iterable[T], measure: Callable[[T], R], *, at_once: int = 1
) -> tuple[list[tuple[T, R]], int]:
    """Return the items that there was time for with what they measured, and how many were left.

    Three at once share a pass over an embedded model's weights, but a run that is killed then
    loses three answers on their way and not one.
    """
    left = 0

    def guarded(item: T) -> tuple[T, R] | None:
        try:
            return item, measure(item)
        except OutOfTimeError:
            return None

    done: list[tuple[T, R]] = []
    with ThreadPoolExecutor(at_once) as pool:
        for result in pool.map(guarded, items):
            if result is None:
                left += 1
            else:
                done.append(result)
    return done, left
