"""What can be read from the conversation store, on an open connection or an engine."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import ColumnElement, Engine, Select, Text, cast, func, not_, select
from sqlalchemy.engine import Connection, Row

from conversation.store.database import READ_ONLY, batches
from conversation.store.gathering import gather
from conversation.store.rows import (
    UNPROVEN,
    calls_from_rows,
    columns_of_records,
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
class WholeConversation:
    """One conversation with what was stored beside its turns."""

    transcript: Transcript
    retrievals: Sequence[Retrieval]
    """In order of turns and rank."""
    events: Sequence[ConversationEvent]
    """Of the kind that was asked for, in order."""


def read_transcript(connection: Connection, conversation_id: str) -> Transcript:
    """The conversation with all its turns; raises `UnknownConversationError`."""
    found = read_transcripts(connection, [conversation_id]).get(conversation_id)
    if found is None:
        raise unknown_conversation(conversation_id)
    if isinstance(found, ValidationError):
        raise found
    return found


def read_whole(connection: Connection, conversation_id: str, *, kind: str) -> WholeConversation:
    """A conversation with what it rests on and its events of one kind, in one statement.

    Raises:
        UnknownConversationError: There is no such conversation.
        ValidationError: What is stored is no conversation.
    """
    of_it = {
        "held": select(conversations),
        "said": select(turns),
        "asked": select(llm_usage),
        "found": select(retrievals),
        "noted": select(conversation_events).where(conversation_events.c.kind == kind),
    }
    rows = gather(
        connection,
        {
            name: query.where(query.selected_columns.conversation_id == conversation_id)
            for name, query in of_it.items()
        },
    )
    if not rows["held"]:
        raise unknown_conversation(conversation_id)
    calls: dict[str, list[Any]] = {}
    for call in sorted(rows["asked"], key=lambda each: each.usage_id):
        calls.setdefault(call.turn_id, []).append(call)
    transcript = _whole(
        rows["held"][0], sorted(rows["said"], key=lambda each: each.turn_index), calls
    )
    if isinstance(transcript, ValidationError):
        raise transcript
    found = sorted(rows["found"], key=lambda each: each.retrieval_id)
    noted = sorted(rows["noted"], key=lambda each: each.event_id)
    return WholeConversation(
        transcript, [retrieval_from_row(row) for row in found], [_event(row) for row in noted]
    )


def read_transcripts(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, Transcript | ValidationError]:
    """Those of the conversations that are there, with all their turns: three statements a batch.

    What is stored of one may not be a conversation: then the others are there all the same.
    """
    found: dict[str, Transcript | ValidationError] = {}
    for ids in batches(conversation_ids):
        rows = connection.execute(
            select(conversations).where(conversations.c.conversation_id.in_(ids))
        ).all()
        calls: dict[str, list[Row[Any]]] = {}
        for call in connection.execute(
            select(*columns_of_records(llm_usage))
            .where(llm_usage.c.conversation_id.in_(ids))
            .order_by(llm_usage.c.usage_id)
        ):
            calls.setdefault(call.turn_id, []).append(call)
        spoken: dict[str, list[Row[Any]]] = {}
        for turn in connection.execute(
            select(*columns_of_records(turns))
            .where(turns.c.conversation_id.in_(ids))
            .order_by(turns.c.turn_index)
        ):
            spoken.setdefault(turn.conversation_id, []).append(turn)
        for row in rows:
            found[row.conversation_id] = _whole(row, spoken.get(row.conversation_id, ()), calls)
    return found


def _whole(
    row: Row[Any], spoken: Sequence[Row[Any]], calls: Mapping[str, Sequence[Row[Any]]]
) -> Transcript | ValidationError:
    try:
        return conversation_from_row(
            row,
            tuple(
                turn_from_row(turn, calls_from_rows(calls.get(turn.turn_id, ()))) for turn in spoken
            ),
        )
    except ValidationError as error:
        return error


def read_summaries(
    connection: Connection, conditions: Sequence[ColumnElement[bool]]
) -> list[ConversationSummary]:
    """Conversations that meet every condition, in the order of their start."""
    rows = connection.execute(
        summaries_that_meet(conditions).order_by(
            conversations.c.started_at, conversations.c.conversation_id
        )
    )
    return [summary_from_row(row) for row in rows]


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


def read_agent_ids(connection: Connection) -> list[str]:
    """Agents that have a conversation, by name.

    From one to the next along the index: what it costs follows the number of agents.
    """
    column = conversations.c.agent_id
    known = select(func.min(column).label("agent_id")).cte("known", recursive=True)
    following = select(func.min(column)).where(column > known.c.agent_id).scalar_subquery()
    known = known.union_all(select(following).where(known.c.agent_id.is_not(None)))
    query = select(known.c.agent_id).where(known.c.agent_id.is_not(None))
    return sorted(connection.execute(query).scalars())


def chosen(
    *,
    agent_id: str | None = None,
    status: ConversationStatus | None = None,
    simulated: bool | None = None,
    ended_from: datetime | None = None,
    ended_to: datetime | None = None,
    closed_from: datetime | None = None,
    since: datetime | None = None,
    until: datetime | None = None,
    user_id: str | None = None,
    user_proven: bool | None = None,
    conversation_id: str | None = None,
    agent_ids: Collection[str] | None = None,
    rating_min: int | None = None,
    rating_max: int | None = None,
    has_comment: bool | None = None,
) -> list[ColumnElement[bool]]:
    """What the rows must meet; None asks for nothing."""
    columns = conversations.c
    conditions = (
        None if agent_id is None else columns.agent_id == agent_id,
        None if status is None else columns.status == status,
        None if simulated is None else columns.simulated == simulated,
        None if ended_from is None else columns.ended_at >= ended_from,
        None if ended_to is None else columns.ended_at < ended_to,
        None if closed_from is None else columns.closed_at >= closed_from,
        None if since is None else columns.listed_at >= since,
        None if until is None else columns.listed_at < until,
        # Longer ids are cut in the column.
        None if user_id is None else columns.user_id == user_id[:255],
        None if user_proven is None else _proven(user_proven),
        None if conversation_id is None else columns.conversation_id == conversation_id,
        None if agent_ids is None else columns.agent_id.in_(agent_ids),
        None if rating_min is None else columns.rating >= rating_min,
        None if rating_max is None else columns.rating <= rating_max,
        _commented(has_comment),
    )
    return [each for each in conditions if each is not None]


def unproven_user() -> ColumnElement[bool]:
    """Whether the id of a conversation's user is only what a stranger said."""
    method = conversations.c.metadata["authorization_method"].as_string()
    return func.coalesce(method, "") == UNPROVEN


def _proven(user_proven: bool) -> ColumnElement[bool]:
    return not_(unproven_user()) if user_proven else unproven_user()


def _commented(has_comment: bool | None) -> ColumnElement[bool] | None:
    if has_comment is None:
        return None
    column = conversations.c.has_comment
    return column.is_(True) if has_comment else column.is_not(True)


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


def variables_of(engine: Engine, conversation_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """The dynamic variables that conversations were started with, as they were given."""
    columns = (conversations.c.conversation_id, conversations.c.given)
    found: dict[str, dict[str, Any]] = {}
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for ids in batches(conversation_ids):
            query = select(*columns).where(conversations.c.conversation_id.in_(ids))
            for row in connection.execute(query):
                given: dict[str, Any] = row.given or {}
                found[row.conversation_id] = given.get("variables") or {}
    return found


def spoken_among(engine: Engine, conversation_ids: Sequence[str]) -> set[str]:
    """Those of these conversations in which something was spoken, not written."""
    # Turns that were written have a JSON null there.
    is_spoken = cast(turns.c.sound, Text) != "null"
    found: set[str] = set()
    with engine.connect().execution_options(**READ_ONLY) as connection:
        for ids in batches(conversation_ids):
            of_these = turns.c.conversation_id.in_(ids)
            query = select(turns.c.conversation_id).where(of_these, is_spoken).distinct()
            found.update(connection.execute(query).scalars())
    return found


def _add_calls(found: dict[str, list[ToolCall]], rows: Iterable[Any]) -> None:
    for row in rows:
        calls = [ToolCall.model_validate(call) for call in row.tool_calls]
        if calls:
            found.setdefault(row.conversation_id, []).extend(calls)


def read_retrievals(
    connection: Connection, conversation_ids: Sequence[str]
) -> dict[str, list[Retrieval]]:
    """What was retrieved in each conversation, in order of turns and rank."""
    found: dict[str, list[Retrieval]] = {}
    for ids in batches(conversation_ids):
        rows = connection.execute(
            select(retrievals)
            .where(retrievals.c.conversation_id.in_(ids))
            .order_by(retrievals.c.retrieval_id)
        )
        for row in rows:
            found.setdefault(row.conversation_id, []).append(retrieval_from_row(row))
    return found


def read_events(
    connection: Connection, conversation_id: str, *, kind: str | None
) -> list[ConversationEvent]:
    """Everything that happened in the conversation, or all of one kind, in order."""
    events = conversation_events.c
    query = select(conversation_events).where(events.conversation_id == conversation_id)
    if kind is not None:
        query = query.where(events.kind == kind)
    rows = connection.execute(query.order_by(events.event_id))
    return [_event(row) for row in rows]


def read_events_of(
    connection: Connection, conversation_ids: Sequence[str], *, kind: str
) -> dict[str, list[ConversationEvent]]:
    """All events of one kind in each of these conversations, in order; without those of none."""
    found: dict[str, list[ConversationEvent]] = {}
    events = conversation_events.c
    for ids in batches(conversation_ids):
        chosen = events.conversation_id.in_(ids), events.kind == kind
        query = select(conversation_events).where(*chosen).order_by(events.event_id)
        for row in connection.execute(query):
            found.setdefault(row.conversation_id, []).append(_event(row))
    return found


def _event(row: Row[Any]) -> ConversationEvent:
    return ConversationEvent(row.kind, row.payload, row.turn_id, row.occurred_at)


def summaries_that_meet(conditions: Sequence[ColumnElement[bool]]) -> Select[Any]:
    """Conversations that meet every condition, with their number of turns, in no order."""
    count = (
        select(func.count())
        .where(turns.c.conversation_id == conversations.c.conversation_id)
        .scalar_subquery()
    )
    return select(conversations, count.label("turn_count")).where(*conditions)


def summary_from_row(row: Row[Any]) -> ConversationSummary:
    """A conversation of a list, from a row of `summaries_that_meet`."""
    fields = ConversationSummary.__dataclass_fields__
    return ConversationSummary(**{name: getattr(row, name) for name in fields})
