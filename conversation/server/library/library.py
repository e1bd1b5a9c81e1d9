"""Documents that were handed in over the network: rows of the store, files in one folder.

A document belongs to no agent until one names it. `ingestion` reads each into the library's own
knowledge base, which is where its text and its chunks come from.
"""

import re
import secrets
import shutil
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, fields
from datetime import datetime
from functools import cached_property
from pathlib import Path, PurePath
from typing import Any, Literal

from sqlalchemy import Engine, delete, func, insert, select, update
from sqlalchemy.engine import Connection, Row

from conversation.errors import StoreError
from conversation.server.errors import ApiError, not_found
from conversation.server.library.uploads import SharedUploads
from conversation.store.database import READ_ONLY
from conversation.store.tables import library_documents as rows
from kb.document import FileSource, LinkSource
from kb.errors import UnknownDocumentError
from kb.ingest.intake import identify
from kb.knowledge_base import KnowledgeBase
from kb.whole_file import written_beside

HandedInAs = Literal["file", "url", "text"]
IngestStatus = Literal["created", "processing", "succeeded", "failed"]
MAX_NAME_CHARS = 120
MAX_NAME_BYTES = 200
"""File systems count bytes, of which a character has up to four; a suffix comes on top."""
_UNSAFE = re.compile(r"[^\w .,()+&-]+")


@dataclass(frozen=True, slots=True)
class LibraryLimits:
    """How much the library holds. None lifts a limit."""

    documents: int | None = 1_000
    total_bytes: int | None = 2**30


@dataclass(frozen=True, slots=True)
class LibraryDocument:
    """One document that was handed in."""

    document_id: str
    kind: HandedInAs
    name: str
    source: str
    """The URL, or where the file lies below the library's folder."""
    bytes: int
    """As received; 0 for a URL that was not read yet."""
    status: IngestStatus
    created_at: datetime
    updated_at: datetime
    reason: str | None = None
    """Machine-readable code when failed."""
    detail: str | None = None
    """One sentence for a person when failed."""


class Library:
    """The documents of one deployment. Safe to share between threads and processes."""

    def __init__(
        self,
        engine: Engine,
        folder: Path,
        *,
        open_index: Callable[[], KnowledgeBase],
        limits: LibraryLimits | None = None,
        uploads: SharedUploads | None = None,
    ) -> None:
        """Remember where things are.

        Args:
            engine: Of an opened `ConversationStore`.
            folder: Of the files; made by the first.
            open_index: Opens the knowledge base that all documents are read into.
            limits: None for the defaults.
            uploads: Where files are that several machines have; None keeps them in `folder`.
        """
        self._engine = engine
        self.folder = folder
        self._open_index = open_index
        self.limits = limits or LibraryLimits()
        self._uploads = uploads

    @cached_property
    def index(self) -> KnowledgeBase:
        """Texts and chunks of the documents that were read."""
        return self._open_index()

    def close(self) -> None:
        """Close the index when it was opened."""
        if "index" in self.__dict__:
            self.__dict__.pop("index").close()

    def add_file(
        self, data: bytes, *, file_name: str, name: str | None, kind: HandedInAs, now: datetime
    ) -> LibraryDocument:
        """Keep a file, or a text as one; it is read later.

        Raises:
            ApiError: The library is full.
        """
        token = secrets.token_hex(8)
        source = f"{token}/{safe_file_name(file_name, is_text=kind == 'text')}"
        path = self.folder / source
        path.parent.mkdir(parents=True)
        path.write_bytes(data)
        try:
            if self._uploads is not None:
                self._uploads.put(source, data)
            document_id = identify(FileSource(path)).document_id
            return self._add(document_id, kind, name or file_name, source, len(data), now)
        except BaseException:
            shutil.rmtree(path.parent)
            if self._uploads is not None:
                with suppress(StoreError):
                    self._uploads.delete(source)
            raise

    def add_url(self, url: str, *, name: str | None, now: datetime) -> LibraryDocument:
        """Note a page; one that is known is read again.

        Raises:
            ApiError: The library is full.
        """
        document_id = identify(LinkSource(url)).document_id
        with self._engine.begin() as connection:
            changes: dict[str, Any] = {"status": "created", "owner": None, "updated_at": now}
            if name is not None:
                changes["name"] = name
            known = connection.execute(
                update(rows).where(rows.c.document_id == document_id).values(changes)
            )
        if known.rowcount:
            return self.document(document_id)
        return self._add(document_id, "url", name or url, url, 0, now)

    def documents(self) -> list[LibraryDocument]:
        """All of them, oldest first."""
        with self._reading() as connection:
            found = connection.execute(select(rows).order_by(rows.c.created_at)).all()
        return [library_document(row) for row in found]

    def find(self, document_id: str) -> LibraryDocument | None:
        """One document, when there is one of this id."""
        with self._reading() as connection:
            row = connection.execute(select(rows).where(rows.c.document_id == document_id)).first()
        return None if row is None else library_document(row)

    def document(self, document_id: str) -> LibraryDocument:
        """One document.

        Raises:
            ApiError: 404.
        """
        found = self.find(document_id)
        if found is None:
            raise not_found("document", document_id)
        return found

    def source_of(self, document: LibraryDocument) -> FileSource | LinkSource:
        """What a knowledge base reads it from."""
        if document.kind == "url":
            return LinkSource(document.source, document.name)
        return FileSource(self.folder / document.source, document.name)

    def bring(self, document: LibraryDocument) -> None:
        """Have its file lie in this machine's folder, as it was uploaded last.

        Raises:
            StoreUnavailableError: The machine cannot be given it; says why.
        """
        if self._uploads is not None and document.kind != "url":
            self._uploads.bring(document.source, self.folder / document.source)

    def indexed_id(self, document: LibraryDocument) -> str:
        """What knowledge bases call it; another one than its own after the folder was moved."""
        return identify(self.source_of(document)).document_id

    def rename(self, document_id: str, name: str, *, now: datetime) -> None:
        """Give it another name."""
        self._update(document_id, name=name, updated_at=now)

    def replace_content(self, document_id: str, data: bytes, *, now: datetime) -> None:
        """Put another content in the place of a file or a text; it is read again.

        Raises:
            ApiError: It is a page, or does not fit.
        """
        document = self.document(document_id)
        if document.kind == "url":
            raise ApiError(
                400, "not_a_file", "The content of a page comes from its URL; refresh it instead."
            )
        with self._engine.begin() as connection:
            self._require_room(connection, more=len(data) - document.bytes, documents=0)
            connection.execute(
                update(rows)
                .where(rows.c.document_id == document_id)
                .values(bytes=len(data), status="created", owner=None, updated_at=now)
            )
            path = self.folder / document.source
            with written_beside(path) as following:
                following.write_bytes(data)
                if self._uploads is not None:
                    self._uploads.put(document.source, data)

    def read_again(self, document_id: str, *, now: datetime) -> None:
        """Have it read once more."""
        self._update(document_id, status="created", owner=None, updated_at=now)

    def remove(self, document_id: str) -> None:
        """Delete it with its file and every text that was made of it."""
        document = self.document(document_id)
        indexed_id = self.indexed_id(document)
        if self._uploads is not None and document.kind != "url":
            # First: where the address does not answer, nothing is deleted, and it can be repeated.
            self._uploads.delete(document.source)
        with self._engine.begin() as connection:
            connection.execute(delete(rows).where(rows.c.document_id == document_id))
        # The queue may be at it right now, and then it is in the index a moment later or no more.
        with suppress(UnknownDocumentError):
            self.index.remove(indexed_id, erase=True)
        if document.kind != "url":
            shutil.rmtree((self.folder / document.source).parent, ignore_errors=True)

    def _add(
        self,
        document_id: str,
        kind: HandedInAs,
        name: str,
        source: str,
        size: int,
        now: datetime,
    ) -> LibraryDocument:
        document = LibraryDocument(
            document_id, kind, name, source, size, "created", created_at=now, updated_at=now
        )
        with self._engine.begin() as connection:
            self._require_room(connection, more=size, documents=1)
            connection.execute(
                insert(rows).values(
                    document_id=document_id,
                    kind=kind,
                    name=name,
                    source=source,
                    bytes=size,
                    status="created",
                    created_at=now,
                    updated_at=now,
                )
            )
        return document

    def _require_room(self, connection: Connection, *, more: int, documents: int) -> None:
        """In the transaction that adds, so that two uploads at once cannot pass together."""
        if connection.dialect.name == "postgresql":  # SQLite has one writer anyway
            connection.exec_driver_sql(f"lock table {rows.name} in share row exclusive mode")
        held, used = connection.execute(
            select(func.count(), func.coalesce(func.sum(rows.c.bytes), 0))
        ).one()
        limits = self.limits
        if limits.documents is not None and held + documents > limits.documents:
            raise ApiError(
                400,
                "document_limit_exceeded",
                f"The library holds {held:,} of {limits.documents:,} documents. Delete some first.",
            )
        if limits.total_bytes is not None and used + more > limits.total_bytes:
            raise ApiError(
                413,
                "library_size_exceeded",
                f"The library holds {used:,} of {limits.total_bytes:,} bytes; {more:,} more do "
                "not fit. Delete documents first.",
            )

    def _update(self, document_id: str, **values: Any) -> None:
        with self._engine.begin() as connection:
            changed = connection.execute(
                update(rows).where(rows.c.document_id == document_id).values(values)
            )
        if not changed.rowcount:
            raise not_found("document", document_id)

    def _reading(self) -> Connection:
        return self._engine.connect().execution_options(**READ_ONLY)


def safe_file_name(name: str, *, is_text: bool) -> str:
    """A name for the file that says what the client called it, and can lead nowhere else.

    A text has no suffix that would have it read as anything but a text; agents name documents by
    their files, so it has none at all where it can.
    """
    bare = name.replace("\\", "/").rpartition("/")[2]
    cut = _UNSAFE.sub("_", bare).strip(" .")[-MAX_NAME_CHARS:].encode()[-MAX_NAME_BYTES:]
    cleaned = cut.decode("utf-8", "ignore").strip(" .") or "document"
    return f"{cleaned}.txt" if is_text and PurePath(cleaned).suffix else cleaned


def library_document(row: Row[Any]) -> LibraryDocument:
    """The document that a row stands for."""
    return LibraryDocument(
        **{field.name: getattr(row, field.name) for field in fields(LibraryDocument)}
    )
