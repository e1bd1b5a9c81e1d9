"""Under which id a user is known to those who read conversations as they may be read.

An agent that masks personal data masks the ids of its users too: an id is often an address or a
phone number. Its users are told apart by a pseudonym, which nobody can make from an id without
the server's secret. Whoever may talk without a key can say any id, and would find its pseudonym
so: a user who proved nothing is known by that one conversation alone.
"""

import hashlib
import hmac
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import TypedDict

from pydantic import ValidationError
from sqlalchemy import select

from conversation.server.context import ServerContext
from conversation.server.socket.initiation import RESERVED
from conversation.store.database import READ_ONLY
from conversation.store.reading import chosen
from conversation.store.store import ConversationStore, ConversationSummary
from conversation.store.tables import conversations
from conversation.transcript import Transcript

_PSEUDONYM = re.compile(rf"{RESERVED}[0-9a-f]{{32}}")
_OF_CONVERSATION = f"{RESERVED}of_"
_PURPOSE = b"the user of an agent that masks\0"
_COLUMN_CHARS = 255


def pseudonym(user_id: str, *, secret: bytes) -> str:
    """What stands for a user of agents that mask: the same for all of these agents."""
    named = user_id[:_COLUMN_CHARS].encode("utf-8", "surrogatepass")
    return f"{RESERVED}{hmac.new(secret, _PURPOSE + named, hashlib.sha256).hexdigest()[:32]}"


def unproven_pseudonym(conversation_id: str) -> str:
    """What stands for the user of one conversation of an agent that masks, who proved nothing."""
    return f"{_OF_CONVERSATION}{conversation_id}"


def masks(context: ServerContext, readable: ConversationStore, agent_id: str) -> bool:
    """Whether conversations of an agent are read otherwise than they were said."""
    return readable.seen_as(agent_id) != context.store.seen_as(agent_id)


@dataclass(frozen=True, slots=True)
class WantedUser:
    """A user who is asked for, and in whose conversations the store is to look."""

    asked: str
    user_id: str | None
    """As the store knows it; None where the conversation is known and the id does not matter."""
    agent_ids: frozenset[str]
    """Only these: looking into others would tell, by its time, what is masked there."""
    user_proven: bool | None = None
    """Of pseudonyms: whether it stands for an id that was proven."""
    conversation_id: str | None = None
    """The one that a pseudonym names."""


class UserFilter(TypedDict, total=False):
    """What narrows a page of the store to a user."""

    user_id: str | None
    user_proven: bool | None
    conversation_id: str | None
    agent_ids: frozenset[str]


def user_filter(wanted: WantedUser | None) -> UserFilter:
    """How the store is to look for a user; nothing for everybody."""
    if wanted is None:
        return {}
    return {
        "user_id": wanted.user_id,
        "user_proven": wanted.user_proven,
        "conversation_id": wanted.conversation_id,
        "agent_ids": wanted.agent_ids,
    }


def masking_agents(context: ServerContext, readable: ConversationStore) -> frozenset[str]:
    """Agents whose conversations are masked, those that are gone too."""
    return frozenset(each for each in _agents(context) if masks(context, readable, each))


def wanted_user(context: ServerContext, readable: ConversationStore, asked: str) -> WantedUser:
    """Whom `asked` means: an id as it was given, or the pseudonym of a user of masking agents."""
    if asked.startswith(_OF_CONVERSATION):
        key = asked.removeprefix(_OF_CONVERSATION)
        masking = masking_agents(context, readable)
        return WantedUser(asked, None, masking, user_proven=False, conversation_id=key)
    if _PSEUDONYM.fullmatch(asked):
        masking = masking_agents(context, readable)
        for user_id in _proven_ids(context, masking):
            if hmac.compare_digest(pseudonym(user_id, secret=context.secret), asked):
                return WantedUser(asked, user_id, masking, user_proven=True)
    shown_by = (each for each in _agents(context) if readable.shows(each, asked))
    return WantedUser(asked, asked, frozenset(shown_by))


def of_user(wanted: WantedUser, said: ConversationSummary, shown: ConversationSummary) -> bool:
    """Whether a conversation that the store found is of the user, as far as it may be told.

    An id may be masked in one conversation alone, by what was said around it there.
    """
    user_id = said.metadata.get("user_id", "")[:_COLUMN_CHARS]
    if wanted.conversation_id is not None:
        return bool(user_id)
    if wanted.user_proven:  # a pseudonym: known without its conversation being read
        return user_id == wanted.user_id
    return shown.metadata.get("user_id") == wanted.asked


def shown_summaries(
    context: ServerContext, readable: ConversationStore, rows: Sequence[ConversationSummary]
) -> list[ConversationSummary]:
    """Rows with what clients said of themselves masked as each agent says."""

    @cache
    def shows(agent_id: str, text: str) -> bool:
        return readable.shows(agent_id, text)

    masked = [
        row.conversation_id
        for row in rows
        if ("user_id" in row.metadata and masks(context, readable, row.agent_id))
        # An id may be masked by what was said around it; the name of a client only by itself.
        or not shows(row.agent_id, row.metadata.get("client", ""))
    ]
    found = readable.transcripts(masked) if masked else {}
    return [
        replace(row, metadata=_metadata(found[row.conversation_id]))
        if row.conversation_id in found
        else row
        for row in rows
    ]


def _metadata(found: Transcript | ValidationError) -> Mapping[str, str]:
    return found.metadata if isinstance(found, Transcript) else {}


def _agents(context: ServerContext) -> list[str]:
    """All agents that held a conversation, those that are gone too."""
    query = select(conversations.c.agent_id).distinct()
    with context.store.engine.connect().execution_options(**READ_ONLY) as connection:
        return list(connection.execute(query).scalars())


def _proven_ids(context: ServerContext, agent_ids: Collection[str]) -> list[str]:
    conditions = chosen(agent_ids=agent_ids, user_proven=True)
    column = conversations.c.user_id
    query = select(column).where(column.is_not(None), *conditions)
    with context.store.engine.connect().execution_options(**READ_ONLY) as connection:
        return list(connection.execute(query.distinct()).scalars())
