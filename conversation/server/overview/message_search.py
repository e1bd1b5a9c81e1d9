"""Which turns say some words."""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from conversation.errors import StoreError
from conversation.server.access.admission import require
from conversation.server.context import Context
from conversation.server.conversations.known_users import (
    of_user,
    shown_summaries,
    user_filter,
    wanted_user,
)
from conversation.server.conversations.search import MOST_LOOKED_AT
from conversation.server.errors import ApiError, not_supported
from conversation.server.keys.api_keys import ApiKey
from conversation.server.pagination import DEFAULT_PAGE_SIZE, Cursor, PageSize
from conversation.server.parameters import ANY_PARAMETER
from conversation.store.listing.pages import ConversationPage, cursor_after
from conversation.store.store import ConversationSummary
from conversation.transcript import Transcript, Turn

router = APIRouter(prefix="/v1/convai/conversations/messages", tags=["conversations"])

CanRead = Annotated[ApiKey, Depends(require("read"))]
UnixSeconds = Annotated[int | None, Query(ge=0, le=253_402_300_798, description="Unix time, s.")]


class HighlightPart(BaseModel):
    """A piece of a turn, and whether it is what was looked for."""

    value: str
    is_hit: bool


class FoundMessage(BaseModel):
    """A turn that says the words."""

    conversation_id: str
    agent_id: str
    agent_name: str | None = None
    transcript_index: int
    """Position of the turn, from 0."""
    chunk_text: str
    chunk_highlights: list[HighlightPart]
    score: float = 1.0
    """Every turn that says the words says them equally."""
    conversation_start_time_unix_secs: int


class FoundMessages(BaseModel):
    """One page of turns, those of the newest conversation first; it may hold more than asked."""

    results: list[FoundMessage]
    next_cursor: str | None = None
    has_more: bool


@router.get("/text-search", operation_id="search_messages_by_text")
def search_by_text(
    context: Context,
    _key: CanRead,
    text_query: Annotated[str, Query(min_length=1, max_length=200)],
    agent_id: Annotated[str | None, Query(max_length=128)] = None,
    user_id: Annotated[str | None, Query(max_length=200)] = None,
    call_start_after_unix: UnixSeconds = None,
    call_start_before_unix: UnixSeconds = None,
    page_size: PageSize = DEFAULT_PAGE_SIZE,
    cursor: Cursor = None,
) -> FoundMessages:
    """Turns that contain `text_query`, in whatever case, as they may be read."""
    until = None
    if call_start_before_unix is not None:
        # Both ends are meant to include their second.
        until = datetime.fromtimestamp(call_start_before_unix, UTC) + timedelta(seconds=1)
    since = None
    if call_start_after_unix is not None:
        since = datetime.fromtimestamp(call_start_after_unix, UTC)
    names = {agent.agent_id: agent.name for agent in context.agents.agents()}
    readable = context.calls.readable()
    user = None if user_id is None else wanted_user(context, readable, user_id)
    pages = partial(
        context.store.page,
        agent_id=agent_id,
        **user_filter(user),
        since=since,
        until=until,
        text=text_query,
        limit=page_size,
    )
    results: list[FoundMessage] = []
    last: ConversationSummary | None = None
    shown = looked_at = 0
    while True:
        page = _page(pages, cursor)
        rows = page.conversations
        shown_rows = shown_summaries(context, readable, rows) if user is not None else rows
        read = readable.transcripts([row.conversation_id for row in rows])
        for row, shown_row in zip(rows, shown_rows, strict=True):
            if user is not None and not of_user(user, row, shown_row):
                continue
            said = read.get(row.conversation_id)
            turns = said.turns if isinstance(said, Transcript) else ()
            found = list(_found(turns, row, text_query, names.get(row.agent_id)))
            if found and last is not None and shown == page_size:
                return _messages(results, cursor_after(last))
            if found:
                results += found
                last = row
                shown += 1
        looked_at += len(page.conversations)
        # Conversations that say it where it is masked are not told of, by a cursor neither.
        if page.next_cursor is None or page.is_cut or looked_at >= MOST_LOOKED_AT:
            return _messages(results, page.next_cursor)
        cursor = page.next_cursor


@router.get("/smart-search", include_in_schema=False, openapi_extra={ANY_PARAMETER: True})
def search_by_meaning(_key: CanRead) -> None:
    """Turns have no index of their meanings."""
    raise not_supported(
        "Messages are found by their words: use text-search. `GET /api/gaps` tells what users "
        "asked in vain, by meaning."
    )


def _page(pages: Callable[..., ConversationPage], cursor: str | None) -> ConversationPage:
    try:
        return pages(cursor=cursor)
    except StoreError as error:
        if cursor is None:
            raise
        raise ApiError(
            400, "invalid_cursor", "The cursor is not one that this server gave."
        ) from error


def _messages(results: list[FoundMessage], cursor: str | None) -> FoundMessages:
    return FoundMessages(results=results, next_cursor=cursor, has_more=cursor is not None)


def _found(
    turns: Sequence[Turn], row: ConversationSummary, words: str, name: str | None
) -> Iterator[FoundMessage]:
    for number, turn in enumerate(turns):
        parts = highlighted(turn.text, words)
        if len(parts) > 1 or (parts and parts[0].is_hit):
            yield _message(row, number, turn, parts, name)


def _message(
    row: ConversationSummary, number: int, turn: Turn, parts: list[HighlightPart], name: str | None
) -> FoundMessage:
    return FoundMessage(
        conversation_id=row.conversation_id,
        agent_id=row.agent_id,
        agent_name=name,
        transcript_index=number,
        chunk_text=turn.text,
        chunk_highlights=parts,
        conversation_start_time_unix_secs=int((row.started_at or row.listed_at).timestamp()),
    )


def highlighted(text: str, words: str) -> list[HighlightPart]:
    """`text` in pieces, those that say `words` in whatever case marked; joined they are `text`."""
    parts: list[HighlightPart] = []
    lower, wanted, position = text.lower(), words.lower(), 0
    if len(lower) != len(text):  # a letter with a longer lower case: positions would not fit
        lower, wanted = text, words
    while wanted and (found := lower.find(wanted, position)) >= 0:
        if found > position:
            parts.append(HighlightPart(value=text[position:found], is_hit=False))
        position = found + len(wanted)
        parts.append(HighlightPart(value=text[found:position], is_hit=True))
    if position < len(text):
        parts.append(HighlightPart(value=text[position:], is_hit=False))
    return parts
