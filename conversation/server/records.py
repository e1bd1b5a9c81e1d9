"""What the API alone makes, in the conversation store: settings, webhooks, agent tests.

One record is one JSON document; what may stand in it is for the route that keeps it.
"""

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.engine import Connection, Row

from conversation.store.database import READ_ONLY
from conversation.store.tables import api_records as records

RecordKind = Literal[
    "settings",
    "webhook",
    "secret",
    "agent_test",
    "test_invocation",
    "tag",
    "tool",
    "folder",
    "placed",
    "moving",
    "crawl",
]


@dataclass(frozen=True, slots=True)
class ApiRecord:
    """One document."""

    record_id: str
    body: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


def by_creation(record: ApiRecord) -> tuple[float, str]:
    """Where lists put a record: by its time, and by its id among those of one moment."""
    return record.created_at.timestamp(), record.record_id


class RecordStore:
    """Documents by kind and id. Safe to share between threads and processes."""

    def __init__(self, engine: Engine) -> None:
        """Take the engine of an opened `ConversationStore`."""
        self._engine = engine

    def all(self, kind: RecordKind) -> list[ApiRecord]:
        """Every document of a kind, oldest first."""
        query = (
            select(records)
            .where(records.c.kind == kind)
            .order_by(records.c.created_at, records.c.record_id)
        )
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            return [_record(row) for row in connection.execute(query)]

    def get(self, kind: RecordKind, record_id: str) -> ApiRecord | None:
        """One document; None when there is none."""
        with self._engine.connect().execution_options(**READ_ONLY) as connection:
            row = connection.execute(_one(kind, record_id)).first()
        return None if row is None else _record(row)

    def change(
        self,
        kind: RecordKind,
        record_id: str,
        made: Callable[[Mapping[str, Any] | None], Mapping[str, Any] | None],
        *,
        now: datetime,
    ) -> ApiRecord | None:
        """Replace a document by what `made` makes of it, in one transaction.

        Args:
            kind: Of what.
            record_id: Its id.
            made: Gets the document as it stands, None when there is none; gives the new one, None
                to leave everything as it is.
            now: The time.

        Returns:
            The document as it stands afterwards.
        """
        with self._engine.begin() as connection:
            row = connection.execute(_one(kind, record_id)).first()
            found = None if row is None else _record(row)
            body = made(None if found is None else found.body)
            if body is None:
                return found
            _put(connection, kind, record_id, dict(body), is_new=found is None, now=now)
        return ApiRecord(record_id, body, now if found is None else found.created_at, now)

    def put(
        self, kind: RecordKind, record_id: str, body: Mapping[str, Any], *, now: datetime
    ) -> None:
        """Keep a document in place of what was there."""
        self.change(kind, record_id, lambda _: body, now=now)

    def add(self, kind: RecordKind, body: Mapping[str, Any], *, now: datetime) -> ApiRecord:
        """Keep a new document, under an id that begins with its kind."""
        record_id = f"{kind}_{uuid.uuid4().hex}"
        self.put(kind, record_id, body, now=now)
        return ApiRecord(record_id, body, now, now)

    def remove(self, kind: RecordKind, record_id: str) -> bool:
        """Delete a document; False when there is none."""
        with self._engine.begin() as connection:
            done = connection.execute(
                delete(records)
                .where(records.c.kind == kind)
                .where(records.c.record_id == record_id)
            )
        return done.rowcount > 0


def _one(kind: RecordKind, record_id: str) -> Any:
    return select(records).where(records.c.kind == kind).where(records.c.record_id == record_id)


def _put(
    connection: Connection,
    kind: RecordKind,
    record_id: str,
    body: dict[str, Any],
    *,
    is_new: bool,
    now: datetime,
) -> None:
    if is_new:
        row = {
            "kind": kind,
            "record_id": record_id,
            "body": body,
            "created_at": now,
            "updated_at": now,
        }
        connection.execute(insert(records).values(row))
        return
    connection.execute(
        update(records)
        .where(records.c.kind == kind)
        .where(records.c.record_id == record_id)
        .values(body=body, updated_at=now)
    )


def _record(row: Row[Any]) -> ApiRecord:
    return ApiRecord(row.record_id, row.body, row.created_at, row.updated_at)
