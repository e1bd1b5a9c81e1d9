"""A conversation being written down: its turns in memory and, at the same moment, in the store."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from conversation.errors import SessionEndedError
from conversation.session.observing import observe_amended, observe_sound, observe_turn
from conversation.store.rows import given_values, turn_id_of
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.transcript import Transcript, Turn, TurnFile, TurnSound, storable
from conversation.turn.finished_turn import Spoken, heard_turn, retrieved_passages, unchanged
from conversation.turn.turn_so_far import SpeakingTurn


class Recording:
    """Everything said so far. What a method has returned from is durable."""

    def __init__(
        self, opening: Transcript, *, store: ConversationStore, clock: Callable[[], datetime]
    ) -> None:
        self.conversation_id = opening.conversation_id
        self._opening = opening
        self._store = store
        self._clock = clock
        self._turns: list[Turn] = []
        self._ended: Transcript | None = None
        self._complete: set[str | None] = set()
        """Turns that the agent ended itself, however much of them was heard."""

    @property
    def turns(self) -> tuple[Turn, ...]:
        """All turns, oldest first."""
        return tuple(self._turns)

    def turns_so_far(self) -> tuple[Turn, ...]:
        """All turns; for those who look again later."""
        return self.turns

    @property
    def transcript(self) -> Transcript:
        """The conversation up to now."""
        return self._ended or self._opening.model_copy(update={"turns": self.turns})

    @property
    def is_over(self) -> bool:
        """Whether the conversation was closed."""
        return self._ended is not None

    @property
    def next_turn_id(self) -> str:
        """Id of the turn that is written down next."""
        return turn_id_of(self.conversation_id, len(self._turns))

    def offset_s(self) -> float:
        """Seconds since the conversation started."""
        started_at = self._opening.started_at or datetime.fromtimestamp(0, UTC)
        return (self._clock() - started_at).total_seconds()

    def begin(self, first_message: str, *, spoken: Spoken = unchanged) -> None:
        """Store the conversation, with the agent's first message when there is one."""
        opening = self._opening
        if first_message:
            first = self._said(first_message, spoken)
            self._turns.append(first.model_copy(update={"offset_s": 0.0}))
        self._store.begin(
            self.conversation_id,
            agent_id=opening.agent_id,
            agent_version=opening.agent_version,
            started_at=opening.started_at or self._clock(),
            simulated=opening.simulated,
            metadata=opening.metadata,
            given=given_values(opening),
            turn=self._turns[0] if self._turns else None,
        )
        if opening.overrides:
            self.add_event("session_overrides", opening.overrides)

    def hear(
        self,
        text: str,
        *,
        sound: TurnSound | None,
        files: Sequence[TurnFile],
        discarded: Turn | None,
    ) -> Turn:
        """Write down what the user said, or that they went on where an answer was discarded."""
        if discarded is None:
            return self.add_user_turn(text, sound=sound, files=files)
        return self.amend_user_turn(text, sound=sound, files=files, discarded=discarded)

    def add_user_turn(
        self, text: str, *, sound: TurnSound | None = None, files: Sequence[TurnFile] = ()
    ) -> Turn:
        """Write down what the user said."""
        turn = Turn(
            role="user",
            text=text,
            turn_id=self.next_turn_id,
            offset_s=self.offset_s() if sound is None else sound.start_s,
            sound=sound,
            files=tuple(files),
        )
        self._store.append_turn(self.conversation_id, turn, at=self._clock())
        self._turns.append(turn)
        return turn

    def amend_user_turn(
        self,
        text: str,
        *,
        sound: TurnSound | None,
        files: Sequence[TurnFile] = (),
        discarded: Turn,
    ) -> Turn:
        """Write down that the user's last turn was longer, and that its answer was not heard."""
        is_stored = self._turns[-1].role == "agent"
        before = self._turns[-2 if is_stored else -1]
        changed = {} if sound is None else {"sound": sound, "offset_s": sound.start_s}
        came = (*before.files, *files)
        turn = before.model_copy(update={"text": text, "files": came, **changed})
        self._store.amend_turn(
            self.conversation_id,
            turn,
            at=self._clock(),
            discarded=discarded,
            is_stored=is_stored,
        )
        self._turns[-2 if is_stored else -1 :] = [turn]
        self._complete.discard(discarded.turn_id)
        observe_amended(agent_id=self._opening.agent_id)
        return turn

    def answer_to(self, turn: Turn, requested_s: float, discarded: Turn | None) -> SpeakingTurn:
        """The agent's turn that begins now; it goes on with what a discarded one has cost."""
        return SpeakingTurn(
            turn_id=self.next_turn_id,
            turns=self.turns,
            offset_s=turn.offset_s or 0.0,
            requested_s=requested_s,
            calls=list(discarded.calls) if discarded is not None else [],
        )

    def add_agent_turn(self, turn: Turn, speaking: SpeakingTurn) -> None:
        """Write down the agent's turn with what was retrieved for it."""
        at = self._clock()
        self._store.append_turn(
            self.conversation_id,
            turn,
            at=at,
            retrieved=retrieved_passages(speaking),
            events=_events_of(speaking),
        )
        self._turns.append(turn)
        if not turn.interrupted:
            self._complete.add(turn.turn_id)
        observe_turn(
            turn,
            conversation_id=self.conversation_id,
            agent_id=self._opening.agent_id,
            ended_at=at,
        )

    def add_said_turn(self, text: str, *, spoken: Spoken = unchanged) -> Turn:
        """Write down what the agent says of its own accord, without a model."""
        turn = self._said(text, spoken)
        self._store.append_turn(self.conversation_id, turn, at=self._clock())
        self._turns.append(turn)
        return turn

    def _said(self, text: str, spoken: Spoken) -> Turn:
        return Turn(
            role="agent",
            text=text,
            spoken_text=spoken(text),
            turn_id=self.next_turn_id,
            offset_s=self.offset_s(),
        )

    def revise_last_turn(self, heard_chars: int, *, spoken: Spoken = unchanged) -> None:
        """The last turn was the agent's, and the user heard only its beginning."""
        last = self._turns[-1] if self._turns else None
        if last is None or last.role != "agent":
            return
        was_complete = last.turn_id in self._complete
        turn = heard_turn(last, heard_chars, was_complete=was_complete, spoken=spoken)
        if turn != last:
            self._store.revise_turn(self.conversation_id, turn, at=self._clock())
            self._turns[-1] = turn

    def add_sound(self, turn_id: str, sound: TurnSound) -> None:
        """Write down where a turn stands in the sound of the call."""
        for index, turn in enumerate(self._turns):
            if turn.turn_id == turn_id:
                changed = turn.model_copy(update={"sound": sound, "offset_s": sound.start_s})
                self._store.revise_turn(self.conversation_id, changed, at=self._clock())
                self._turns[index] = changed
                observe_sound(
                    changed,
                    conversation_id=self.conversation_id,
                    agent_id=self._opening.agent_id,
                    call_began_at=self._opening.started_at or self._clock(),
                )

    def add_event(self, kind: str, payload: Mapping[str, Any]) -> None:
        """Write down something that is no turn."""
        kept = {
            key: storable(value) if isinstance(value, str) else value
            for key, value in payload.items()
        }
        self._store.add_event(self.conversation_id, kind, at=self._clock(), payload=kept)

    def end(self, reason: str) -> Transcript:
        """Close the conversation; closing it again changes nothing."""
        if self._ended is None:
            self._store.end(
                self.conversation_id,
                reason=reason,
                at=self._clock(),
                status="failed" if reason == "failed" else "done",
            )
            self._ended = self._store.transcript(self.conversation_id)
        return self._ended

    def require_open(self) -> None:
        """Raise `SessionEndedError` when the conversation is over."""
        if self._ended is not None:
            raise SessionEndedError(
                f"The conversation {self.conversation_id!r} is over ({self._ended.end_reason}). "
                "Start a new session."
            )


def _events_of(speaking: SpeakingTurn) -> list[ConversationEvent]:
    searched = [
        ConversationEvent(
            "retrieval",
            {
                "query": done.query,
                "mode": done.mode,
                "passages": len(done.passages),
                "latency_ms": done.latency_ms,
            },
            speaking.turn_id,
        )
        for done in speaking.searches
    ]
    happened = [
        ConversationEvent(kind, payload, speaking.turn_id) for kind, payload in speaking.events
    ]
    return searched + happened
