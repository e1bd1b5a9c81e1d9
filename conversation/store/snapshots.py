"""Rows about the snapshots of knowledge bases: what `kb` asks of a store."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime

from sqlalchemy import Engine, and_, delete, insert, select, update

from conversation.store.database import READ_ONLY
from conversation.store.lease import GONE_AFTER_S, StoredLease, held_lease, lost
from conversation.store.tables import kb_pointers, kb_snapshots
from kb.snapshots.pointers import Pointer, SnapshotRecord, WriterLease


class StoredPointers:
    """`SnapshotPointers` in the database of an opened `ConversationStore`."""

    def __init__(self, engine: Engine, *, gone_after_s: float = GONE_AFTER_S) -> None:
        self._engine = engine
        self._gone_after_s = gone_after_s

    def pointers(self) -> Mapping[str, Pointer]:
        """What is live, by the name of the knowledge base."""
        live = kb_pointers.c
        query = select(live.name, live.snapshot_id, live.generation)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            found = connection.execute(query.where(live.snapshot_id.is_not(None))).all()
        return {row.name: Pointer(row.snapshot_id, row.generation) for row in found}

    def pointer(self, name: str) -> Pointer | None:
        """What is live of one knowledge base."""
        return self.pointers().get(name)

    def records(self, name: str) -> list[SnapshotRecord]:
        """Every snapshot that is kept, newest first."""
        made = kb_snapshots.c
        query = select(kb_snapshots).where(made.name == name)
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            rows = connection.execute(query.order_by(made.generation.desc())).all()
        return [
            SnapshotRecord(
                row.snapshot_id,
                row.made_at,
                row.index_version,
                row.documents,
                row.chunks,
                row.bytes,
                row.replaced_at,
                row.withdrawn_at,
            )
            for row in rows
        ]

    def lease(self, name: str, *, timeout_s: float) -> AbstractContextManager[StoredLease]:
        """Hold the lease of one knowledge base."""
        return held_lease(self._engine, name, timeout_s=timeout_s, gone_after_s=self._gone_after_s)

    def move(
        self,
        name: str,
        record: SnapshotRecord,
        *,
        expected: Pointer | None,
        lease: WriterLease,
        withdrawn: Sequence[str] = (),
    ) -> Pointer:
        """Make `record` live in place of `expected`, in one transaction.

        Raises:
            LostLeaseError: Something else is live, or the lease was lost. Nothing was changed.
        """
        live = kb_pointers.c
        is_expected = (
            live.snapshot_id.is_(None)
            if expected is None
            else and_(
                live.snapshot_id == expected.snapshot_id, live.generation == expected.generation
            )
        )
        with self._engine.begin() as connection:
            moved = connection.execute(
                update(kb_pointers)
                .where(live.name == name, live.lease_token == lease.token, is_expected)
                .values(snapshot_id=record.snapshot_id, generation=live.generation + 1)
            )
            if not moved.rowcount:
                raise lost(name)
            present = select(live.generation).where(live.name == name)
            generation: int = connection.execute(present).scalar_one()
            of_name = kb_snapshots.c.name == name
            this = kb_snapshots.c.snapshot_id == record.snapshot_id
            connection.execute(
                update(kb_snapshots)
                .where(of_name, kb_snapshots.c.replaced_at.is_(None))
                .values(replaced_at=record.made_at)
            )
            known = connection.execute(
                update(kb_snapshots)
                .where(of_name, this)
                .values(replaced_at=None, generation=generation)
            )
            if not known.rowcount:
                connection.execute(
                    insert(kb_snapshots).values(generation=generation, **_row(name, record))
                )
            if withdrawn:
                connection.execute(
                    update(kb_snapshots)
                    .where(of_name, kb_snapshots.c.snapshot_id.in_(withdrawn))
                    .values(withdrawn_at=record.made_at)
                )
            return Pointer(record.snapshot_id, generation)

    def withdraw(self, name: str, snapshot_ids: Sequence[str], *, at: datetime) -> None:
        """Let nobody go back to these snapshots from now on; the live one stays."""
        if not snapshot_ids:
            return
        made = kb_snapshots.c
        with self._engine.begin() as connection:
            connection.execute(
                update(kb_snapshots)
                .where(made.name == name, made.snapshot_id.in_(snapshot_ids))
                .where(made.replaced_at.is_not(None), made.withdrawn_at.is_(None))
                .values(withdrawn_at=at)
            )

    def forget(self, name: str, snapshot_ids: Sequence[str]) -> None:
        """These snapshots are gone."""
        made = kb_snapshots.c
        with self._engine.begin() as connection:
            connection.execute(
                delete(kb_snapshots).where(made.name == name, made.snapshot_id.in_(snapshot_ids))
            )

    def forget_all(self, name: str) -> None:
        """The knowledge base is gone, with everything that was known of it."""
        with self._engine.begin() as connection:
            connection.execute(delete(kb_snapshots).where(kb_snapshots.c.name == name))
            # The row stays for who holds its lease; the next snapshot is the first again.
            connection.execute(
                update(kb_pointers)
                .where(kb_pointers.c.name == name)
                .values(snapshot_id=None, generation=kb_pointers.c.generation + 1)
            )


def _row(name: str, record: SnapshotRecord) -> dict[str, object]:
    return {
        "name": name,
        "snapshot_id": record.snapshot_id,
        "made_at": record.made_at,
        "index_version": record.index_version,
        "documents": record.documents,
        "chunks": record.chunks,
        "bytes": record.size,
    }
