"""Steps that several writes of the conversation store share. Each runs inside a transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.engine import Connection

from conversation.errors import UnknownConversationError
from conversation.store_rows import turn_id_of, turn_payload, turn_row, usage_row
from conversation.tables import conversation_events, conversations, llm_usage, turns
from conversation.transcript import ConversationStatus, Turn


def status_of(connection: Connection, conversation_id: str) -> tuple[str, str | None]:
    """State and end reason of a conversation; raises `UnknownConversationError`."""
    row = connection.execute(
        select(conversations.c.status, conversations.c.end_reason).where(
            conversations.c.conversation_id == conversation_id
        )
    ).one_or_none()
    if row is None:
        raise unknown_conversation(conversation_id)
    return row.status, row.end_reason


def unknown_conversation(conversation_id: str) -> UnknownConversationError:
    """The error for an id that the store does not hold."""
    return UnknownConversationError(
        f"The store holds no conversation {conversation_id!r}. `ConversationStore.conversations()` "
        "lists those it holds."
    )


def close_conversation(
    connection: Connection,
    conversation_id: str,
    *,
    reason: str,
    at: datetime,
    now: datetime,
    status: ConversationStatus,
) -> None:
    """Mark a conversation as ended at `at`; the store learns of it `now`."""
    connection.execute(
        update(conversations)
        .where(conversations.c.conversation_id == conversation_id)
        .values(
            status=status,
            ended_at=at,
            end_reason=reason,
            closed_at=now,
            last_event_at=at,
            owner=None,
        )
    )
    add_event(connection, conversation_id, "conversation_ended", now, {"reason": reason})


def add_event(
    connection: Connection,
    conversation_id: str,
    kind: str,
    at: datetime,
    payload: Mapping[str, Any],
    *,
    turn_id: str | None = None,
) -> None:
    """Append one event."""
    connection.execute(
        insert(conversation_events),
        {
            "conversation_id": conversation_id,
            "turn_id": turn_id,
            "kind": kind,
            "occurred_at": at,
            "payload": dict(payload),
        },
    )


def add_turn(
    connection: Connection, conversation_id: str, turn: Turn, *, index: int, at: datetime
) -> str:
    """Append a turn as event and row with its usage, and return its id."""
    turn_id = turn.turn_id or turn_id_of(conversation_id, index)
    turn = turn.model_copy(update={"turn_id": turn_id})
    connection.execute(insert(turns), turn_row(conversation_id, turn, index=index, at=at))
    add_event(
        connection, conversation_id, f"{turn.role}_turn", at, turn_payload(turn), turn_id=turn_id
    )
    if turn.usage is not None:
        connection.execute(
            insert(llm_usage), usage_row(conversation_id, turn_id, turn.usage, at=at)
        )
    return turn_id
