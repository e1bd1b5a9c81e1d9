"""What a client's frame asks for, once it is understood. Values, nothing else."""

from dataclasses import dataclass
from typing import Literal

from conversation.server.socket.frames import Error
from conversation.transcript import TurnFile


@dataclass(frozen=True, slots=True)
class Say:
    """The user took a turn."""

    text: str
    files: tuple[TurnFile, ...] = ()
    """Whose text is part of it."""


@dataclass(frozen=True, slots=True)
class SayFiles:
    """The user took a turn with files that were handed in before; `text` may be empty."""

    text: str
    file_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Note:
    """The agent should know something."""

    text: str
    context_id: str | None


@dataclass(frozen=True, slots=True)
class ToolAnswer:
    """A tool of the client answered."""

    tool_call_id: str
    text: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Rate:
    """The user likes or dislikes a turn; None takes that back."""

    turn_id: str
    event_id: int
    score: Literal["like", "dislike"] | None


@dataclass(frozen=True, slots=True)
class Active:
    """The user is there."""


@dataclass(frozen=True, slots=True)
class Hear:
    """The user's microphone, in the format that the client was told."""

    data: bytes


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """The client answered a ping so long after it was sent."""

    ms: int


@dataclass(frozen=True, slots=True)
class HangUp:
    """The client waits for what will never come: tell it why, and close."""

    frame: Error


@dataclass(frozen=True, slots=True)
class Stop:
    """The user wants the agent to stop."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell the client, and go on."""

    frame: Error


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is to be done."""

    reason: str


Action = (
    Say
    | SayFiles
    | Note
    | ToolAnswer
    | Rate
    | Active
    | Hear
    | RoundTrip
    | HangUp
    | Stop
    | Refuse
    | Ignore
)
