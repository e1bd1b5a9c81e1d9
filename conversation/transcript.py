"""Records of a conversation: turns, what was retrieved for them, and what they cost."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

Role = Literal["user", "agent"]
ConversationStatus = Literal["in_progress", "done", "failed"]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True)


class Citation(_Record):
    """A passage that supports part of an agent turn."""

    document_id: str
    document_name: str
    chunk_id: str
    start_char: int
    """Of the passage in its document's stored text."""
    end_char: int
    quote: str
    """The passage's own words that carry the support."""
    turn_start_char: int
    """Of the supported sentence in the turn's text."""
    turn_end_char: int
    score: float
    """Overlap of sentence and passage, 0 to 1."""
    page: str | None = None
    """Of the quote: a page, a slide."""
    heading_path: tuple[str, ...] = ()
    """Headings that the quote stands under, outermost first."""


class ToolCall(_Record):
    """One use of a tool by the agent."""

    tool_name: str
    tool_call_id: str
    parameters: dict[str, Any] = {}
    result: str | None = None
    is_error: bool = False
    latency_ms: float | None = None


class Usage(_Record):
    """Tokens and cost of one or more calls of a model."""

    model: str
    input_tokens: int = 0
    cached_input_tokens: int = 0
    """Part of `input_tokens` that the provider read from its prefix cache."""
    output_tokens: int = 0
    cost_usd: float | None = None
    """None when no price is known; 0.0 for embedded models."""
    source: Literal["measured", "estimated"] = "measured"
    """Whether the provider reported the tokens or they were counted here."""
    calls: int = 1


class LLMCall(_Record):
    """One call of a language model for a turn, also one that failed before another answered."""

    usage: Usage
    """Of this call alone; nothing for one that failed before its first token."""
    purpose: str = "answer"
    """`answer`, `tools` for choosing one, `summary` of earlier turns, or `turn` for all calls of a
    turn together."""
    request_to_first_token_ms: float | None = None
    request_to_last_token_ms: float | None = None
    """Until its end, or until it failed."""
    error: str | None = None
    """Kind of the error when it failed, e.g. `ModelUnavailableError`."""


class TurnLatency(_Record):
    """Milliseconds from the user's turn on; None where the step did not happen."""

    request_to_retrieval_ms: float | None = None
    request_to_first_token_ms: float | None = None
    request_to_last_token_ms: float | None = None
    own_overhead_ms: float | None = None
    """Spent in this project's code: all but embedding and the LLM."""


class TimedWord(_Record):
    """Where a word of a turn stands in the sound of its call."""

    start_char: int
    """Of the word in the turn's text."""
    end_char: int
    start_s: float
    """Seconds from the beginning of the call's sound."""
    end_s: float


class TurnSound(_Record):
    """A spoken turn in the sound of its call, and how long the user waited for each step of it.

    All milliseconds count from the moment at which the user stopped speaking; None where the step
    did not happen or was not seen.
    """

    start_s: float
    """Where the turn begins to be heard, in seconds from the beginning of the call's sound."""
    end_s: float
    """Where it ends to be heard: for an interrupted turn, where the agent fell silent."""
    words: tuple[TimedWord, ...] = ()
    """Empty where it is not known when which word was said."""
    speech_end_to_decided_ms: float | None = None
    """Until it was certain that the user had finished."""
    speech_end_to_transcript_ms: float | None = None
    """Until the user's words were known."""
    speech_end_to_passages_ms: float | None = None
    speech_end_to_first_token_ms: float | None = None
    speech_end_to_first_audio_ms: float | None = None


class TurnFile(_Record):
    """A file that came with a user's turn; what it says is part of the turn's text."""

    file_id: str
    name: str
    """As the user calls it."""
    mime_type: str
    """As the client says."""


class Turn(_Record):
    """One uninterrupted contribution of one side. `Turn(role="user", text="...")` is enough."""

    role: Role
    text: str
    """What was said: for an interrupted agent turn, the part that the user heard."""
    turn_id: str | None = None
    offset_s: float | None = None
    """Seconds from the conversation's start to the turn's start."""
    generated_text: str | None = None
    """What the model produced, when that differs from `text`."""
    spoken_text: str | None = None
    """What a voice says for `text`, when that differs: numbers in words, no markup."""
    interrupted: bool = False
    citations: tuple[Citation, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    latency: TurnLatency | None = None
    usage: Usage | None = None
    """Of all its calls together."""
    calls: tuple[LLMCall, ...] = ()
    """Calls of language models, oldest first, where each was recorded."""
    grounded_share: float | None = None
    """Share of the agent's sentences that a passage supports; None when none was checked."""
    unsupported_spans: tuple[tuple[int, int], ...] = ()
    """[start, end) in `text` of sentences that state something no passage supports."""
    error: str | None = None
    """Why the turn is incomplete, when it is."""
    sound: TurnSound | None = None
    """Of a turn that was spoken; None for one that was written."""
    files: tuple[TurnFile, ...] = ()
    """That came with a user's turn, in the order in which they were named."""


class Retrieval(_Record):
    """One passage that was retrieved for one agent turn, as the store keeps it."""

    turn_id: str
    """Of the agent turn that it was retrieved for."""
    query: str
    mode: str = "hybrid"
    """How it was found: `hybrid`, `lexical` when the deadline passed, `whole` for all documents."""
    chunk_id: str
    document_id: str
    document_name: str
    document_version: int | None = None
    start_char: int
    end_char: int
    page: str | None = None
    rank: int
    """From 1, best first."""
    score: float
    in_prompt: bool = True
    """False when the passage was found but fell to the prompt's budget."""
    text: str = ""
    """The passage as the agent saw it, so that an answer stays explainable."""


class Transcript(_Record):
    """The finished, ordered turns of one conversation."""

    conversation_id: str
    agent_id: str = ""
    turns: tuple[Turn, ...] = ()
    status: ConversationStatus = "done"
    started_at: datetime | None = None
    """UTC."""
    ended_at: datetime | None = None
    """UTC."""
    end_reason: str | None = None
    """`user_ended`, `agent_ended`, `silence`, `max_duration`, `interrupted_by_crash`, ..."""
    agent_version: str | None = None
    """Hash of the agent configuration it ran with."""
    source: str = "session"
    """`session`, or the format it was imported from."""
    simulated: bool = False
    metadata: dict[str, str] = {}
    variables: dict[str, str | int | float | bool] = {}
    """Dynamic variables that were given, secrets aside: what integrators know their customer by."""
    overrides: dict[str, Any] = {}
    """What the session set differently from its agent."""


def add_usage(first: Usage, second: Usage) -> Usage:
    """Both together. One unknown cost makes the sum unknown, one estimate makes it an estimate."""
    cost = None
    if first.cost_usd is not None and second.cost_usd is not None:
        cost = first.cost_usd + second.cost_usd
    return Usage(
        model=second.model,
        input_tokens=first.input_tokens + second.input_tokens,
        cached_input_tokens=first.cached_input_tokens + second.cached_input_tokens,
        output_tokens=first.output_tokens + second.output_tokens,
        cost_usd=cost,
        source="estimated" if "estimated" in (first.source, second.source) else "measured",
        calls=first.calls + second.calls,
    )


def total_of_calls(calls: Sequence[LLMCall]) -> Usage | None:
    """All calls together; those that failed before their first token count for nothing."""
    total: Usage | None = None
    for call in calls:
        if call.error is not None and call.usage.output_tokens == 0:
            continue
        total = call.usage if total is None else add_usage(total, call.usage)
    return total


def storable(text: str) -> str:
    """`text` without what databases refuse: zero characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")
