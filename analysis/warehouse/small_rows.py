"""Tools that were used and feedback that was given -> rows of the warehouse. Pure."""

import json
from collections.abc import Sequence
from datetime import date

from analysis.warehouse.rows import Row, ids, timestamp
from conversation.store.store import ConversationEvent
from conversation.transcript import Transcript


def tool_call_rows(transcript: Transcript, *, day: date) -> list[Row]:
    """Return the rows of `tool_calls`, in order."""
    return [
        {
            **ids(transcript, day),
            "turn_index": turn_index,
            "call_index": call_index,
            **call.model_dump(exclude={"parameters"}),
            "parameters": json.dumps(call.parameters),
        }
        for turn_index, turn in enumerate(transcript.turns)
        for call_index, call in enumerate(turn.tool_calls)
    ]


def feedback_rows(
    transcript: Transcript, events: Sequence[ConversationEvent], *, day: date
) -> list[Row]:
    """Return the rows of `feedback`, in order."""
    index_of = {turn.turn_id: index for index, turn in enumerate(transcript.turns)}
    last = {_about(event): position for position, event in enumerate(events)}
    return [
        {
            **ids(transcript, day),
            "about": "turn" if _is_of_a_turn(event) else "conversation",
            "turn_index": index_of.get(event.turn_id) if event.turn_id else None,
            "given_at": timestamp(event.occurred_at),
            "in_force": last[_about(event)] == position,
            "score": event.payload.get("score"),
            "rating": event.payload.get("rating"),
            "comment": event.payload.get("comment"),
        }
        for position, event in enumerate(events)
    ]


def _is_of_a_turn(event: ConversationEvent) -> bool:
    """A client names a turn by the number of an event, which no turn may have by now."""
    return event.turn_id is not None or "event_id" in event.payload


def _about(event: ConversationEvent) -> tuple[object, ...]:
    if not _is_of_a_turn(event):
        # A rating and a comment are given one after the other, and neither takes back the other.
        return (
            "conversation",
            *(k for k in ("score", "rating", "comment") if event.payload.get(k)),
        )
    return ("turn", event.turn_id or event.payload.get("event_id"))
