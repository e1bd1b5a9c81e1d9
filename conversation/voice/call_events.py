"""What a voice call tells whoever carries its sound, in the order in which it happens.

Event ids only grow, and every event of one turn of the agent has the id of that turn. After
`Interrupted(n)` nothing of turn `n` is heard any more.
"""

from dataclasses import dataclass
from typing import Literal

from conversation.turn.events import AgentTurn, RetrievalDone, ToolCall, ToolRequest
from conversation.voice.ports import Samples, TimedChars


@dataclass(frozen=True, slots=True)
class VoiceScore:
    """How likely the user's last frame held a voice."""

    probability: float


@dataclass(frozen=True, slots=True)
class TentativeUserText:
    """What the user seems to say; the rest of the turn may change it."""

    text: str


@dataclass(frozen=True, slots=True)
class UserTurn:
    """The user's spoken turn is over, and the agent takes it up. What is typed is not told."""

    event_id: int
    text: str
    amends: bool = False
    """Whether the user went on before the agent was heard: the turn before is a part of this."""


@dataclass(frozen=True, slots=True)
class AgentText:
    """The whole text of a turn, as soon as it is known and its sound has begun."""

    event_id: int
    text: str


@dataclass(frozen=True, slots=True)
class AgentAudio:
    """Sound to be played now: it is given out at most a quarter of a second ahead."""

    event_id: int
    samples: Samples
    """At `SAMPLE_RATE_HZ`."""
    alignment: tuple[TimedChars, ...] = ()
    """Characters that begin in these samples, timed from their beginning; empty if not known."""


@dataclass(frozen=True, slots=True)
class Interrupted:
    """The user took the turn: what was not played yet must not be."""

    event_id: int


@dataclass(frozen=True, slots=True)
class AgentTextCorrected:
    """How much of an interrupted turn the user heard."""

    event_id: int
    original: str
    corrected: str


@dataclass(frozen=True, slots=True)
class DuringTurn:
    """What the session reports of a turn; `AgentTurn` comes when its sound is over, too."""

    event_id: int
    event: RetrievalDone | ToolRequest | ToolCall | AgentTurn


@dataclass(frozen=True, slots=True)
class SpeechFailed:
    """Something could not be understood or said. The call goes on."""

    side: Literal["hearing", "speaking"]
    message: str
    """For whoever runs the agent: it may name models and addresses, never words that were said."""
    event_id: int | None = None
    """Of the turn that could not be said; its text comes as `AgentText`."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The call ended; nothing follows."""

    reason: str


CallEvent = (
    VoiceScore
    | TentativeUserText
    | UserTurn
    | AgentText
    | AgentAudio
    | Interrupted
    | AgentTextCorrected
    | DuringTurn
    | SpeechFailed
    | CallOver
)
