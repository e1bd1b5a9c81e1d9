"""What a session reports while the agent takes its turn.

`RetrievalDone` comes before the text that it is for, and again only when another agent takes over.
Each `ToolRequest` is followed by its `ToolCall`, unless the turn ends first. `TextDelta` come as
the model writes, and in every case exactly one `AgentTurn` at the end.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from conversation.agent.tool_config import ToolKind
from conversation.grounding.passages import RetrievalDone
from conversation.transcript import Citation, ToolCall, Turn, TurnLatency, Usage

__all__ = ["AgentTurn", "RetrievalDone", "SessionEvent", "TextDelta", "ToolCall", "ToolRequest"]


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """The agent is about to use a tool. The `ToolCall` with the same id says what came of it."""

    tool_name: str
    tool_call_id: str
    parameters: Mapping[str, Any]
    kind: ToolKind


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
    is_answered: bool = True
    """Whether a model said any of it; False when the agent itself had to say that it failed."""
    turn: Turn = field(default_factory=lambda: Turn(role="agent", text=""))
    """The turn as it was stored, with unsupported sentences and the text as generated."""


SessionEvent = RetrievalDone | TextDelta | ToolRequest | ToolCall | AgentTurn
