"""What is moved in folders, and the agents that follow."""

from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime

from conversation.agent.config import KnowledgeBaseSection
from conversation.server.agents.changed_agent import WithDocuments
from conversation.server.agents.files import AgentRecord, AgentRecords
from conversation.server.agents.folders.named_folders import followed, sent_ids
from conversation.server.agents.named_documents import NamedDocument
from conversation.server.errors import ApiError
from conversation.server.library.folders import Folders, FolderTree
from conversation.server.library.library import Library, LibraryDocument


class FolderFollowing:
    """Agents that name folders answer from what lies in them now."""

    def __init__(
        self,
        records: AgentRecords,
        library: Library,
        folders: Folders,
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
            documents_of: What an agent's file names.
            with_documents: Puts documents into a section, of an agent that names these already.
            request_sync: Has the knowledge base of an agent follow its file.
            clock: The time.
        """
        self._records = records
        self._library = library
        self._folders = folders
        self._documents_of = documents_of
        self._with_documents = with_documents
        self._request_sync = request_sync
        self._clock = clock

    def place(self, document_id: str, folder_id: str, *, by: str) -> None:
        """Put a document into a folder; agents that name the folder answer from it.

        Raises:
            ApiError: There is no such folder, or such an agent is full. The document stays out.
        """
        with self.moving(by=by):
            self._folders.move(document_id, folder_id, now=self._clock())

    @contextmanager
    def moving(self, *, by: str) -> Generator[None]:
        """Agents that name folders follow what is moved inside.

        Raises:
            ApiError: One of them would answer from more than it may; everything lies as before.
        """
        before = self._folders.tree()
        try:
            yield
            changes = self._changes(before, self._folders.tree())
        except ApiError:
            self._folders.put_back(before, now=self._clock())
            raise
        for agent_id, section in changes:
            self._answer_from(agent_id, section, by=by)

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
