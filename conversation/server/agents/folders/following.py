"""What is moved in folders, and the agents that follow."""

import logging
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime

from conversation.agent.config import KnowledgeBaseSection
from conversation.server.agents.changed_agent import WithDocuments
from conversation.server.agents.files import AgentRecord, AgentRecords
from conversation.server.agents.folders.begun_moves import BegunMove, BegunMoves, as_before
from conversation.server.agents.folders.named_folders import followed, sent_ids
from conversation.server.agents.named_documents import NamedDocument
from conversation.server.errors import ApiError
from conversation.server.library.folders import Folders, FolderTree
from conversation.server.library.library import Library, LibraryDocument

_log = logging.getLogger(__name__)


class FolderFollowing:
    """Agents that name folders answer from what lies in them now."""

    def __init__(
        self,
        records: AgentRecords,
        library: Library,
        folders: Folders,
        begun: BegunMoves,
        *,
        documents_of: Callable[[AgentRecord, Sequence[LibraryDocument]], list[NamedDocument]],
        with_documents: Callable[[Sequence[NamedDocument]], WithDocuments],
        request_sync: Callable[[str], object],
        clock: Callable[[], datetime],
    ) -> None:
        """Join the parts.

        Args:
            records: The agents.
            library: Of the documents.
            folders: Of the library.
            begun: Notes of moves.
            documents_of: What an agent's file names.
            with_documents: Puts documents into a section, of an agent that names these already.
            request_sync: Has the knowledge base of an agent follow its file.
            clock: The time.
        """
        self._records = records
        self._library = library
        self._folders = folders
        self._begun = begun
        self._documents_of = documents_of
        self._with_documents = with_documents
        self._request_sync = request_sync
        self._clock = clock

    def place(self, document_id: str, folder_id: str, *, by: str) -> None:
        """Put a document into a folder; agents that name the folder answer from it.

        Raises:
            ApiError: There is no such folder, or such an agent is full. The document stays out.
        """
        with self.moving([document_id], folder_id, by=by):
            self._folders.move(document_id, folder_id, now=self._clock())

    @contextmanager
    def moving(self, entity_ids: Sequence[str], to: str | None, *, by: str) -> Generator[None]:
        """Agents that name folders follow what is moved inside, from where it is to `to`.

        Raises:
            ApiError: One of them would answer from more than it may; everything lies as before.
        """
        self.finish_left()
        before = self._folders.tree()
        with ExitStack() as noted:
            if self.agents_with(before.folders):
                now = self._clock()
                noted.enter_context(self._begun.noted(before, entity_ids, to, by=by, now=now))
            refused: ApiError | None = None
            changes: list[tuple[str, KnowledgeBaseSection]] = []
            try:
                yield
                changes = self._changes(before, self._folders.tree())
            except ApiError as error:
                self._folders.put_back(before, now=self._clock())
                refused = error
            for agent_id, section in changes:
                self._answer_from(agent_id, section, by=by)
        if refused is not None:
            raise refused

    def finish_left(self) -> None:
        """Have agents follow what servers moved that were killed before their agents did.

        A move that an agent has no room for is taken back: nobody was told that it was done.
        """
        moves = self._begun.left(now=self._clock())
        if not moves:
            return
        present = self._folders.tree()
        before = as_before(present, moves)
        by = moves[-1].by
        try:
            changes = self._changes(before, present)
        except ApiError as error:
            _log.warning("a move of documents that was broken off is taken back: %s", error.status)
            self._take_back(moves, present)
            # Of the agents, some may have followed already.
            changes = self._changes(present, self._folders.tree())
        try:
            for agent_id, section in changes:
                self._answer_from(agent_id, section, by=by)
        except ApiError as error:  # such as an agent that another machine changes just now
            _log.warning("agents did not follow a move that was broken off: %s", error.status)
            return
        # Their server may have been killed between an agent's file and its knowledge base.
        for each in self.agents_with(present.folders):
            self._request_sync(each.agent.agent_id)
        for move in moves:
            self._begun.end(move.move_id)

    def _take_back(self, moves: Sequence[BegunMove], present: FolderTree) -> None:
        for move in reversed(moves):
            for entity_id, parent in move.parents.items():
                is_there = present.parent_of(entity_id) == move.to
                if is_there and (parent is None or parent in present.folders):
                    self._folders.move(entity_id, parent, now=self._clock())

    def agents_with(self, folder_ids: Collection[str]) -> list[AgentRecord]:
        """The agents that name one of these folders."""
        return [
            each
            for each in self._records.all()
            if any(named in folder_ids for named in sent_ids(each.sent))
        ]

    def _answer_from(self, agent_id: str, section: KnowledgeBaseSection, *, by: str) -> None:
        def apply(record: AgentRecord) -> AgentRecord:
            agent = record.agent.model_copy(update={"knowledge_base": section})
            return replace(record, agent=agent)

        self._records.change(agent_id, apply, now=self._clock(), by=by)
        self._request_sync(agent_id)

    def _changes(
        self, before: FolderTree, after: FolderTree
    ) -> list[tuple[str, KnowledgeBaseSection]]:
        """By agent, what it shall answer from, where other documents lie in its folders now."""
        changes: list[tuple[str, KnowledgeBaseSection]] = []
        named = self.agents_with({*before.folders, *after.folders})
        library = self._library.documents() if named else []
        for record in named:
            present = self._documents_of(record, library)
            ids = [each.document_id for each in present]
            known = {*ids, *(each.document_id for each in library)}
            wanted = followed(ids, sent_ids(record.sent), before=before, after=after, known=known)
            if wanted != ids:
                section = self._with_room(record, present, wanted)
                changes.append((record.agent.agent_id, section))
        return changes

    def _with_room(
        self, record: AgentRecord, present: Sequence[NamedDocument], wanted: Sequence[str]
    ) -> KnowledgeBaseSection:
        try:
            return self._with_documents(present)(record.agent.knowledge_base, wanted)
        except ApiError as error:
            said = f"{record.agent.agent_id!r} answers from this folder. {error.message}"
            raise ApiError(error.status_code, error.status, said) from error
