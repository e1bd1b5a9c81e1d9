"""Conversations that are kept, for those who only read them."""

import logging
from collections.abc import Collection, Generator, Sequence
from contextlib import contextmanager
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import Engine, func, select
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError

from conversation.errors import StoreUnavailableError
from conversation.store.database import READ_ONLY
from conversation.store.listing.pages import ConversationPage, read_page
from conversation.store.listing.words import is_damaged_index, make_index_anew
from conversation.store.reading import (
    ConversationEvent,
    ConversationSummary,
    WholeConversation,
    chosen,
    read_agent_ids,
    read_events,
    read_events_of,
    read_retrievals,
    read_summaries,
    read_summaries_of,
    read_transcript,
    read_transcripts,
    read_whole,
)
from conversation.store.tables import conversations
from conversation.transcript import ConversationStatus, Retrieval, Transcript

_log = logging.getLogger(__name__)


class KeptConversations:
    """What the store holds of conversations. Safe to share between threads."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def seen_as(self, agent_id: str) -> str:
        """How conversations of an agent are read here: another text means other words."""
        return "said"

    def shows(self, agent_id: str, text: str) -> bool:
        """Whether conversations of an agent are read with `text`, standing alone, as it is."""
        return True

    def transcript(self, conversation_id: str) -> Transcript:
        """The conversation with all its turns.

        Raises:
            UnknownConversationError: There is no such conversation.
        """
        with self._reading() as connection:
            return read_transcript(connection, conversation_id)

    def transcripts(
        self, conversation_ids: Sequence[str]
    ) -> dict[str, Transcript | ValidationError]:
        """Those of these conversations that the store holds; one that cannot be read is an error.

        Read together: what it costs in statements does not follow their number.
        """
        with self._reading() as connection:
            return read_transcripts(connection, conversation_ids)

    def that_say(self, words: str, conversation_ids: Sequence[str]) -> set[str]:
        """Those of these conversations with a turn that says `words`, in whatever case.

        Of one that is masked, as it may be read: a search must not tell the rest.
        """
        wanted = words.casefold()
        return {
            key
            for key, each in self.transcripts(conversation_ids).items()
            if isinstance(each, Transcript)
            and any(wanted in turn.text.casefold() for turn in each.turns)
        }

    def whole(self, conversation_id: str, *, kind: str) -> WholeConversation:
        """The conversation with what was retrieved in it and its events of one kind, at once.

        Raises:
            UnknownConversationError: There is no such conversation.
        """
        with self._reading() as connection:
            return read_whole(connection, conversation_id, kind=kind)

    def conversations(
        self,
        *,
        agent_id: str | None = None,
        status: ConversationStatus | None = None,
        ended_from: datetime | None = None,
        ended_to: datetime | None = None,
        closed_from: datetime | None = None,
        simulated: bool | None = None,
    ) -> list[ConversationSummary]:
        """Conversations in the order of their start, narrowed by what is given.

        Args:
            agent_id: Of this agent only.
            status: In this state only.
            ended_from: Ended at this time or later.
            ended_to: Ended before this time.
            closed_from: Closed in this store at this time or later: a cursor that misses neither
                imports nor conversations that a crash ended.
            simulated: Only simulated ones, or only real ones.
        """
        conditions = chosen(
            agent_id=agent_id,
            status=status,
            ended_from=ended_from,
            ended_to=ended_to,
            closed_from=closed_from,
            simulated=simulated,
        )
        with self._reading() as connection:
            return read_summaries(connection, conditions)

    def agent_ids(self) -> list[str]:
        """Agents that have a conversation, by name."""
        with self._reading() as connection:
            return read_agent_ids(connection)

    def count(self) -> int:
        """How many conversations there are, ended or not."""
        with self._reading() as connection:
            return connection.execute(select(func.count()).select_from(conversations)).scalar_one()

    def summaries(self, conversation_ids: Sequence[str]) -> list[ConversationSummary]:
        """Those of these conversations that the store holds, in the order of their start."""
        with self._reading() as connection:
            return read_summaries_of(connection, conversation_ids)

    def page(
        self,
        *,
        agent_id: str | None = None,
        status: ConversationStatus | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        text: str | None = None,
        simulated: bool | None = None,
        user_id: str | None = None,
        user_proven: bool | None = None,
        conversation_id: str | None = None,
        agent_ids: Collection[str] | None = None,
        rating_min: int | None = None,
        rating_max: int | None = None,
        has_comment: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
        oldest_first: bool = False,
    ) -> ConversationPage:
        """Some conversations, narrowed by what is given.

        Args:
            agent_id: Of this agent only.
            status: In this state only.
            since: Started at this time or later.
            until: Started before this time.
            text: With a turn that contains this, in whatever case. Words that are everywhere are
                looked for in 10,000 conversations a page, which then says `is_cut`.
            simulated: Only simulated ones, or only real ones.
            user_id: With this `user_id` in its metadata; ids of over 255 characters may be others.
            user_proven: Only those whose user's id comes from who answers for it, or only those
                whose id is what a stranger said.
            conversation_id: Only this one, if it meets the rest.
            agent_ids: Of these agents only.
            rating_min: Rated with so many stars or more, by the last rating.
            rating_max: Rated with so many stars or fewer.
            has_comment: Only those that a user commented on, or only the others.
            limit: At most so many, at least 1.
            cursor: `next_cursor` of the page before; None for the first page. Conversations that
                began since then neither move nor repeat what follows.
            oldest_first: Else newest first; a cursor belongs to one of the two.

        Raises:
            StoreError: The cursor is none that a page gave.
        """
        conditions = chosen(
            agent_id=agent_id,
            status=status,
            since=since,
            until=until,
            simulated=simulated,
            user_id=user_id,
            user_proven=user_proven,
            conversation_id=conversation_id,
            agent_ids=agent_ids,
            rating_min=rating_min,
            rating_max=rating_max,
            has_comment=has_comment,
        )
        with self._reading() as connection:
            return read_page(
                connection,
                conditions,
                limit=max(1, limit),
                cursor=cursor,
                oldest_first=oldest_first,
                words=text,
            )

    def retrievals(self, conversation_id: str) -> list[Retrieval]:
        """What was retrieved in the conversation, in order of turns and rank."""
        return self.retrievals_of([conversation_id]).get(conversation_id, [])

    def retrievals_of(self, conversation_ids: Sequence[str]) -> dict[str, list[Retrieval]]:
        """What was retrieved in each of these conversations; without those that searched none."""
        with self._reading() as connection:
            return read_retrievals(connection, conversation_ids)

    def events(self, conversation_id: str, *, kind: str | None = None) -> list[ConversationEvent]:
        """Everything that happened in the conversation, or all of one kind, in order."""
        with self._reading() as connection:
            return read_events(connection, conversation_id, kind=kind)

    def events_of(
        self, conversation_ids: Sequence[str], *, kind: str
    ) -> dict[str, list[ConversationEvent]]:
        """All events of one kind in each of these conversations; without those that have none."""
        with self._reading() as connection:
            return read_events_of(connection, conversation_ids, kind=kind)

    @contextmanager
    def _reading(self) -> Generator[Connection]:
        try:
            with self.engine.connect().execution_options(**READ_ONLY) as connection:
                yield connection
        except DatabaseError as error:
            if is_damaged_index(error):
                raise mended(self.engine) from error
            raise


def mended(engine: Engine) -> StoreUnavailableError:
    """Make the index of words anew, and say so: what was asked for has to be asked again."""
    _log.warning("the index of words in %s is damaged and is made anew", engine.url)
    make_index_anew(engine)
    return StoreUnavailableError(
        f"The index of words in {engine.url.render_as_string()!r} was damaged. It was made anew "
        "from what was said: try again."
    )
