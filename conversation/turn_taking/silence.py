"""When the agent should speak up or hang up by itself. Pure: time comes in as an argument.

The state is a value. Whoever drives a session keeps it, feeds it what happened and, when
`next_check_s` has come, asks `due` what to do:

    taking = TurnTaking(config).started(now_s)
    taking = taking.agent_finished(now_s)      # the user may speak now
    action, taking = taking.due(now_s)         # None, Reengage or EndConversation
"""

from dataclasses import dataclass, replace

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat


class TurnTakingConfig(BaseModel):
    """How long silence and the whole conversation may last."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    silence_timeout_s: PositiveFloat | None = None
    """Silence of the user after which the agent asks whether they are still there."""
    reengagement_message: str = "Are you still there?"
    max_reengagements: NonNegativeInt = 2
    """After so many unanswered questions in a row, the next silence ends the conversation."""
    max_duration_s: PositiveFloat | None = 3_600.0
    """Of the whole conversation."""
    goodbye_message: str = ""
    """Said before the conversation ends for silence or its duration; empty says nothing."""
    soft_timeout_s: PositiveFloat | None = None
    """Written conversations by socket: when no word of an answer has come by then, the user reads
    `soft_timeout_message`. Calls have their own, under `voice.turn`."""
    soft_timeout_message: str = ""
    """Empty takes a sentence of the language that is spoken."""


@dataclass(frozen=True, slots=True)
class Reengage:
    """The agent should say `message`."""

    message: str


@dataclass(frozen=True, slots=True)
class EndConversation:
    """The conversation should end for `reason`: `silence` or `max_duration`."""

    reason: str
    message: str = ""
    """What the agent says first."""


Action = Reengage | EndConversation | None


@dataclass(frozen=True, slots=True)
class TurnTaking:
    """What is known of who spoke when. Times are seconds on any clock that only grows."""

    config: TurnTakingConfig
    started_s: float | None = None
    quiet_since_s: float | None = None
    """When the user's silence began; None while the agent speaks or before the start."""
    reengagements: int = 0
    """Unanswered ones in a row."""

    def started(self, now_s: float) -> "TurnTaking":
        """The conversation began, and the user may speak."""
        return replace(self, started_s=now_s, quiet_since_s=now_s, reengagements=0)

    def user_active(self, now_s: float) -> "TurnTaking":
        """The user types, moves or makes a sound: silence begins anew."""
        quiet = now_s if self.quiet_since_s is not None else None
        return replace(self, quiet_since_s=quiet, reengagements=0)

    def agent_started(self) -> "TurnTaking":
        """The agent has the turn; the user's silence means nothing until it is over."""
        return replace(self, quiet_since_s=None)

    def agent_finished(self, now_s: float) -> "TurnTaking":
        """The agent has finished, or was interrupted; the user may speak."""
        return replace(self, quiet_since_s=now_s)

    @property
    def next_check_s(self) -> float | None:
        """When something may be due; None when nothing ever will be as things stand."""
        moments = [
            since_s + limit_s
            for since_s, limit_s in (
                (self.started_s, self.config.max_duration_s),
                (self.quiet_since_s, self.config.silence_timeout_s),
            )
            if since_s is not None and limit_s is not None
        ]
        return min(moments, default=None)

    def due(self, now_s: float) -> tuple[Action, "TurnTaking"]:
        """What has to be done now, and the state after it was done."""
        if _passed(self.started_s, self.config.max_duration_s, now_s):
            return EndConversation("max_duration", self.config.goodbye_message), self
        if not _passed(self.quiet_since_s, self.config.silence_timeout_s, now_s):
            return None, self
        if self.reengagements >= self.config.max_reengagements:
            return EndConversation("silence", self.config.goodbye_message), self
        asked = replace(self, quiet_since_s=now_s, reengagements=self.reengagements + 1)
        return Reengage(self.config.reengagement_message), asked


def _passed(since_s: float | None, limit_s: float | None, now_s: float) -> bool:
    return since_s is not None and limit_s is not None and now_s >= since_s + limit_s
