"""What a session reports while the agent takes its turn.

In this order: at most one `ToolCall`, at most one `RetrievalDone`, then `TextDelta` as they come,
and in every case exactly one `AgentTurn` at the end.
"""

from dataclasses import dataclass, field

from conversation.transcript import Citation, ToolCall, Turn, TurnLatency, Usage
from kb.document import RetrievedPassage

__all__ = ["AgentTurn", "RetrievalDone", "SessionEvent", "TextDelta", "ToolCall"]


@dataclass(frozen=True, slots=True)
class RetrievalDone:
    """The knowledge base was asked."""

    passages: tuple[RetrievedPassage, ...]
    """Best first; those that fit into its budget stand in the prompt."""
    query: str
    mode: str = "hybrid"
    """`hybrid`; `lexical` when the deadline passed; `whole` when all documents are in the prompt;
    `none` when the user asked for nothing."""
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class TextDelta:
    """More of the agent's text. All deltas of a turn, joined, are the text it generated."""

    text: str


@dataclass(frozen=True, slots=True)
class AgentTurn:
    """The agent's turn is over and stored."""

    text: str
    """What was said; for an interrupted turn, the part that the user heard."""
    citations: tuple[Citation, ...]
    latency: TurnLatency | None
    usage: Usage | None
    grounded_share: float | None = None
    """Share of the agent's sentences that a passage supports; None when none was checked."""
    interrupted: bool = False
    error: str | None = None
    """Why the turn is incomplete: for a person to read. The session goes on."""
    turn: Turn = field(default_factory=lambda: Turn(role="agent", text=""))
    """The turn as it was stored, with unsupported sentences and the text as generated."""


SessionEvent = RetrievalDone | TextDelta | ToolCall | AgentTurn
