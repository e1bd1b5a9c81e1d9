"""Agents and documents that are made and changed over the network: the parts, joined.

An agent's file is changed first; its knowledge base follows in the background.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from conversation.agent.agent_file import merge_keys
from conversation.agent.config import AgentConfig, KnowledgeBaseSection
from conversation.server.agents.bodies import AgentChanges, NewAgent
from conversation.server.agents.changed_agent import changed_agent
from conversation.server.agents.field_kinds.agents import require_kinds_of_agent
from conversation.server.agents.files import AgentRecord, AgentRecords, new_agent_id
from conversation.server.agents.folders.begun_moves import BegunMoves
from conversation.server.agents.folders.following import FolderFollowing
from conversation.server.agents.folders.named_folders import (
    sent_ids,
    shown_by_folders,
    with_folders,
)
from conversation.server.agents.kept_tools import FindTool, tool_ids_of, with_named_tools
from conversation.server.agents.named_documents import (
    NamedDocument,
    NamedFolder,
    named_documents,
    with_documents,
)
from conversation.server.agents.restoring import earlier, restored
from conversation.server.agents.shown_agent import (
    conversation_config,
    platform_settings,
    without_effect,
)
from conversation.server.keys.write_only import with_hidden
from conversation.server.library.crawl_jobs import CrawlJobs
from conversation.server.library.folders import Folders
from conversation.server.library.ingest_queue import IngestQueue
from conversation.server.library.ingestion import Ingestion
from conversation.server.library.library import IngestStatus, Library, LibraryDocument
from conversation.server.records import RecordStore
from kb.document import Document, SyncReport
from kb.knowledge_base import KnowledgeBase

UNNAMED = "New agent"
_COMPARED = {"name", "tags", "conversation_config", "platform_settings"}
DELETE_WAITS_S = 10.0
"""For a sync of the agent that is deleted."""


@dataclass(frozen=True, slots=True)
class KnowledgeBases:
    """What the deployment does with the knowledge bases of its agents. Called from threads."""

    open: Callable[[str], KnowledgeBase]
    """The one of an agent, opened once and shared."""
    sync: Callable[[str], SyncReport]
    """Brings one to what its agent's file names."""
    delete: Callable[[str], object]
    """Deletes one, while the agent's file is still there."""


class Authoring:
    """What the routes of agents and documents do."""

    def __init__(
        self,
        records: AgentRecords,
        library: Library,
        *,
        queue: IngestQueue,
        knowledge_bases: KnowledgeBases,
        folders: Folders,
        api_records: RecordStore,
        clock: Callable[[], datetime],
        find_tool: FindTool = lambda _tool_id: None,
    ) -> None:
        """Join the parts; nothing is read until `ingestion` is started."""
        self.records = records
        self.library = library
        self.queue = queue
        self._knowledge_bases = knowledge_bases
        self._find_tool = find_tool
        self.folders = folders
        self.clock = clock
        self.ingestion = Ingestion(
            queue,
            library,
            sync_agent=knowledge_bases.sync,
            agents_with=lambda document: [
                record.agent.agent_id for record in self.agents_with(document.document_id)
            ],
            clock=clock,
        )
        self.following = FolderFollowing(
            records,
            library,
            folders,
            BegunMoves(api_records),
            documents_of=self.documents_of,
            with_documents=self._with_documents,
            request_sync=self.request_sync,
            clock=clock,
        )
        self.crawls = CrawlJobs(
            api_records,
            library,
            folders,
            clock=clock,
            place=lambda document_id, folder_id: self.following.place(
                document_id, folder_id, by="crawl"
            ),
            wake=self.ingestion.wake,
        )

    def start(self) -> None:
        """Begin to read what waits, after what a killed server left half moved."""
        self.following.finish_left()
        self.ingestion.start()

    def stop(self) -> None:
        """End the work in the background, and close the library."""
        self.crawls.stop()
        self.ingestion.stop()
        self.library.close()

    def create(self, body: NewAgent, *, by: str) -> AgentRecord:
        """A new agent; raises `ApiError` when no agent can be like that."""
        blank = AgentConfig(agent_id=new_agent_id(), name=UNNAMED)
        require_kinds_of_agent(body.plain())
        with_hidden(body.plain(), None)  # nothing is kept that anything in it could stand for
        asked = with_named_tools(body.plain(), blank, named_before=(), find=self._find_tool)
        agent = changed_agent(blank, asked, with_documents=self._with_documents(()))
        record = self.records.create(
            agent, now=self.clock(), by=by, tags=body.tags or (), sent=body.kept()
        )
        self._follow(blank, record)
        return record

    def change(
        self, agent_id: str, body: AgentChanges, *, by: str, if_match: str | None = None
    ) -> AgentRecord:
        """Change what was sent; raises as `AgentRecords.change` and `changed_agent`."""
        require_kinds_of_agent(body.plain())
        before: list[AgentConfig] = []

        def apply(record: AgentRecord) -> AgentRecord:
            before.append(record.agent)
            present = self.documents_of(record)
            finder = self._with_documents(present)
            kept = with_hidden(body.plain(), self.shown(record))
            sent = type(body).model_validate(kept)
            asked = with_named_tools(
                sent.plain(),
                record.agent,
                named_before=tool_ids_of(record.sent),
                find=self._find_tool,
            )
            changed = replace(
                record,
                agent=changed_agent(record.agent, asked, with_documents=finder),
                tags=record.tags if body.tags is None else tuple(body.tags),
                sent=merge_keys(record.sent or {}, sent.kept()),
            )
            same = self.shown(changed) == self.shown(record)
            return record if same and changed.agent == record.agent else changed

        record = self.records.change(
            agent_id,
            apply,
            now=self.clock(),
            by=by,
            if_match=if_match,
            description=body.version_description or "",
        )
        self._follow(before[0], record)
        return record

    def without_effect(self, body: NewAgent | AgentChanges, record: AgentRecord) -> list[str]:
        """What was sent of an agent and is not so, by its path."""
        sent = body.model_dump(exclude_unset=True, include=_COMPARED)
        return without_effect(sent, self.shown(record)) + body.passed_over()

    def restore(
        self,
        agent_id: str,
        version_id: str,
        *,
        by: str,
        description: str = "",
        keep_documents: bool = False,
        if_match: str | None = None,
    ) -> AgentRecord:
        """Make an agent what it was; its tags stay.

        Raises:
            ApiError: This version is not kept, or answers from documents that are gone.
        """
        wanted = earlier(self.records, agent_id, version_id)
        before: list[AgentConfig] = []

        def apply(record: AgentRecord) -> AgentRecord:
            before.append(record.agent)
            return restored(record, wanted, keep_documents=keep_documents)

        record = self.records.change(
            agent_id,
            apply,
            now=self.clock(),
            by=by,
            if_match=if_match,
            description=description or f"Back to version {version_id}.",
        )
        self._follow(before[0], record)
        return record

    def shown(self, record: AgentRecord) -> Mapping[str, Any]:
        """What clients are shown of an agent that they can change."""
        sent = record.sent or {}
        documents: Sequence[NamedDocument | NamedFolder] = (named := self.documents_of(record))
        ids = sent_ids(sent)
        if not {*ids} <= {each.document_id for each in named}:
            documents = shown_by_folders(named, ids, self.folders.tree())
        config = conversation_config(record.agent, documents, sent.get("conversation_config") or {})
        platform = platform_settings(record.agent, sent.get("platform_settings") or {})
        return {
            **sent,
            "conversation_config": config,
            "platform_settings": platform,
            "name": record.agent.name,
            "tags": list(record.tags),
        }

    def name_tools(
        self, agent_id: str, *, by: str, dropped: str, dropped_id: str | None = None
    ) -> AgentRecord:
        """Put the tools that an agent names into its file as they are now.

        Args:
            agent_id: Which.
            by: Who changed the tools.
            dropped: Name of a tool that is taken out before.
            dropped_id: Id that the agent no longer names.
        """

        def apply(record: AgentRecord) -> AgentRecord:
            kept = [tool for tool in record.agent.tools if tool.name != dropped]
            agent = record.agent.model_copy(update={"tools": tuple(kept)})
            ids = [each for each in tool_ids_of(record.sent) if each != dropped_id]
            named = {"conversation_config": {"agent": {"prompt": {"tool_ids": ids}}}}
            asked = with_named_tools(named, agent, named_before=(), find=self._find_tool)
            finder = self._with_documents(self.documents_of(record))
            return replace(
                record,
                agent=changed_agent(agent, asked, with_documents=finder),
                sent=merge_keys(record.sent or {}, named),
            )

        return self.records.change(agent_id, apply, now=self.clock(), by=by)

    def duplicate(self, agent_id: str, name: str | None, *, by: str) -> AgentRecord:
        """A copy under another id, with an index of its own."""
        original = self.records.get(agent_id)
        agent = original.agent.model_copy(
            update={
                "agent_id": new_agent_id(),
                "name": name or f"{original.agent.name} (copy)",
            }
        )
        record = self.records.create(
            agent,
            now=self.clock(),
            by=by,
            tags=original.tags,
            sent=original.sent,
            description=f"A copy of {agent_id}.",
        )
        self._follow(AgentConfig(agent_id=agent.agent_id, name=UNNAMED), record)
        return record

    def delete(self, agent_id: str) -> None:
        """Delete an agent with its index; its conversations stay, and documents of the library."""
        self.records.get(agent_id)
        self._await_sync(agent_id)
        self._knowledge_bases.delete(agent_id)
        self.queue.forget_agent(agent_id)
        self.records.delete(agent_id)

    def attach(self, agent_id: str, document_id: str, *, by: str) -> AgentRecord:
        """Have an agent answer from one more document; raises `ApiError` when it is full."""

        def apply(record: AgentRecord) -> AgentRecord:
            present = self.documents_of(record)
            wanted = [*(each.document_id for each in present), document_id]
            section = self._with_documents(present)(record.agent.knowledge_base, wanted)
            agent = record.agent.model_copy(update={"knowledge_base": section})
            return replace(record, agent=agent)

        record = self.records.change(agent_id, apply, now=self.clock(), by=by)
        self.request_sync(agent_id)
        return record

    def detach(self, document_id: str, *, by: str) -> None:
        """Have no agent answer from a document any more."""

        def apply(record: AgentRecord) -> AgentRecord:
            present = self.documents_of(record)
            wanted = [each.document_id for each in present if each.document_id != document_id]
            section = self._with_documents(present)(record.agent.knowledge_base, wanted)
            agent = record.agent.model_copy(update={"knowledge_base": section})
            return replace(record, agent=agent)

        for record in self.agents_with(document_id):
            self.records.change(record.agent.agent_id, apply, now=self.clock(), by=by)
            self.request_sync(record.agent.agent_id)

    def documents_of(
        self, record: AgentRecord, library: Sequence[LibraryDocument] | None = None
    ) -> list[NamedDocument]:
        """What an agent answers from."""
        return named_documents(
            record.agent.knowledge_base,
            self.library.documents() if library is None else library,
            agents_dir=self.records.folder,
            library_dir=self.library.folder,
        )

    def agents_with(self, document_id: str) -> list[AgentRecord]:
        """The agents that answer from a document."""
        return self.agents_by_document().get(document_id, [])

    def agents_by_document(self) -> dict[str, list[AgentRecord]]:
        """The agents that answer from each document, by its id."""
        library, found = self.library.documents(), dict[str, list[AgentRecord]]()
        for record in self.records.all():
            for document in self.documents_of(record, library):
                found.setdefault(document.document_id, []).append(record)
        return found

    def status_of(self, document: LibraryDocument, agents: Sequence[AgentRecord]) -> IngestStatus:
        """Whether a document was read, and everybody who answers from it can."""
        if document.status != "succeeded" or not agents:
            return document.status
        states = self.queue.sync_states()
        waiting = any(
            states[each.agent.agent_id].status in ("created", "processing")
            for each in agents
            if each.agent.agent_id in states
        )
        return "processing" if waiting else "succeeded"

    def open(self, agent_id: str) -> KnowledgeBase:
        """The knowledge base of an agent."""
        return self._knowledge_bases.open(agent_id)

    def indexed_documents(self, agent_id: str) -> list[Document]:
        """What the agent's knowledge base holds now."""
        documents = self.open(agent_id).documents()
        return [document for document in documents if document.status == "ready"]

    def request_sync(self, agent_id: str) -> None:
        """Have an agent's knowledge base follow its file."""
        self.queue.request_sync(agent_id, now=self.clock())
        self.ingestion.wake()

    def _await_sync(self, agent_id: str) -> None:
        """Let a sync end that is under way: it would write into what is deleted."""
        until_s = time.monotonic() + DELETE_WAITS_S
        while time.monotonic() < until_s:
            state = self.queue.sync_states().get(agent_id)
            if state is None or state.status != "processing":
                return
            time.sleep(0.05)

    def _follow(self, before: AgentConfig, record: AgentRecord) -> None:
        if before.knowledge_base != record.agent.knowledge_base:
            self.request_sync(record.agent.agent_id)

    def _with_documents(
        self, present: Sequence[NamedDocument]
    ) -> Callable[[KnowledgeBaseSection, Sequence[str]], KnowledgeBaseSection]:
        def find(section: KnowledgeBaseSection, wanted: Sequence[str]) -> KnowledgeBaseSection:
            library = self.library.documents()
            known = {each.document_id for each in (*present, *library)}
            if not {*wanted} <= known:
                wanted = with_folders(wanted, self.folders.tree(), known)
            return with_documents(
                section,
                wanted,
                present=present,
                library=library,
                agents_dir=self.records.folder,
                library_dir=self.library.folder,
            )

        return find
