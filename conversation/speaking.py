"""The agent's turn while it is being spoken: what came so far, and what it becomes in the end."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from conversation.citations import Attribution, attribute
from conversation.events import AgentTurn, RetrievalDone
from conversation.llm.chat_model import Completion
from conversation.prompting import Prompt, estimated_tokens
from conversation.transcript import (
    Retrieval,
    ToolCall,
    Turn,
    TurnLatency,
    Usage,
    add_usage,
)


@dataclass(slots=True)
class SpeakingTurn:
    """One agent turn from the user's words to its end. The session alone changes it."""

    turn_id: str
    turns: tuple[Turn, ...]
    """The conversation up to the user's turn, which is the last."""
    offset_s: float
    """Seconds from the conversation's start."""
    requested_s: float
    """When the user's turn arrived, on the session's timer; every latency counts from here."""
    own_s: float = 0.0
    """Spent in this project's own code so far."""
    retrieval: RetrievalDone | None = None
    retrieved_s: float | None = None
    prompt: Prompt | None = None
    tool_calls: list[ToolCall] = field(default_factory=list[ToolCall])
    tool_usage: Usage | None = None
    """Of deciding on a tool."""
    completion: Completion | None = None
    first_token_s: float | None = None
    last_token_s: float | None = None
    outcome: AgentTurn | None = None
    """Set once, when the turn is over: nothing is taken after that."""
    is_over: bool = False
    text: str = ""
    """Everything delivered so far, never ending in white space."""
    _held_back: str = ""
    """White space that is delivered only when more text follows."""
    _when_over: Callable[[], object] | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, part: str | Completion, *, now_s: float) -> str:
        """Take in a part of the model's stream; returns the text to deliver, perhaps none."""
        if isinstance(part, Completion):
            self.completion = part
            return ""
        if self.first_token_s is None and part:
            self.first_token_s = now_s
        self.last_token_s = now_s
        fresh = self._held_back + storable(part)
        if not self.text:
            fresh = fresh.lstrip()
        delivered = fresh.rstrip()
        self._held_back = fresh[len(delivered) :]
        self.text += delivered
        return delivered

    def take_tool(self, call: ToolCall | None, usage: Usage | None) -> ToolCall | None:
        """Take in what came of asking for a tool; returns the call that was made, if any."""
        self.tool_usage = usage
        if call is not None and not self.is_over:
            self.tool_calls.append(call)
            return call
        return None

    def close(self) -> bool:
        """Mark the turn as over and wake whoever waits for the model; False when it was over."""
        with self._lock:
            if self.is_over:
                return False
            self.is_over = True
            waiting = self._when_over
        if waiting is not None:
            waiting()
        return True

    def when_over(self, callback: Callable[[], object] | None) -> None:
        """Have `callback` called when the turn is closed; at once when it is already."""
        with self._lock:
            self._when_over = callback
            is_over = self.is_over
        if is_over and callback is not None:
            callback()

    def latency(self) -> TurnLatency:
        """Milliseconds from the user's turn to each step that happened."""
        return TurnLatency(
            request_to_retrieval_ms=self._since_request_ms(self.retrieved_s),
            request_to_first_token_ms=self._since_request_ms(self.first_token_s),
            request_to_last_token_ms=self._since_request_ms(self.last_token_s),
            own_overhead_ms=self.own_s * 1_000,
        )

    def _since_request_ms(self, moment_s: float | None) -> float | None:
        return None if moment_s is None else (moment_s - self.requested_s) * 1_000


def finished_turn(
    speaking: SpeakingTurn,
    *,
    model: str,
    interrupted: bool = False,
    heard_chars: int | None = None,
    error: str | None = None,
) -> Turn:
    """The record of a turn that is over.

    Args:
        speaking: What was generated.
        model: That was asked, for usage that has to be estimated.
        interrupted: Whether the user cut it short.
        heard_chars: How much of the generated text the user heard; None for all of it.
        error: Why it is incomplete, when it failed.
    """
    generated = speaking.text
    heard = heard_part(generated, heard_chars)
    attribution = Attribution()
    if speaking.retrieval is not None:
        passages = () if speaking.prompt is None else speaking.prompt.passages
        attribution = attribute(heard, passages)
    return Turn(
        role="agent",
        text=heard,
        turn_id=speaking.turn_id,
        offset_s=speaking.offset_s,
        generated_text=None if heard == generated else generated,
        interrupted=interrupted,
        citations=attribution.citations,
        unsupported_spans=attribution.unsupported_spans,
        grounded_share=attribution.grounded_share,
        tool_calls=tuple(speaking.tool_calls),
        latency=speaking.latency(),
        usage=_usage(speaking, model),
        error=error or (None if interrupted else _shortcoming(speaking)),
    )


def heard_part(generated: str, heard_chars: int | None) -> str:
    """The beginning of `generated` that was heard; never more than there is."""
    if heard_chars is not None and heard_chars < 0:
        raise ValueError(f"heard_chars counts characters and cannot be {heard_chars}")
    return generated if heard_chars is None else generated[:heard_chars]


def heard_turn(turn: Turn, heard_chars: int) -> Turn:
    """A finished agent turn of which the user heard only the beginning."""
    generated = turn.text if turn.generated_text is None else turn.generated_text
    heard = heard_part(generated, heard_chars)
    if heard == turn.text:
        return turn
    return turn.model_copy(
        update={
            "text": heard,
            "generated_text": None if heard == generated else generated,
            "interrupted": True,
            "citations": tuple(
                citation for citation in turn.citations if citation.turn_end_char <= len(heard)
            ),
            "unsupported_spans": tuple(
                span for span in turn.unsupported_spans if span[1] <= len(heard)
            ),
        }
    )


def retrieved_passages(speaking: SpeakingTurn) -> list[Retrieval]:
    """Records of what was retrieved for the turn, with whether it stood in the prompt."""
    done = speaking.retrieval
    if done is None:
        return []
    shown = (
        {passage.chunk_id for passage in speaking.prompt.passages}
        if speaking.prompt
        else set[str]()
    )
    return [
        Retrieval(
            turn_id=speaking.turn_id,
            query=done.query,
            mode=done.mode,
            chunk_id=passage.chunk_id,
            document_id=passage.document_id,
            document_name=passage.document_name,
            document_version=passage.document_version,
            start_char=passage.start_char,
            end_char=passage.end_char,
            page=passage.page,
            rank=passage.rank,
            score=passage.score,
            in_prompt=passage.chunk_id in shown,
            # Whole documents would be kept again with every turn; version and offsets name them.
            text="" if done.mode == "whole" else storable(passage.text),
        )
        for passage in done.passages
    ]


def agent_turn_event(turn: Turn) -> AgentTurn:
    """The last event of the turn."""
    return AgentTurn(
        text=turn.text,
        citations=turn.citations,
        latency=turn.latency,
        usage=turn.usage,
        grounded_share=turn.grounded_share,
        interrupted=turn.interrupted,
        error=turn.error,
        turn=turn,
    )


def storable(text: str) -> str:
    """`text` without what databases refuse: zero characters and halves of surrogate pairs."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def _usage(speaking: SpeakingTurn, model: str) -> Usage | None:
    """Of deciding on a tool and of answering, together."""
    answering = _answering_usage(speaking, model)
    if speaking.tool_usage is None or answering is None:
        return speaking.tool_usage or answering
    return add_usage(speaking.tool_usage, answering)


def _answering_usage(speaking: SpeakingTurn, model: str) -> Usage | None:
    """As the model reported it; estimated for a turn that was cut before the report came."""
    if speaking.completion is not None:
        return speaking.completion.usage
    if speaking.prompt is None:
        return None
    read = sum(estimated_tokens(message.content) for message in speaking.prompt.messages)
    return Usage(
        model=model,
        input_tokens=read,
        output_tokens=estimated_tokens(speaking.text),
        cost_usd=0.0 if model.startswith("embedded/") else None,
        source="estimated",
    )


def _shortcoming(speaking: SpeakingTurn) -> str | None:
    """What is wrong with an answer that came without an error."""
    if not speaking.text and not speaking.tool_calls:
        return "The model gave an empty answer. Ask again, or choose another model in `llm.model`."
    completion = speaking.completion
    if completion is not None and completion.finish_reason == "length":
        return (
            "The answer was cut at the token limit. Raise `llm.max_output_tokens` in the agent "
            "file, or ask for shorter answers in its system prompt."
        )
    return None
