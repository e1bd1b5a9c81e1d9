"""Reads, in the background, what was handed in over the network.

One thread of the server takes one piece of work after another from the queue: a document into the
library, or an agent's knowledge base to what its file names. What fails is a row with its reason.
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from conversation.errors import ConversationError, StoreUnavailableError
from conversation.server.library.ingest_queue import IngestQueue, SyncState
from conversation.server.library.library import Library, LibraryDocument
from kb.document import Document, LinkSource, SyncReport
from kb.errors import BusyError, DocumentError, KnowledgeBaseError, LimitError

_log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
"""Another server of the same store may have put work into the queue."""
MAX_DETAIL = 2_000
"""Characters kept of what was wrong with an agent's documents."""
STOP_TIMEOUT_S = 20.0
"""How long the server waits for the document that is being read; the next start reads it again."""


class Ingestion:
    """The background work of one server."""

    def __init__(
        self,
        queue: IngestQueue,
        library: Library,
        *,
        sync_agent: Callable[[str], SyncReport],
        agents_with: Callable[[LibraryDocument], list[str]],
        clock: Callable[[], datetime],
    ) -> None:
        """Remember the parts; `start` begins.

        Args:
            queue: Where work comes from.
            library: Of the documents.
            sync_agent: Brings an agent's knowledge base to what its file names.
            agents_with: Ids of the agents that name a document.
            clock: The time.
        """
        self._queue = queue
        self._library = library
        self._sync_agent = sync_agent
        self._agents_with = agents_with
        self._clock = clock
        self._work = threading.Event()
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, with what a process left undone that is gone."""
        count = self._queue.take_back_orphans()
        if count:
            _log.info("ingestion goes on with %d pieces of work that were left undone", count)
        # A parser may run for a minute: the process need not wait, the next start does it again.
        self._thread = threading.Thread(target=self._run, name="ingestion", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what is being read, when that is soon, and end."""
        self._stopping.set()
        self._work.set()
        if self._thread is not None:
            self._thread.join(STOP_TIMEOUT_S)

    def wake(self) -> None:
        """There is work."""
        self._work.set()

    def run_once(self) -> bool:
        """Do one piece of work; False when there is none."""
        document = self._queue.claim_document(now=self._clock())
        if document is not None:
            self._read(document)
            return True
        sync = self._queue.claim_sync()
        if sync is not None:
            self._sync(sync)
        return sync is not None

    def _run(self) -> None:
        while not self._stopping.is_set():
            self._work.clear()
            try:
                busy = self.run_once()
            except Exception as error:
                # The store may be out of reach for a while; the work waits in it.
                _log.error("ingestion could not take up work: %s", type(error).__name__)
                busy = False
            if not busy:
                self._work.wait(LOOK_EVERY_S)

    def _read(self, document: LibraryDocument) -> None:
        reason, detail = "internal", "The server failed; see its log."
        try:
            indexed = self._take_in(document)
        except DocumentError as error:
            reason, detail = error.reason, str(error)
        except LimitError as error:
            reason, detail = "limit", str(error)
        except (BusyError, StoreUnavailableError) as error:
            if isinstance(error, StoreUnavailableError):
                _log.warning("document %s waits: %s", document.document_id, error)
            self._queue.finish_document(document.document_id, "created", now=self._clock())
            self._stopping.wait(1.0)
            return
        except Exception as error:
            _log.error("document %s: %s", document.document_id, type(error).__name__)
        else:
            self._queue.finish_document(
                document.document_id, "succeeded", now=self._clock(), size=indexed.bytes
            )
            if self._library.find(document.document_id) is None:  # deleted while it was read
                self._library.index.remove(indexed.document_id, erase=True)
            self._ask_agents(document)
            return
        if self._stopping.is_set():
            return  # its parts were closed under it; the next start reads it again
        _log.warning("document %s was not taken in: %s", document.document_id, reason)
        self._queue.finish_document(
            document.document_id, "failed", now=self._clock(), reason=reason, detail=detail
        )

    def _take_in(self, document: LibraryDocument) -> Document:
        self._library.bring(document)
        source = self._library.source_of(document)
        if isinstance(source, LinkSource):
            return self._library.index.add_link(source.url, name=source.name)
        return self._library.index.add_file(source.path, name=source.name)

    def _ask_agents(self, document: LibraryDocument) -> None:
        for agent_id in self._agents_with(document):
            self._queue.request_sync(agent_id, now=self._clock())

    def _sync(self, sync: SyncState) -> None:
        try:
            report = self._sync_agent(sync.agent_id)
        except BusyError:
            self._queue.finish_sync(sync, "created", now=self._clock())
            self._stopping.wait(1.0)
            return
        except (ConversationError, KnowledgeBaseError) as error:
            detail = str(error)
        except Exception as error:
            _log.error("sync of agent %r: %s", sync.agent_id, type(error).__name__)
            detail = "The server failed; see its log."
        else:
            failed = [row.detail or row.name for row in report.rows if row.action == "failed"]
            _log.info("agent %r was brought up to date, %d failed", sync.agent_id, len(failed))
            self._queue.finish_sync(
                sync, "succeeded", now=self._clock(), detail=" ".join(failed)[:MAX_DETAIL] or None
            )
            return
        if not self._stopping.is_set():
            _log.warning("agent %r could not be brought up to date", sync.agent_id)
            self._queue.finish_sync(sync, "failed", now=self._clock(), detail=detail)
