"""Questions to a judge, written once for blocking and for asynchronous callers.

A question is a generator: it yields what to ask, is sent the completion (or has the model's error
thrown in), and returns its result. It never touches a model itself, so its decisions are pure.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from conversation.errors import ModelError, ModelOutputError
from conversation.llm.chat_model import ChatMessage, ChatModel, Completion, CompletionOptions
from conversation.transcript import Usage

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class JudgeCall:
    """One call of the judge."""

    messages: tuple[ChatMessage, ...]
    options: CompletionOptions


Question = Generator[JudgeCall, Completion, T]


@dataclass(slots=True)
class Meter:
    """Collects what a question's calls cost."""

    usages: list[Usage] = field(default_factory=list[Usage])

    def total(self) -> Usage | None:
        """Return the sum over the calls so far, None when there was none."""
        return total_usage(self.usages)


def answer_question(question: Question[T], judge: ChatModel) -> T:
    """Put `question` to `judge`, one call after the other, and return its result."""
    try:
        ask = next(question)
        while True:
            try:
                completion = judge.complete(ask.messages, ask.options)
            except ModelError as error:
                ask = question.throw(error)
            else:
                ask = question.send(completion)
    except StopIteration as stop:
        return stop.value


def ask_twice(
    messages: Sequence[ChatMessage],
    options: CompletionOptions,
    *,
    parse: Callable[[Completion], T],
    meter: Meter,
    parse_again: Callable[[Completion], T] | None = None,
) -> Question[T]:
    """Ask, and ask once again with the reason when the answer cannot be used.

    Args:
        messages: The prompt.
        options: How the answer is produced.
        parse: Turns the completion into a result; raises `ModelOutputError` saying what is wrong.
        meter: Receives the usage of each call.
        parse_again: Turns the second completion into a result, where that differs from `parse`.

    Raises:
        ModelOutputError: The second answer cannot be used either.
        ModelError: The model failed.
    """
    said = ""
    try:
        completion = yield JudgeCall(tuple(messages), options)
        said = completion.text
        meter.usages.append(completion.usage)
        return parse(completion)
    except ModelOutputError as error:
        complaint = ChatMessage("user", f"That cannot be used: {error} Answer again, in the form.")
    again = (*messages, ChatMessage("assistant", said or "-"), complaint)
    completion = yield JudgeCall(again, options)
    meter.usages.append(completion.usage)
    return (parse_again or parse)(completion)


def total_usage(usages: Sequence[Usage]) -> Usage | None:
    """Return the sum of `usages`, None when there is none.

    A cost is known only when each part's is; one estimated part makes the sum an estimate.
    """
    if not usages:
        return None
    costs = [usage.cost_usd for usage in usages]
    return Usage(
        model=", ".join(dict.fromkeys(usage.model for usage in usages)),
        input_tokens=sum(usage.input_tokens for usage in usages),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cost_usd=None if None in costs else sum(cost for cost in costs if cost is not None),
        source="estimated" if any(u.source == "estimated" for u in usages) else "measured",
        calls=sum(usage.calls for usage in usages),
    )
