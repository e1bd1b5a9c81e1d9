"""What comes after a conversation: it is masked, judged, and some day deleted.

This package knows none of that; whoever composes the server gives it an `AfterCalls`.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from conversation.agent.config import AgentConfig
from conversation.errors import UnknownConversationError
from conversation.server.ended.bodies import CallAnalysis, CriterionResult
from conversation.server.errors import not_supported
from conversation.store.listing.compacting import compact
from conversation.store.store import ConversationStore
from conversation.transcript import Transcript
from conversation.voice.recording.kept_calls import KeptCalls
from conversation.voice.recording.silencing import SilentSpan

logger = logging.getLogger(__name__)


class AfterCalls(Protocol):
    """Reached from any thread."""

    def readable(self) -> ConversationStore:
        """Conversations as people may read them: masked where the agent says so."""
        ...

    def analyses(
        self, conversation_ids: Sequence[str], *, agent_ids: Mapping[str, str] | None = None
    ) -> Mapping[str, CallAnalysis]:
        """What was found in these conversations; those that were not judged are left out.

        `agent_ids` names the agent of each conversation, where the caller has read that already.
        """
        ...

    def about(self, topic_ids: Collection[str], conversation_ids: Collection[str]) -> set[str]:
        """Those of these conversations that were found to have one of these topics."""
        ...

    def wants_analysis(self, agent_id: str) -> bool:
        """Whether the agent has anything that its conversations are judged by."""
        ...

    def analyse(self, conversation_id: str, *, only: str | None = None) -> None:
        """Ask the judges what has no answer yet, of one criterion where `only` is its id.

        Takes as long as they take.
        """
        ...

    def judge(self, agent: AgentConfig, transcript: Transcript, condition: str) -> CriterionResult:
        """Ask the agent's judge one thing about a conversation, and keep nothing."""
        ...

    def silent_spans(self, conversation_id: str) -> Sequence[SilentSpan]:
        """What of its recording nobody may hear: where words were said that are masked."""
        ...

    def forget(self, conversation_id: str) -> None:
        """Delete an ended conversation with everything that was made from it."""
        ...


class StoreOnly:
    """A server without judges: conversations are shown as they were said."""

    def __init__(self, store: ConversationStore, recordings: KeptCalls | None = None) -> None:
        self._store = store
        self._recordings = recordings

    def readable(self) -> ConversationStore:
        """The store itself."""
        return self._store

    def analyses(
        self, conversation_ids: Sequence[str], *, agent_ids: Mapping[str, str] | None = None
    ) -> Mapping[str, CallAnalysis]:
        """None."""
        return {}

    def about(self, topic_ids: Collection[str], conversation_ids: Collection[str]) -> set[str]:
        """None: no topics are found."""
        return set()

    def wants_analysis(self, agent_id: str) -> bool:
        """No."""
        return False

    def analyse(self, conversation_id: str, *, only: str | None = None) -> None:
        """Refuse; there is no judge."""
        raise not_supported("This server was started without judges.")

    def judge(self, agent: AgentConfig, transcript: Transcript, condition: str) -> CriterionResult:
        """Refuse; there is no judge."""
        raise not_supported("This server was started without judges.")

    def silent_spans(self, conversation_id: str) -> Sequence[SilentSpan]:
        """None: nothing is masked."""
        return ()

    def forget(self, conversation_id: str) -> None:
        """Delete it from the store."""
        if self._recordings is not None:
            self._recordings.delete(conversation_id)
        if not self._store.delete(conversation_id):
            raise UnknownConversationError(f"There is no conversation {conversation_id!r}.")
        # What was deleted would stand in the file of the database, and in its log, until later.
        if (problem := compact(self._store.engine)) is not None:
            logger.warning("conversation %s was deleted, but %s", conversation_id, problem)
