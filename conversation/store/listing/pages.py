"""Lists of conversations, a page at a time."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, func, literal, select, tuple_
from sqlalchemy.engine import Connection, Engine, Row

from conversation.errors import StoreError
from conversation.store.database import UTCDateTime, batches
from conversation.store.listing.words import WALKED, said_anywhere
from conversation.store.reading import (
    ConversationSummary,
    summaries_that_meet,
    summary_from_row,
)
from conversation.store.tables import conversations


@dataclass(frozen=True, slots=True)
class ConversationPage:
    """Some conversations of a list, newest first."""

    conversations: tuple[ConversationSummary, ...]
    next_cursor: str | None
    """Where the list goes on; None at its end. It stays true while others begin and end."""
    is_cut: bool = False
    """Words were looked for in so many conversations as one page takes: it may hold fewer than
    asked for, and the list goes on where it stopped."""


def read_page(
    connection: Connection,
    conditions: Sequence[ColumnElement[bool]],
    *,
    limit: int,
    cursor: str | None,
    oldest_first: bool = False,
    words: str | None = None,
) -> ConversationPage:
    """The next `limit` conversations that meet every condition, newest first unless said else.

    Those that say `words` may be fewer although the list goes on: see `ConversationPage`.

    Raises:
        StoreError: The cursor is none that an earlier page gave.
    """
    key = tuple_(conversations.c.listed_at, conversations.c.conversation_id)
    met = list(conditions)
    if cursor is not None:
        place = tuple_(*_position(cursor))
        met.append(key > place if oldest_first else key < place)
    columns = (conversations.c.listed_at, conversations.c.conversation_id)
    order = columns if oldest_first else tuple(each.desc() for each in columns)
    end: Any = None
    if words:
        said = said_anywhere(connection, words)
        if said.is_walk:
            ahead = select(*columns).where(*met).order_by(*order).offset(WALKED - 1).limit(1)
            end = connection.execute(ahead).first()
        if end is not None:
            last = tuple_(*_place(end.listed_at, end.conversation_id))
            met.append(key <= last if oldest_first else key >= last)
        met.append(said.condition)
    rows = connection.execute(summaries_that_meet(met).order_by(*order).limit(limit + 1)).all()
    shown = rows[:limit]
    following = shown[-1] if len(rows) > limit else end
    return ConversationPage(
        tuple(summary_from_row(row) for row in shown),
        None if following is None else cursor_after(following),
        is_cut=following is not None and following is end,
    )


def cursor_after(row: ConversationSummary | Row[Any]) -> str:
    """Where a list goes on after this conversation."""
    position = f"{row.listed_at.isoformat()} {row.conversation_id}"
    return base64.urlsafe_b64encode(position.encode()).decode()


def _position(cursor: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    try:
        moment, _, conversation_id = base64.urlsafe_b64decode(cursor).decode().partition(" ")
        listed_at = datetime.fromisoformat(moment).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise StoreError(
            f"{cursor!r} is no cursor of a list of conversations. Take `next_cursor` of the page "
            "before, or leave it out for the first page."
        ) from error
    return _place(listed_at, conversation_id)


def _place(
    listed_at: datetime, conversation_id: str
) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    return literal(listed_at, UTCDateTime()), literal(conversation_id)


def last_starts(engine: Engine, agent_ids: Sequence[str]) -> dict[str, datetime]:
    """When the last conversation of each of these agents began; those without one are left out."""
    began = func.max(conversations.c.started_at, type_=UTCDateTime)
    found: dict[str, datetime] = {}
    with engine.connect() as connection:
        for ids in batches(agent_ids):
            of_agents = conversations.c.agent_id.in_(ids)
            statement = (
                select(conversations.c.agent_id, began)
                .where(of_agents, conversations.c.started_at.is_not(None))
                .group_by(conversations.c.agent_id)
            )
            found.update((row[0], row[1]) for row in connection.execute(statement))
    return found
