"""What can be read from the conversation store. Each function runs on an open connection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.engine import Connection, Row

from conversation.store_rows import (
    conversation_from_row,
    retrieval_from_row,
    turn_from_row,
    usage_from_rows,
)
from conversation.store_writing import unknown_conversation
from conversation.tables import conversation_events, conversations, llm_usage, retrievals, turns
from conversation.transcript import ConversationStatus, Retrieval, Transcript


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


def read_transcript(connection: Connection, conversation_id: str) -> Transcript:
    """The conversation with all its turns; raises `UnknownConversationError`."""
    row = connection.execute(
        select(conversations).where(conversations.c.conversation_id == conversation_id)
    ).one_or_none()
    if row is None:
        raise unknown_conversation(conversation_id)
    usage: dict[str, list[Row[Any]]] = {}
    for found in connection.execute(
        select(llm_usage)
        .where(llm_usage.c.conversation_id == conversation_id)
        .order_by(llm_usage.c.usage_id)
    ):
        usage.setdefault(found.turn_id, []).append(found)
    spoken = connection.execute(
        select(turns).where(turns.c.conversation_id == conversation_id).order_by(turns.c.turn_index)
    )
    return conversation_from_row(
        row,
        tuple(
            turn_from_row(found, usage_from_rows(usage.get(found.turn_id, []))) for found in spoken
        ),
    )


def read_summaries(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> list[ConversationSummary]:
    """Conversations that meet every condition, in the order of their start."""
    count = (
        select(func.count())
        .where(turns.c.conversation_id == conversations.c.conversation_id)
        .scalar_subquery()
    )
    rows = connection.execute(
        select(conversations, count.label("turn_count"))
        .where(*conditions)
        .order_by(conversations.c.started_at, conversations.c.conversation_id)
    )
    fields = ConversationSummary.__dataclass_fields__
    return [ConversationSummary(**{name: getattr(row, name) for name in fields}) for row in rows]


def read_retrievals(connection: Connection, conversation_id: str) -> list[Retrieval]:
    """What was retrieved in the conversation, in order of turns and rank."""
    rows = connection.execute(
        select(retrievals)
        .where(retrievals.c.conversation_id == conversation_id)
        .order_by(retrievals.c.retrieval_id)
    )
    return [retrieval_from_row(row) for row in rows]


def read_events(connection: Connection, conversation_id: str) -> list[ConversationEvent]:
    """Everything that happened in the conversation, in order."""
    rows = connection.execute(
        select(conversation_events)
        .where(conversation_events.c.conversation_id == conversation_id)
        .order_by(conversation_events.c.event_id)
    )
    return [ConversationEvent(row.kind, row.payload, row.turn_id, row.occurred_at) for row in rows]
