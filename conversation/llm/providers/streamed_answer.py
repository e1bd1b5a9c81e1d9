"""An answer of litellm while its chunks come in."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conversation.llm.chat_model import Doubt
from conversation.llm.providers.tool_calls import ToolCallParts


@dataclass
class StreamedAnswer:
    """What has come in so far."""

    started_s: float
    text: str = ""
    finish_reason: str | None = None
    usage: Any = None
    top_logprobs: dict[str, float] | None = None
    tools: ToolCallParts = field(default_factory=ToolCallParts)
    first_token_s: float | None = None
    is_given_up: bool = False
    """Whether the model was in doubt: its answer is whole, and nothing more of it is wanted."""


def take_chunk(answer: StreamedAnswer, chunk: Any, doubt: Doubt | None = None) -> str:
    """Add one chunk to the answer and return its text.

    The first one becomes the whole answer, `doubt.words`, where the model is in doubt.
    """
    usage = getattr(chunk, "usage", None)
    if usage is not None:
        answer.usage = usage
    if not chunk.choices:
        return ""
    choice = chunk.choices[0]
    if answer.top_logprobs is None:
        answer.top_logprobs = _logprobs_of(chunk, choice)
    answer.finish_reason = choice.finish_reason or answer.finish_reason
    delta: str = choice.delta.content or ""
    answer.tools.take_from(choice.delta)
    if delta and doubt and not answer.text and is_in_doubt(answer.top_logprobs or {}, doubt):
        delta, answer.finish_reason, answer.is_given_up = doubt.words, "stop", True
    if delta and answer.first_token_s is None:
        answer.first_token_s = time.perf_counter()
    answer.text += delta
    return delta


def is_in_doubt(top_logprobs: Mapping[str, float], doubt: Doubt) -> bool:
    """Whether a model that begins otherwise was likely to say that it does not know.

    Args:
        top_logprobs: Of the candidates for its first token, natural logarithms.
        doubt: From when on.
    """
    says_so = {
        token: logprob
        for token, logprob in top_logprobs.items()
        if token.strip() and doubt.words.startswith(token.strip())
    }
    if not says_so or max(says_so.values()) == max(top_logprobs.values()):
        return False  # nobody doubts, or it says so itself, in its own words
    return sum(map(math.exp, says_so.values())) >= doubt.share


def forget_what_was_made_up(answer: StreamedAnswer, stream: Any) -> None:
    """Forget what litellm made up: it ends a cut stream with "stop" and counts tokens itself."""
    if stream.received_finish_reason is None:
        answer.finish_reason = None
    if not any(getattr(chunk, "usage", None) is not None for chunk in stream.chunks):
        answer.usage = None


def _logprobs_of(chunk: Any, choice: Any) -> dict[str, float] | None:
    own = getattr(chunk, "first_token_logprobs", None)
    if own is not None:
        return own
    content = getattr(getattr(choice, "logprobs", None), "content", None)
    if not content:
        return None
    return {entry.token: float(entry.logprob) for entry in content[0].top_logprobs}


def milliseconds(start_s: float, end_s: float | None) -> float | None:
    """Milliseconds between two moments in seconds; None when the second never came."""
    return None if end_s is None else (end_s - start_s) * 1000
