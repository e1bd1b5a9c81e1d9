"""Steps that several writes of the conversation store share. Each runs inside a transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, or_, select, update
from sqlalchemy.engine import Connection

from conversation.errors import SessionEndedError, StoreError, UnknownConversationError
from conversation.store.ownership import is_gone, this_process
from conversation.store.rows import (
    call_rows,
    given_values,
    turn_id_of,
    turn_payload,
    turn_row,
    user_column,
)
from conversation.store.tables import (
    conversation_events,
    conversations,
    handed_in_files,
    llm_usage,
    retrievals,
    touched_conversations,
    turns,
    webhook_deliveries,
)
from conversation.transcript import ConversationStatus, Transcript, Turn

CRASHED = "interrupted_by_crash"
# What every turn runs is put together once: that takes longer than running it.
_OF_THIS = conversations.c.conversation_id == bindparam("this")
_STATUS = select(conversations.c.status, conversations.c.end_reason).where(_OF_THIS)
_STATUS_AND_TURNS = _STATUS.add_columns(
    select(func.count())
    .where(turns.c.conversation_id == bindparam("this"))
    .scalar_subquery()
    .label("turns")
)
_TOUCH = (
    update(conversations)
    .where(_OF_THIS)
    .values(last_event_at=bindparam("at"), owner=bindparam("holder"))
)
_ADD_EVENT, _ADD_TURN, _ADD_CALLS = (insert(t) for t in (conversation_events, turns, llm_usage))


def status_of(connection: Connection, conversation_id: str) -> tuple[str, str | None]:
    """State and end reason of a conversation; raises `UnknownConversationError`."""
    row = connection.execute(_STATUS, {"this": conversation_id}).one_or_none()
    if row is None:
        raise unknown_conversation(conversation_id)
    return row.status, row.end_reason


def unknown_conversation(conversation_id: str) -> UnknownConversationError:
    """The error for an id that the store does not hold."""
    return UnknownConversationError(
        f"The store holds no conversation {conversation_id!r}. `vivavoce conversations`, or "
        "`ConversationStore.conversations()` in Python, lists those it holds."
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
    # What nobody said of them was meant for this conversation alone.
    of_call = handed_in_files.c.conversation_id == conversation_id
    connection.execute(delete(handed_in_files).where(of_call))
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
        _ADD_EVENT,
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
    connection.execute(_ADD_TURN, turn_row(conversation_id, turn, index=index, at=at))
    add_event(
        connection, conversation_id, f"{turn.role}_turn", at, turn_payload(turn), turn_id=turn_id
    )
    calls = call_rows(conversation_id, turn, at=at)
    if calls:
        connection.execute(_ADD_CALLS, calls)
    return turn_id


def note_changed(connection: Connection, conversation_id: str) -> None:
    """Note that an ended conversation is not any more as reports have it."""
    ended = select(conversations.c.conversation_id, conversations.c.ended_at).where(
        conversations.c.conversation_id == conversation_id, conversations.c.ended_at.is_not(None)
    )
    connection.execute(insert(touched_conversations).from_select(["touched", "ended_at"], ended))


def touch(connection: Connection, conversation_id: str, at: datetime) -> None:
    """Something happened in the conversation, and this process holds it."""
    connection.execute(_TOUCH, {"this": conversation_id, "at": at, "holder": this_process()})


def reopen(connection: Connection, conversation_id: str, at: datetime) -> int:
    """Open a conversation again that was taken for crashed; raises when it is over.

    Returns how many turns it has.
    """
    row = connection.execute(_STATUS_AND_TURNS, {"this": conversation_id}).one_or_none()
    if row is None:
        raise unknown_conversation(conversation_id)
    if row.status == "in_progress":
        return row.turns
    reason = row.end_reason
    if reason != CRASHED:
        raise SessionEndedError(
            f"The conversation {conversation_id!r} is over ({reason}). Start a new session."
        )
    connection.execute(
        update(conversations)
        .where(conversations.c.conversation_id == conversation_id)
        .values(status="in_progress", ended_at=None, end_reason=None, closed_at=None)
    )
    add_event(connection, conversation_id, "conversation_resumed", at, {})
    return row.turns


def amend_turn(
    connection: Connection,
    conversation_id: str,
    turn: Turn,
    *,
    at: datetime,
    discarded: Turn,
    is_stored: bool,
) -> None:
    """Replace a user's turn by a longer one, and forget the answer that nobody heard."""
    payload = {
        "generated_chars": len(discarded.generated_text or discarded.text),
        "was_stored": is_stored,
    }
    if is_stored:
        for table in (llm_usage, retrievals, turns):
            connection.execute(
                delete(table)
                .where(table.c.turn_id == discarded.turn_id)
                .where(table.c.conversation_id == conversation_id)
            )
    revise_turn(connection, conversation_id, turn, at=at, kind="user_turn_amended")
    turn_id = discarded.turn_id
    add_event(connection, conversation_id, "agent_turn_discarded", at, payload, turn_id=turn_id)


def revise_turn(
    connection: Connection,
    conversation_id: str,
    turn: Turn,
    *,
    at: datetime,
    kind: str = "turn_revised",
) -> None:
    """Replace what a stored turn says; raises `StoreError` when it was never stored."""
    kept = {"conversation_id", "turn_index", "turn_id", "recorded_at"}
    values = turn_row(conversation_id, turn, index=0, at=at)
    changed = connection.execute(
        update(turns)
        .where(turns.c.turn_id == turn.turn_id)
        .where(turns.c.conversation_id == conversation_id)
        .values({key: value for key, value in values.items() if key not in kept})
    )
    if changed.rowcount == 0:
        raise StoreError(
            f"The conversation {conversation_id!r} has no turn {turn.turn_id!r} to revise."
        )
    add_event(connection, conversation_id, kind, at, turn_payload(turn), turn_id=turn.turn_id)


def add_imported(connection: Connection, transcript: Transcript, *, now: datetime) -> None:
    """Insert a finished conversation from elsewhere; raises `IntegrityError` when it is there."""
    conversation_id = transcript.conversation_id
    ended_at = transcript.ended_at or transcript.started_at or now
    row = {
        "conversation_id": conversation_id,
        "agent_id": transcript.agent_id,
        "agent_version": transcript.agent_version,
        "status": "failed" if transcript.status == "failed" else "done",
        "started_at": transcript.started_at,
        "listed_at": transcript.started_at or ended_at,
        "last_event_at": ended_at,
        "ended_at": ended_at,
        "end_reason": transcript.end_reason,
        "closed_at": now,
        "source": transcript.source,
        "simulated": transcript.simulated,
        "metadata": transcript.metadata,
        "user_id": user_column(transcript.metadata),
        "given": given_values(transcript),
    }
    connection.execute(insert(conversations).values(row))
    payload = {"source": transcript.source, "turns": len(transcript.turns)}
    add_event(connection, conversation_id, "conversation_imported", now, payload)
    for index, turn in enumerate(transcript.turns):
        own = turn.model_copy(update={"turn_id": None})
        add_turn(connection, conversation_id, own, index=index, at=now)


def abandoned(connection: Connection, *, quiet_since: datetime) -> list[tuple[str, datetime]]:
    """Id and last event of open conversations that nobody holds any more.

    Their process is gone, or nothing has happened since `quiet_since`.
    """
    quiet = conversations.c.last_event_at < quiet_since
    candidates = connection.execute(
        select(
            conversations.c.conversation_id,
            conversations.c.owner,
            conversations.c.last_event_at,
            quiet.label("quiet"),
        )
        .where(conversations.c.status == "in_progress")
        .where(or_(quiet, conversations.c.owner.is_not(None)))
    ).all()
    me = this_process()
    return [
        (row.conversation_id, row.last_event_at)
        for row in candidates
        if row.quiet or (row.owner is not None and is_gone(row.owner, asked_by=me))
    ]


def close_abandoned(connection: Connection, now: datetime, *, quiet_since: datetime) -> list[str]:
    """Close conversations that nobody holds any more, at their last event; returns their ids."""
    closed = abandoned(connection, quiet_since=quiet_since)
    for conversation_id, last_event_at in closed:
        close_conversation(
            connection, conversation_id, reason=CRASHED, at=last_event_at, now=now, status="done"
        )
    return [conversation_id for conversation_id, _ in closed]


def delete_conversation(connection: Connection, conversation_id: str) -> bool:
    """Remove every trace of a conversation; False when there is none."""
    derived = (webhook_deliveries, handed_in_files, llm_usage, retrievals, turns)
    for table in (*derived, conversation_events):
        connection.execute(delete(table).where(table.c.conversation_id == conversation_id))
    removed = connection.execute(
        delete(conversations).where(conversations.c.conversation_id == conversation_id)
    )
    return removed.rowcount > 0
