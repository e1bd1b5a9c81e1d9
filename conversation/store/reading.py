"""What can be read from the conversation store, on an open connection or an engine."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, Engine, Select, func, literal, select, tuple_
from sqlalchemy.engine import Connection, Row

from conversation.errors import StoreError
from conversation.store.database import READ_ONLY, UTCDateTime, batches
from conversation.store.rows import (
    calls_from_rows,
    conversation_from_row,
    retrieval_from_row,
    turn_from_row,
)
from conversation.store.tables import (
    conversation_events,
    conversations,
    llm_usage,
    retrievals,
    turns,
)
from conversation.store.writing import unknown_conversation
from conversation.transcript import ConversationStatus, Retrieval, ToolCall, Transcript


@dataclass(frozen=True, slots=True)
class ConversationEvent:
    """Something that happened in a conversation. Never changed once stored."""

    kind: str
    payload: Mapping[str, Any]
    turn_id: str | None = None
    occurred_at: datetime | None = None
    """UTC. None takes the time of the turn that it is stored with."""


@dataclass(frozen=True, slots=True)
class ConversationSummary:
    """One conversation without its turns."""

    conversation_id: str
    agent_id: str
    agent_version: str | None
    status: ConversationStatus
    started_at: datetime | None
    ended_at: datetime | None
    closed_at: datetime | None
    """When the store learned of the end: later than `ended_at` for imports and crashes."""
    end_reason: str | None
    source: str
    simulated: bool
    turn_count: int
    metadata: Mapping[str, str]
    listed_at: datetime
    """Its place in lists: its start, or when the store learned of it."""


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations of a list, newest first."""

    conversations: tuple[ConversationSummary, ...]
    next_cursor: str | None
    """Where the list goes on; None at its end. It stays true while others begin and end."""


def read_transcript(connection: Connection, conversation_id: str) -> Transcript:
    """The conversation with all its turns; raises `UnknownConversationError`."""
    row = connection.execute(
        select(conversations).where(conversations.c.conversation_id == conversation_id)
    ).one_or_none()
    if row is None:
        raise unknown_conversation(conversation_id)
    calls: dict[str, list[Row[Any]]] = {}
    for found in connection.execute(
        select(llm_usage)
        .where(llm_usage.c.conversation_id == conversation_id)
        .order_by(llm_usage.c.usage_id)
    ):
        calls.setdefault(found.turn_id, []).append(found)
    spoken = connection.execute(
        select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.turn_index)
    )
    return conversation_from_row(
        row,
        tuple(
            turn_from_row(found, calls_from_rows(calls.get(found.turn_id, []))) for found in spoken
        ),
    )


def read_summaries(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> list[ConversationSummary]:
    """Conversations that meet every condition, in the order of their start."""
    rows = connection.execute(
        _summaries(conditions).order_by(conversations.c.started_at, conversations.c.conversation_id)
    )
    return [_summary(row) for row in rows]


def read_summaries_of(
    connection: Connection, conversation_ids: Sequence[str]
) -> list[ConversationSummary]:
    """Those of the conversations that the store holds, in the order of their start."""
    found: list[ConversationSummary] = []
    for ids in batches(conversation_ids):
        found += read_summaries(connection, [conversations.c.conversation_id.in_(ids)])
    return sorted(
        found,
        key=lambda each: (
            each.started_at is not None,
            each.started_at or each.listed_at,
            each.conversation_id,
        ),
    )


def read_page(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    cursor: str | None,
    oldest_first: bool = False,
) -> ConversationPage:
    """The next `limit` conversations that meet every condition, newest first unless said else.

    Raises:
        StoreError: The cursor is none that an earlier page gave.
    """
    key = tuple_(conversations.c.listed_at, conversations.c.conversation_id)
    beyond: list[ColumnElement[bool]] = []
    if cursor is not None:
        beyond = [key > _position(cursor) if oldest_first else key < _position(cursor)]
    columns = (conversations.c.listed_at, conversations.c.conversation_id)
    rows = connection.execute(
        _summaries([*conditions, *beyond])
        .order_by(*(column if oldest_first else column.desc() for column in columns))
        .limit(limit + 1)
    ).all()
    shown = rows[:limit]
    goes_on = len(rows) > limit
    return ConversationPage(
        tuple(_summary(row) for row in shown), cursor_after(shown[-1]) if goes_on else None
    )


def tool_calls_of(engine: Engine, conversation_ids: Sequence[str]) -> dict[str, list[ToolCall]]:
    """The tool calls of conversations, in order; without those that called none."""
    found: dict[str, list[ToolCall]] = {}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for ids in batches(conversation_ids):
            query = (
                select(turns.c.conversation_id, turns.c.tool_calls)
                .where(turns.c.conversation_id.in_(ids))
                .order_by(turns.c.conversation_id, turns.c.turn_index)
            )
            _add_calls(found, connection.execute(query))
    return found


def _add_calls(found: dict[str, list[ToolCall]], rows: Iterable[Any]) -> None:
    for row in rows:
        calls = [ToolCall.model_validate(call) for call in row.tool_calls]
        if calls:
            found.setdefault(row.conversation_id, []).extend(calls)


def said_anywhere(text: str) -> ColumnElement[bool]:
    """Whether a conversation has a turn that contains `text`, in whatever case."""
    return (
        select(turns.c.turn_id)
        .where(turns.c.conversation_id == conversations.c.conversation_id)
        .where(turns.c.heard_text.icontains(text, autoescape=True))
        .exists()
    )


def read_retrievals(connection: Connection, conversation_id: str) -> list[Retrieval]:
    """What was retrieved in the conversation, in order of turns and rank."""
    rows = connection.execute(
        select(retrievals)
        .where(retrievals.c.conversation_id == conversation_id)
        .order_by(retrievals.c.retrieval_id)
    )
    return [retrieval_from_row(row) for row in rows]


def read_events(
    connection: Connection, conversation_id: str, *, kind: str | None
) -> list[ConversationEvent]:
    """Everything that happened in the conversation, or all of one kind, in order."""
    events = conversation_events.c
    query = select(conversation_events).where(events.conversation_id == conversation_id)
    if kind is not None:
        query = query.where(events.kind == kind)
    rows = connection.execute(query.order_by(events.event_id))
    return [ConversationEvent(row.kind, row.payload, row.turn_id, row.occurred_at) for row in rows]


def _summaries(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    count = (
        select(func.count())
        .where(turns.c.conversation_id == conversations.c.conversation_id)
        .scalar_subquery()
    )
    return select(conversations, count.label("turn_count")).where(*conditions)


def _summary(row: Row[Any]) -> ConversationSummary:
    fields = ConversationSummary.__dataclass_fields__
    return ConversationSummary(**{name: getattr(row, name) for name in fields})


def cursor_after(row: ConversationSummary | Row[Any]) -> str:
    """Where a list goes on after this conversation."""
    position = f"{row.listed_at.isoformat()} {row.conversation_id}"
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(cursor: str) -> ColumnElement[Any]:
    try:
        moment, _, conversation_id = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        listed_at = datetime.fromisoformat(moment).astimezone(UTC)
    except ValueError as error:
        raise StoreError(
            f"{cursor!r} is no cursor of a list of conversations. Take `next_cursor` of the page "
            "before, or leave it out for the first page."
        ) from error
    return tuple_(literal(listed_at, UTCDateTime()), literal(conversation_id))
