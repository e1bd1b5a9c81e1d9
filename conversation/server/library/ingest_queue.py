"""What waits to be read: documents of the library, and agents whose file names others than before.

Rows of the store, so that a restart loses none. A process claims one by writing its name into the
row; what a process held that is gone waits again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from conversation.server.library.library import IngestStatus, LibraryDocument, library_document
from conversation.store.database import READ_ONLY
from conversation.store.ownership import is_gone, this_process
from conversation.store.tables import agent_syncs as syncs
from conversation.store.tables import library_documents as documents


@dataclass(frozen=True, slots=True)
class SyncState:
    """Whether an agent's knowledge base holds what its file names."""

    agent_id: str
    status: IngestStatus
    requests: int
    """How often it was asked for."""
    detail: str | None = None
    """For a person: what failed, or which documents did."""


class IngestQueue:
    """Work of one store. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine of an opened `ConversationStore`."""
        self._engine = engine

    def claim_document(self, *, now: datetime) -> LibraryDocument | None:
        """The document that waits longest, now this process's; None when none waits."""
        with self._engine.begin() as connection:
            waiting = connection.execute(
                select(documents)
                .where(documents.c.status == "created")
                .order_by(documents.c.updated_at, documents.c.document_id)
                .limit(1)
            ).first()
            if waiting is None:
                return None
            claimed = connection.execute(
                update(documents)
                .where(
                    documents.c.document_id == waiting.document_id,
                    documents.c.status == "created",
                )
                .values(status="processing", owner=this_process(), updated_at=now)
            )
        return library_document(waiting) if claimed.rowcount else None

    def finish_document(
        self,
        document_id: str,
        status: IngestStatus,
        *,
        now: datetime,
        size: int | None = None,
        reason: str | None = None,
        detail: str | None = None,
    ) -> None:
        """Note how reading went, unless the document was handed in anew meanwhile."""
        values: dict[str, Any] = {"status": status, "reason": reason, "detail": detail}
        if size is not None:
            values["bytes"] = size
        with self._engine.begin() as connection:
            connection.execute(
                update(documents)
                .where(documents.c.document_id == document_id)
                .where(documents.c.status == "processing")
                .values(owner=None, updated_at=now, **values)
            )

    def request_sync(self, agent_id: str, *, now: datetime) -> None:
        """Ask that an agent's knowledge base is brought to what its file names."""
        again = (
            update(syncs)
            .where(syncs.c.agent_id == agent_id)
            .values(status="created", requests=syncs.c.requests + 1, requested_at=now, owner=None)
        )
        with self._engine.begin() as connection:
            if connection.execute(again).rowcount:
                return
        row = {"agent_id": agent_id, "status": "created", "requests": 1, "requested_at": now}
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(syncs).values(row))
        except IntegrityError:  # another process was faster
            with self._engine.begin() as connection:
                connection.execute(again)

    def claim_sync(self) -> SyncState | None:
        """The sync that waits longest, now this process's; None when none waits."""
        with self._engine.begin() as connection:
            waiting = connection.execute(
                select(syncs)
                .where(syncs.c.status == "created")
                .order_by(syncs.c.requested_at, syncs.c.agent_id)
                .limit(1)
            ).first()
            if waiting is None:
                return None
            claimed = connection.execute(
                update(syncs)
                .where(syncs.c.agent_id == waiting.agent_id, syncs.c.status == "created")
                .values(status="processing", owner=this_process())
            )
        return _sync(waiting) if claimed.rowcount else None

    def finish_sync(
        self, sync: SyncState, status: IngestStatus, *, now: datetime, detail: str | None = None
    ) -> None:
        """Note how it went, unless another was asked for meanwhile."""
        with self._engine.begin() as connection:
            connection.execute(
                update(syncs)
                .where(syncs.c.agent_id == sync.agent_id, syncs.c.requests == sync.requests)
                .values(status=status, detail=detail, finished_at=now, owner=None)
            )

    def sync_states(self) -> dict[str, SyncState]:
        """How far each agent is that a sync was ever asked for."""
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            found = connection.execute(select(syncs)).all()
        return {row.agent_id: _sync(row) for row in found}

    def forget_agent(self, agent_id: str) -> None:
        """The agent is gone."""
        with self._engine.begin() as connection:
            connection.execute(delete(syncs).where(syncs.c.agent_id == agent_id))

    def take_back_orphans(self) -> int:
        """Let wait again what a process held that is gone; returns how much that is."""
        me, count = this_process(), 0
        for table, key in ((documents, documents.c.document_id), (syncs, syncs.c.agent_id)):
            with self._engine.begin() as connection:
                held = connection.execute(
                    select(key, table.c.owner).where(table.c.status == "processing")
                ).all()
                gone = [row[0] for row in held if row[1] is None or is_gone(row[1], asked_by=me)]
                if gone:
                    connection.execute(
                        update(table).where(key.in_(gone)).values(status="created", owner=None)
                    )
            count += len(gone)
        return count


def _sync(row: Any) -> SyncState:
    return SyncState(row.agent_id, row.status, row.requests, row.detail)
