"""A turn of the agent between its text and its sound, and when each step of it happened."""

import asyncio
from dataclasses import dataclass, field
from typing import Literal

from conversation.transcript import TimedWord, TurnSound
from conversation.turn.events import AgentTurn
from conversation.voice.calling.mouth import Mouth

Kind = Literal["opening", "answer", "said"]
REACTION_S = 0.1
"""Nobody answers to a sound within so short a time: who speaks then has not heard it."""


@dataclass(frozen=True, slots=True)
class UserTiming:
    """When the user's turn ended, in seconds of the call."""

    speech_end_s: float
    decided_s: float
    transcript_s: float


@dataclass(slots=True)
class AgentTurnInCall:
    """One turn; changed by `Answering` alone."""

    kind: Kind
    mouth: Mouth
    user: UserTiming | None = None
    """None for what no spoken turn asked for."""
    is_interruptible: bool = True
    announces: bool = False
    """Whether something comes first that the user has to hear."""
    is_asked: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the user's turn is written down that it answers."""
    has_tools: bool = False
    """Whether something was done in it that cannot be taken back."""
    is_left: bool = False
    """Whether it was interrupted or discarded: what still comes of it is not said."""
    is_text_told: bool = False
    holds: int = 0
    outcome: AgentTurn | None = None
    turn_id: str | None = None
    passages_s: float | None = None
    first_token_s: float | None = None
    task: asyncio.Task[None] | None = None

    @property
    def event_id(self) -> int:
        """Of all its events."""
        return self.mouth.event_id

    def is_unheard_at(self, at_s: float) -> bool:
        """Whether somebody who spoke from `at_s` on had heard nothing of it."""
        first_s = self.mouth.playout.first_audible_s
        return first_s is None or at_s <= first_s + REACTION_S

    def sound(self) -> TurnSound | None:
        """Where it stands in the sound of the call; None when it was not heard at all."""
        playout = self.mouth.playout
        if playout.first_audible_s is None:
            return None
        return TurnSound(
            start_s=playout.first_audible_s,
            end_s=max(playout.first_audible_s, playout.plays_until_s),
            words=tuple(self._words()),
            speech_end_to_decided_ms=self._waited_ms(self.user and self.user.decided_s),
            speech_end_to_transcript_ms=self._waited_ms(self.user and self.user.transcript_s),
            speech_end_to_passages_ms=self._waited_ms(self.passages_s),
            speech_end_to_first_token_ms=self._waited_ms(self.first_token_s),
            speech_end_to_first_audio_ms=self._waited_ms(playout.first_audible_s),
        )

    def _words(self) -> list[TimedWord]:
        playout, text = self.mouth.playout, self.mouth.text
        words: list[TimedWord] = []
        for start_char, end_char, start_s, end_s in self.mouth.heard.words():
            begins_s, ends_s = playout.played_at_s(start_s), playout.played_at_s(end_s)
            if begins_s is None or ends_s is None:
                break
            skipped = len(text[start_char:end_char]) - len(text[start_char:end_char].lstrip())
            words.append(
                TimedWord(
                    start_char=start_char + skipped,
                    end_char=end_char,
                    start_s=begins_s,
                    end_s=ends_s,
                )
            )
        return words

    def _waited_ms(self, moment_s: float | None) -> float | None:
        if self.user is None or moment_s is None:
            return None
        return round((moment_s - self.user.speech_end_s) * 1_000, 1)
