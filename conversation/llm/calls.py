"""Completions and failures -> records of calls, as a turn keeps them. Pure."""

from collections.abc import Sequence

from conversation.errors import FailedAttempt
from conversation.llm.chat_model import Completion
from conversation.transcript import LLMCall, Usage


def calls_of(completion: Completion, *, purpose: str = "answer") -> tuple[LLMCall, ...]:
    """Every call behind a completion: those that failed, then the one that answered."""
    answered = LLMCall(
        usage=completion.usage,
        purpose=purpose,
        request_to_first_token_ms=completion.request_to_first_token_ms,
        request_to_last_token_ms=completion.request_to_last_token_ms,
    )
    return (*failed_calls(completion.failed_attempts, purpose=purpose), answered)


def failed_calls(
    attempts: Sequence[FailedAttempt], *, purpose: str = "answer"
) -> tuple[LLMCall, ...]:
    """Calls that failed. One that had not begun to answer cost nothing."""
    return tuple(
        LLMCall(
            usage=attempt.usage or Usage(model=attempt.model, cost_usd=0.0, source="estimated"),
            purpose=purpose,
            request_to_first_token_ms=attempt.request_to_first_token_ms,
            request_to_last_token_ms=attempt.request_to_failure_ms,
            error=attempt.kind,
        )
        for attempt in attempts
    )
