"""Sources -> documents of the catalog: stored, seen unchanged, failed, or removed."""

from collections.abc import Callable, Generator, Sequence
from datetime import datetime
from typing import Protocol

from kb.config import Limits
from kb.document import Document, LinkSource, Source, SyncAction, SyncRow
from kb.errors import DocumentError, KnowledgeBaseError, LimitError
from kb.index.catalog import Catalog
from kb.index.catalog_changes import (
    check_limits,
    remove_documents,
    store_document,
    store_failure,
    touch_document,
)
from kb.ingest.intake import Intake, Unchanged, failed_document, identify, may_pass


class IngestProgress(Protocol):
    """Told how far an ingest is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """`done` of `total` in `stage`, which is `documents` or `chunks`."""
        ...


class SourceStore:
    """Takes sources into the catalog. The caller holds the writer lock and publishes after it."""

    def __init__(
        self, catalog: Catalog, intake: Intake, *, limits: Limits, now: Callable[[], datetime]
    ) -> None:
        self._catalog = catalog
        self._intake = intake
        self._limits = limits
        self._now = now

    def store(self, source: Source) -> tuple[SyncAction, Document]:
        """Take in one source.

        Raises:
            DocumentError: It cannot be taken in; `reason` says why.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        document_id = identify(source).document_id
        known = self._catalog.fingerprint(document_id)
        if isinstance(source, LinkSource):
            self._require_room(source)
        prepared = self._intake.take_in(source, known)
        if known is not None and isinstance(prepared, Unchanged):
            touch_document(
                self._catalog,
                document_id,
                name=known.document.name,
                etag=prepared.etag,
                last_modified=prepared.last_modified,
            )
            seen = self._catalog.fingerprint(document_id)
            return "unchanged", (seen or known).document
        if isinstance(prepared, Unchanged):
            raise KnowledgeBaseError(f"{document_id!r} cannot be unchanged: it is not known.")
        document = store_document(self._catalog, prepared, limits=self._limits, now=self._now())
        was_ready = known is not None and known.document.status == "ready"
        return "replaced" if was_ready else "added", document

    def begin(self) -> None:
        """Begin an ingest: pages that the one before has shown may be shown again."""
        self._intake.begin()

    def sync(self, source: Source) -> SyncRow:
        """Take in one source; when that fails, the failure is recorded as a document."""
        try:
            action, document = self.store(source)
        except (DocumentError, LimitError) as error:
            return self.store_failure(source, error)
        return _row(action, document)

    def store_failure(self, source: Source, error: DocumentError | LimitError) -> SyncRow:
        """Record that a source could not be taken in."""
        failure = error if isinstance(error, DocumentError) else DocumentError("limit", str(error))
        document = store_failure(
            self._catalog,
            failed_document(source, failure),
            signature=self._intake.signature,
            keep_content=may_pass(failure.reason),
            now=self._now(),
        )
        return _row("failed", document)

    def _require_room(self, source: Source) -> None:
        """Refuse what cannot fit whatever its size, before it is fetched."""
        empty = failed_document(source, DocumentError("limit", ""))
        check_limits(self._catalog.connection, empty, self._limits)

    def remove_others(self, wanted: Sequence[Source]) -> list[SyncRow]:
        """Remove every document that none of the sources stands for."""
        ids = {identify(source).document_id for source in wanted}
        others = [held for held in self._catalog.documents() if held.document_id not in ids]
        remove_documents(self._catalog, [document.document_id for document in others])
        return [_row("removed", document) for document in others]


def counted(sources: Sequence[Source], progress: IngestProgress | None) -> Generator[Source]:
    """The sources one by one, each reported when the next is asked for."""
    for done, source in enumerate(sources, start=1):
        yield source
        if progress is not None:
            progress("documents", done, len(sources))


def _row(action: SyncAction, document: Document) -> SyncRow:
    return SyncRow(
        action=action,
        kind=document.kind,
        source=document.source,
        name=document.name,
        document_id=document.document_id,
        reason=document.reason,
        detail=document.detail,
        bytes=document.bytes,
        chunks=0 if action == "removed" else document.chunk_count,
    )
