"""Fakes for the edge of the world: language models, clocks, networks. Always injected."""

import json
import re
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Mapping, Sequence
from typing import Any

from conversation.llm.chat_model import (
    DEFAULT_OPTIONS,
    ChatMessage,
    Completion,
    CompletionOptions,
)
from conversation.transcript import Usage
from kb.weights.progress import FetchProgress

ScriptedAnswer = (
    str
    | Mapping[str, Any]
    | BaseException
    | Completion
    | Callable[[Sequence[ChatMessage], CompletionOptions], Any]
)


class ScriptedChatModel:
    """A `ChatModel` with a queue of answers in and a list of prompts kept.

    An answer is text, a mapping (returned as JSON), an exception (raised), a ready `Completion`,
    or a function of (messages, options) that returns one of these. `always` answers once the
    queue is empty; without it an unexpected call fails the test.
    """

    def __init__(
        self,
        *answers: ScriptedAnswer,
        always: ScriptedAnswer | None = None,
        model: str = "scripted/model",
    ) -> None:
        self._answers = list(answers)
        self._always = always
        self._model = model
        self.prompts: list[list[ChatMessage]] = []
        self.options: list[CompletionOptions] = []
        self.checks = 0
        self.cancelled_streams = 0
        """Streams that were closed before their last piece."""

    @property
    def model(self) -> str:
        return self._model

    @property
    def prompt_texts(self) -> list[str]:
        """Each prompt as one text, for `in` checks."""
        return ["\n".join(message.content for message in prompt) for prompt in self.prompts]

    def check(self) -> None:
        self.checks += 1

    def complete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        return self._next_answer(messages, options)

    async def acomplete(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Completion:
        return self._next_answer(messages, options)

    def stream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> Generator[str | Completion, None, None]:
        finished = False
        try:
            yield from self._pieces(messages, options)
            finished = True
        finally:
            self.cancelled_streams += not finished

    async def astream(
        self, messages: Sequence[ChatMessage], options: CompletionOptions = DEFAULT_OPTIONS
    ) -> AsyncGenerator[str | Completion, None]:
        finished = False
        try:
            for piece in self._pieces(messages, options):
                yield piece
            finished = True
        finally:
            self.cancelled_streams += not finished

    def _pieces(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> Iterator[str | Completion]:
        completion = self._next_answer(messages, options)
        yield from re.findall(r"\s*\S+\s*$|\s*\S+", completion.text)
        yield completion

    def _next_answer(
        self, messages: Sequence[ChatMessage], options: CompletionOptions
    ) -> Completion:
        self.prompts.append(list(messages))
        self.options.append(options)
        if self._answers:
            answer: Any = self._answers.pop(0)
        elif self._always is not None:
            answer = self._always
        else:
            raise AssertionError(f"the script of {self._model!r} has no answer left")
        if callable(answer):
            answer = answer(messages, options)
        if isinstance(answer, BaseException):
            raise answer
        if isinstance(answer, Completion):
            return answer
        text = json.dumps(answer) if isinstance(answer, Mapping) else str(answer)
        usage = Usage(
            model=self._model,
            input_tokens=sum(len(message.content.split()) for message in messages),
            output_tokens=len(text.split()),
            cost_usd=0.0,
        )
        return Completion(
            text=text,
            usage=usage,
            finish_reason="stop",
            request_to_first_token_ms=1.0,
            request_to_last_token_ms=2.0,
        )


def judge_that_stands_by(
    *answers: Mapping[str, Any], model: str = "scripted/model"
) -> ScriptedChatModel:
    """A judge that gives `answers` to questions for JSON, and says yes to all in one word."""
    waiting = list(answers)

    def answer(messages: Sequence[ChatMessage], options: CompletionOptions) -> Any:
        if options.schema is None:
            return "yes"
        if not waiting:
            raise AssertionError(f"a question without an answer: {messages[-1].content[-200:]}")
        return waiting.pop(0)

    return ScriptedChatModel(always=answer, model=model)


class SilentReporter:
    """Drops what is told while weights are fetched."""

    def note(self, text: str) -> None:
        del text

    def advance(self, progress: FetchProgress, *, part_done: bool) -> None:
        del progress, part_done

    def finish(self) -> None:
        pass
