"""What users thought of conversations, kept as events of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, func, select

from conversation.server.errors import ApiError
from conversation.store.database import READ_ONLY
from conversation.store.store import ConversationEvent, ConversationStore
from conversation.store.tables import conversation_events as events

MAX_FEEDBACK_EVENTS = 200
"""Of one conversation: who has its id needs no key to give feedback."""


def events_of(
    engine: Engine, conversation_ids: Sequence[str], kinds: Sequence[str]
) -> dict[str, list[ConversationEvent]]:
    """The events of these kinds of each of these conversations, oldest first.

    Feedback is in the words of the users: where a comment is shown, it is read from the
    conversations as they may be read, `AfterCalls.readable`.
    """
    query = (
        select(events)
        .where(events.c.conversation_id.in_(conversation_ids))
        .where(events.c.kind.in_(kinds))
        .order_by(events.c.event_id)
    )
    found: dict[str, list[ConversationEvent]] = {}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for row in connection.execute(query):
            event = ConversationEvent(row.kind, row.payload, row.turn_id, row.occurred_at)
            found.setdefault(row.conversation_id, []).append(event)
    return found


def keep_feedback(
    store: ConversationStore, conversation_id: str, payload: dict[str, Any], *, at: datetime
) -> None:
    """Keep feedback on the whole conversation.

    Raises:
        ApiError: There is more than anybody has to say.
    """
    query = (
        select(func.count())
        .where(events.c.conversation_id == conversation_id)
        .where(events.c.kind == "feedback")
    )
    with store.engine.connect().execution_options(**READ_ONLY) as connection:
        count = connection.execute(query).scalar_one()
    if count >= MAX_FEEDBACK_EVENTS:
        raise ApiError(
            429, "too_much_feedback", "This conversation has all the feedback that it can hold."
        )
    store.add_event(conversation_id, "feedback", at=at, payload=payload)
