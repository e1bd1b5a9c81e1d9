"""The durable store of conversations, on SQLite or PostgreSQL.

A turn is one transaction: its event, its row, what was retrieved for it and what it cost. A
process that is killed loses the turn being spoken and nothing else.
"""

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Self

from sqlalchemy import insert, update
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DatabaseError, IntegrityError, OperationalError

from conversation.errors import StoreError, StoreUnavailableError
from conversation.store import tables
from conversation.store.agent_versions import AgentVersions
from conversation.store.database import open_database
from conversation.store.kept import KeptConversations, mended
from conversation.store.listing.pages import ConversationPage
from conversation.store.listing.words import is_damaged_index
from conversation.store.ownership import this_process
from conversation.store.reading import ConversationEvent, ConversationSummary
from conversation.store.rows import feedback_columns, retrieval_row, user_column
from conversation.store.tables import (
    conversations,
    retrievals,
)
from conversation.store.writing import (
    add_event,
    add_imported,
    add_turn,
    amend_turn,
    close_abandoned,
    close_conversation,
    delete_conversation,
    note_changed,
    reopen,
    revise_turn,
    status_of,
    touch,
)
from conversation.transcript import ConversationStatus, Retrieval, Transcript, Turn
from kb.closing import ClosedAtTheEnd

__all__ = [
    "ConversationEvent",
    "ConversationPage",
    "ConversationStore",
    "ConversationSummary",
]
DEFAULT_STORE_URL = "sqlite:///data/store/conversations.sqlite"
ABANDONED_AFTER = timedelta(hours=24)
"""So long after its last event an open conversation has ended; tomorrow is soon enough."""


class ConversationStore(KeptConversations, ClosedAtTheEnd):
    """Conversations, kept. Safe to share between threads; any number of processes may have one."""

    @classmethod
    def open(cls, url: str = DEFAULT_STORE_URL) -> Self:
        """Open the store at the SQLAlchemy URL `url`, creating or migrating it first.

        Raises:
            StoreError: The URL cannot be used, or a newer version wrote the store.
        """
        return cls(open_database(url, tables.SCHEMA))

    @cached_property
    def agent_versions(self) -> AgentVersions:
        """What the agents were that conversations name."""
        return AgentVersions(self.engine)

    def close(self) -> None:
        """Give back every connection."""
        self.engine.dispose()

    def begin(
        self,
        conversation_id: str,
        *,
        agent_id: str,
        started_at: datetime,
        agent_version: str | None = None,
        simulated: bool = False,
        metadata: Mapping[str, str] | None = None,
        given: Mapping[str, Any] | None = None,
        turn: Turn | None = None,
    ) -> None:
        """Start a conversation, with its first turn when the agent speaks first.

        Raises:
            StoreError: The conversation exists already.
        """
        row = {
            "conversation_id": conversation_id,
            "agent_id": agent_id,
            "agent_version": agent_version,
            "status": "in_progress",
            **dict.fromkeys(("started_at", "listed_at", "last_event_at"), started_at),
            "source": "session",
            "simulated": simulated,
            "metadata": dict(metadata or {}),
            "user_id": user_column(metadata or {}),
            "given": given,
            "owner": this_process(),
        }
        payload = {"agent_id": agent_id, "agent_version": agent_version}
        try:
            with self._writing() as connection:
                connection.execute(insert(conversations).values(row))
                add_event(connection, conversation_id, "conversation_started", started_at, payload)
                if turn is not None:
                    add_turn(connection, conversation_id, turn, index=0, at=started_at)
        except IntegrityError as error:
            raise StoreError(
                f"The conversation {conversation_id!r} exists already. Give new conversations ids "
                "that were never used."
            ) from error

    def append_turn(
        self,
        conversation_id: str,
        turn: Turn,
        *,
        at: datetime,
        retrieved: Sequence[Retrieval] = (),
        events: Sequence[ConversationEvent] = (),
    ) -> str:
        """Keep a finished turn with everything that belongs to it, and return its id.

        A conversation that was taken for crashed is open again: its process proved alive.

        Raises:
            UnknownConversationError: There is no such conversation.
            SessionEndedError: The conversation is over.
        """
        with self._writing() as connection:
            index = reopen(connection, conversation_id, at)
            for event in events:
                add_event(
                    connection,
                    conversation_id,
                    event.kind,
                    event.occurred_at or at,
                    event.payload,
                    turn_id=event.turn_id,
                )
            if retrieved:
                connection.execute(
                    insert(retrievals), [retrieval_row(conversation_id, item) for item in retrieved]
                )
            turn_id = add_turn(connection, conversation_id, turn, index=index, at=at)
            touch(connection, conversation_id, at)
        return turn_id

    def revise_turn(self, conversation_id: str, turn: Turn, *, at: datetime) -> None:
        """Replace what a stored turn says was heard, after the user interrupted its playback.

        Raises:
            StoreError: The turn was never stored.
        """
        with self._writing() as connection:
            revise_turn(connection, conversation_id, turn, at=at)

    def amend_turn(
        self,
        conversation_id: str,
        turn: Turn,
        *,
        at: datetime,
        discarded: Turn,
        is_stored: bool,
    ) -> None:
        """Replace the user's last turn: they went on before anything of the answer was heard.

        Args:
            conversation_id: Of the conversation.
            turn: The user's turn, with the id of the one whose place it takes.
            at: The time now, UTC.
            discarded: The answer that nobody heard: it is counted in an event, and goes.
            is_stored: Whether the store holds that answer as a turn.

        Raises:
            SessionEndedError: The conversation is over.
            StoreError: The turn was never stored.
        """
        with self._writing() as connection:
            reopen(connection, conversation_id, at)
            amend_turn(
                connection, conversation_id, turn, at=at, discarded=discarded, is_stored=is_stored
            )
            touch(connection, conversation_id, at)

    def add_event(
        self,
        conversation_id: str,
        kind: str,
        *,
        at: datetime,
        payload: Mapping[str, Any],
        turn_id: str | None = None,
    ) -> None:
        """Keep an event that is no turn, e.g. a contextual update."""
        with self._writing() as connection:
            add_event(connection, conversation_id, kind, at, payload, turn_id=turn_id)
            connection.execute(
                update(conversations)
                .where(conversations.c.conversation_id == conversation_id)
                .values(last_event_at=at, **feedback_columns(kind, payload, turn_id))
            )
            if kind == "feedback":
                note_changed(connection, conversation_id)

    def end(
        self,
        conversation_id: str,
        *,
        reason: str,
        at: datetime,
        status: ConversationStatus = "done",
    ) -> None:
        """Close a conversation. Closing a closed one changes nothing.

        Raises:
            UnknownConversationError: There is no such conversation.
        """
        with self._writing() as connection:
            if status_of(connection, conversation_id) == ("in_progress", None):
                close_conversation(
                    connection, conversation_id, reason=reason, at=at, now=at, status=status
                )

    def import_transcript(self, transcript: Transcript, *, now: datetime | None = None) -> bool:
        """Take in a finished conversation from elsewhere. Its id makes this idempotent.

        Turns get ids of this store. A conversation that has not ended is taken as ended.

        Returns:
            False when a conversation with this id is there already; nothing is changed then.
        """
        try:
            with self._writing() as connection:
                add_imported(connection, transcript, now=now or datetime.now(UTC))
        except IntegrityError:
            return False
        return True

    def close_abandoned(self, now: datetime, older_than: timedelta = ABANDONED_AFTER) -> list[str]:
        """Close conversations whose process is gone, keeping every finished turn of them.

        That is: its process ran on this machine and does not any more, or nothing has happened
        for longer than `older_than`. They end with `interrupted_by_crash` at their last event.
        Returns the ids of those that were closed.
        """
        with self._writing() as connection:
            return close_abandoned(connection, now, quiet_since=now - older_than)

    def delete(self, conversation_id: str) -> bool:
        """Remove every trace of the conversation from this store; False when there is none."""
        with self._writing() as connection:
            return delete_conversation(connection, conversation_id)

    @contextmanager
    def _writing(self) -> Generator[Connection]:
        try:
            with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise StoreUnavailableError(
                f"The conversation store {self.engine.url.render_as_string()!r} could not be "
                f"written: {error.orig}. Check free space, permissions and the server."
            ) from error
        except DatabaseError as error:
            if is_damaged_index(error):
                raise mended(self.engine) from error
            raise
