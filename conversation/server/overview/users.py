"""Who talked, and how many talk at this moment."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel
from sqlalchemy import Row, and_, case, func, select

from conversation.server.access.admission import require
from conversation.server.context import Context, ServerContext
from conversation.server.conversations.known_users import (
    masking_agents,
    pseudonym,
    unproven_pseudonym,
)
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize, page_of
from conversation.store.database import READ_ONLY
from conversation.store.reading import chosen, unproven_user
from conversation.store.tables import conversations

router = APIRouter(prefix="/v1/convai", tags=["conversations"])

CanRead = Annotated[ApiKey, Depends(require("read"))]
UnixSeconds = Annotated[int | None, Query(ge=0, le=253_402_300_798, description="Unix time, s.")]


class LiveCount(BaseModel):
    """Conversations that are held."""

    count: int


class Sentiment(BaseModel):
    """Nothing is measured here; a criterion of the agent can ask for it."""

    scored_conversation_count: int = 0
    positive_count: int = 0
    neutral_count: int = 0
    negative_count: int = 0
    average_sentiment_score: float | None = None
    average_frustration_score: float | None = None
    recent_scored_conversation_count: int = 0
    recent_positive_count: int = 0
    recent_neutral_count: int = 0
    recent_negative_count: int = 0


class ConversationUser(BaseModel):
    """A user, by the id that clients gave."""

    user_id: str
    """At most its first 255 characters. A pseudonym where the agent masks personal data: what
    lists and searches take as `user_id` too. There, whoever came without a key or a signed URL is
    a user of that one conversation."""
    last_contact_unix_secs: int
    first_contact_unix_secs: int
    conversation_count: int
    last_contact_agent_id: str | None = None
    last_contact_agent_name: str | None = None
    last_contact_conversation_id: str
    sentiment: Sentiment = Sentiment()


class UserPage(BaseModel):
    """One page of users."""

    users: list[ConversationUser]
    next_cursor: str | None = None
    has_more: bool


@router.get("/analytics/live-count", operation_id="get_live_count")
def get_live_count(
    context: Context, _key: CanRead, agent_id: Annotated[str | None, Query(max_length=128)] = None
) -> LiveCount:
    """How many conversations this server holds at this moment, with one agent or with all."""
    return LiveCount(count=context.gate.held_with(agent_id))


@router.get("/users", operation_id="list_conversation_users")
def list_users(
    context: Context,
    _key: CanRead,
    agent_id: Annotated[str | None, Query(max_length=128)] = None,
    call_start_after_unix: UnixSeconds = None,
    call_start_before_unix: UnixSeconds = None,
    search: Annotated[str | None, Query(max_length=200, description="Part of the id.")] = None,
    sort_by: Literal["last_contact_unix_secs", "conversation_count"] = "last_contact_unix_secs",
    sort_direction: Literal["asc", "desc"] = "desc",
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> UserPage:
    """Everybody who talked under an id; simulated conversations do not count."""
    masking = masking_agents(context, context.calls.readable())
    rows = _counted(context, masking, agent_id, call_start_after_unix, call_start_before_unix)
    found = _users(context, masking, rows)
    if search:
        # Of what is shown: a part of an id that is masked would find it letter by letter.
        found = [each for each in found if search.casefold() in each.shown_id.casefold()]
    page = page_of(
        found,
        sort_key=lambda user: (
            float(user.count) if sort_by == "conversation_count" else user.last.timestamp(),
            user.shown_id,
        ),
        page_size=page_size,
        cursor=cursor,
        descending=sort_direction == "desc",
    )
    names = {agent.agent_id: agent.name for agent in context.agents.agents()}
    return UserPage(
        users=[_shown(context, each, names) for each in page.items],
        next_cursor=page.next_cursor,
        has_more=page.has_more,
    )


@dataclass(frozen=True, slots=True)
class _User:
    """What is counted under one id that may be read."""

    shown_id: str
    user_id: str
    user_proven: bool | None
    conversation_id: str | None
    """Set where the user is known by it alone."""
    agent_ids: frozenset[str]
    count: int
    first: datetime
    last: datetime


def _counted(
    context: ServerContext,
    masking: Collection[str],
    agent_id: str | None,
    since_s: int | None,
    until_s: int | None,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """Users of each agent; `own` is the conversation of one who proved nothing where it matters."""
    columns = conversations.c
    alone = and_(columns.agent_id.in_(masking), unproven_user())
    conditions = chosen(
        agent_id=agent_id,
        simulated=False,
        since=None if since_s is None else datetime.fromtimestamp(since_s, UTC),
        until=None if until_s is None else datetime.fromtimestamp(until_s + 1, UTC),
    )
    talks = (
        select(
            columns.user_id,
            columns.agent_id,
            columns.listed_at,
            case((alone, columns.conversation_id), else_=None).label("own"),
        )
        .where(columns.user_id.is_not(None), columns.user_id != "", *conditions)
        .subquery()
    )
    listed_at = talks.c.listed_at
    query = select(
        talks.c.user_id,
        talks.c.agent_id,
        talks.c.own,
        func.count().label("conversation_count"),
        func.min(listed_at, type_=columns.listed_at.type).label("first"),
        func.max(listed_at, type_=columns.listed_at.type).label("last"),
    ).group_by(talks.c.user_id, talks.c.agent_id, talks.c.own)
    with context.store.engine.connect().execution_options(**READ_ONLY) as connection:
        return connection.execute(query).all()


def _users(
    context: ServerContext, masking: Collection[str], rows: Sequence[Row[*tuple[Any, ...]]]
) -> list[_User]:
    """Users by the id that may be read; the same person at agents that mask and others is two."""
    together: dict[tuple[str, bool, str | None], list[Row[*tuple[Any, ...]]]] = {}
    for row in rows:
        key = (row.user_id, row.agent_id in masking, row.own)
        together.setdefault(key, []).append(row)
    return [
        _User(
            shown_id=_shown_id(context, user_id, masked=masked, own=own),
            user_id=user_id,
            user_proven=own is None if masked else None,
            conversation_id=own,
            agent_ids=frozenset(row.agent_id for row in same),
            count=sum(row.conversation_count for row in same),
            first=min(row.first for row in same),
            last=max(row.last for row in same),
        )
        for (user_id, masked, own), same in together.items()
    ]


def _shown_id(context: ServerContext, user_id: str, *, masked: bool, own: str | None) -> str:
    if own is not None:
        return unproven_pseudonym(own)
    return pseudonym(user_id, secret=context.secret) if masked else user_id


def _shown(context: ServerContext, user: _User, names: Mapping[str, str]) -> ConversationUser:
    (last,) = context.store.page(
        user_id=user.user_id,
        user_proven=user.user_proven,
        conversation_id=user.conversation_id,
        agent_ids=user.agent_ids,
        simulated=False,
        limit=1,
    ).conversations
    return ConversationUser(
        user_id=user.shown_id,
        last_contact_unix_secs=int(user.last.timestamp()),
        first_contact_unix_secs=int(user.first.timestamp()),
        conversation_count=user.count,
        last_contact_agent_id=last.agent_id,
        last_contact_agent_name=names.get(last.agent_id),
        last_contact_conversation_id=last.conversation_id,
    )
