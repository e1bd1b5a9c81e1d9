"""Changes of a knowledge base: one writer at a time, each change published before it lets go."""

import shutil
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from kb.config import KnowledgeBaseConfig
from kb.document import Document, Source, SyncReport
from kb.embedding.embedder import Embedder
from kb.errors import KnowledgeBaseError, UnknownDocumentError
from kb.index.catalog import Catalog
from kb.index.catalog_changes import erase_versions, remove_documents, restore_index
from kb.index.damage import mended_vectors, telling_damage
from kb.index.embedding_cache import EmbeddingCache
from kb.index.index_publisher import IndexPublisher, VectorCollections
from kb.index.stale_memory import blanking_unused_room
from kb.index.storage_errors import telling_storage_errors
from kb.ingest.intake import Intake
from kb.ingest.site_listing import ListedSources, stored_pages
from kb.ingest.source_store import IngestProgress, SourceStore, counted
from kb.ingest.writer_lock import writer_lock

SYNCED_AT = "synced_at"
"""Key of the catalog: when every source was looked at last."""


class Served(Protocol):
    """What answers in this process while things change, such as `IndexReader`."""

    def changing(self) -> AbstractContextManager[None]:
        """Queries keep to the version that they have until the block is left."""
        ...

    def renew(self) -> None:
        """Take the version that was published just now."""
        ...


VECTORS = "chroma"
"""Folder of the vector indexes, where they are kept in the process."""
DERIVED = "derived"
"""Folder in that of the knowledge base."""


class Writer:
    """What `KnowledgeBase` changes with. Parts are opened by the first change that needs them."""

    def __init__(
        self,
        directory: Path,
        catalog: Catalog,
        *,
        config: KnowledgeBaseConfig,
        embedder: Callable[[], Embedder],
        cache: Callable[[], EmbeddingCache],
        open_collections: Callable[[], VectorCollections],
        now: Callable[[], datetime],
        served: Served,
        read_only: bool,
    ) -> None:
        """Remember where things are; `served` hears of every change of the index."""
        self._directory = directory
        self._catalog = catalog
        self._config = config
        self._embedder = embedder
        self._cache = cache
        self._open_collections = open_collections
        self._now = now
        self._served = served
        self._read_only = read_only
        self._lock = threading.RLock()

    @property
    def derived_dir(self) -> Path:
        """Where others keep what they make of the documents."""
        return self._directory / DERIVED

    def add(self, sources: Sequence[Source], *, progress: IngestProgress | None) -> list[Document]:
        """Take in sources; what went in before one that fails is published."""
        with self._writing() as publisher:
            self._drop_derived()
            self._sources.begin()
            try:
                return [self._sources.store(source)[1] for source in counted(sources, progress)]
            finally:
                self._publish(publisher, progress)

    def take_in(
        self, listed: ListedSources, *, remove_others: bool, progress: IngestProgress | None
    ) -> SyncReport:
        """Take in sources, each failure a row; with `remove_others` there is nothing else then."""
        started = time.monotonic()
        with self._writing() as publisher:
            before = self._texts()
            named = [*listed.sources, *(site for site, _ in listed.failures)]
            removed = self._sources.remove_others(named) if remove_others else []
            self._sources.begin()
            rows = [self._sources.sync(source) for source in counted(listed.sources, progress)]
            rows += [self._sources.store_failure(site, error) for site, error in listed.failures]
            if self._texts() != before:
                self._drop_derived()
            self._catalog.set_meta(stored_pages(listed.pages))
            if remove_others:
                self._catalog.set_meta({SYNCED_AT: self._now().isoformat()})
            self._publish(publisher, progress)
        return SyncReport(
            rows=(*rows, *removed),
            chunks_embedded=publisher.embedded,
            seconds=time.monotonic() - started,
            index_version=self._catalog.index_version,
        )

    def remove(self, document_id: str, *, erase: bool) -> None:
        """Take one document out."""
        with self._writing() as publisher:
            if not remove_documents(self._catalog, [document_id]):
                raise unknown_document(document_id)
            self._drop_derived()
            publisher.publish()
            if erase:
                erase_versions(self._catalog, document_id)
            self._served.renew()

    def rollback(self, index_version: int | None) -> int:
        """Go back to an earlier publish; None takes the one before the present."""
        with self._writing() as publisher:
            present = self._catalog.index_version
            wanted = present - 1 if index_version is None else index_version
            if not 0 <= wanted < present:
                raise KnowledgeBaseError(
                    f"There is no index version {wanted} to go back to: versions 0 to "
                    f"{present - 1} came before the present one."
                )
            restore_index(self._catalog, wanted)
            self._drop_derived()
            version = publisher.publish()
            self._served.renew()
        return version

    def rebuild_index(self) -> int:
        """Build the vector index anew."""
        with self._writing() as publisher:
            version = publisher.rebuild()
            self._served.renew()
        return version

    def _texts(self) -> set[tuple[str, str, int | None]]:
        """What tells one state of the documents from another."""
        ready = (each for each in self._catalog.documents() if each.status == "ready")
        return {(each.document_id, each.name, each.version) for each in ready}

    def _drop_derived(self) -> None:
        """Delete what was made of documents as they were."""
        if self.derived_dir.is_dir():
            shutil.rmtree(self.derived_dir)

    @cached_property
    def _sources(self) -> SourceStore:
        intake = Intake(self._config, self._embedder(), text_of=self._catalog.text_of)
        return SourceStore(self._catalog, intake, limits=self._config.limits, now=self._now)

    def _publish(self, publisher: IndexPublisher, progress: IngestProgress | None) -> None:
        total = sum(operation == "add" for _, operation in self._catalog.pending_vectors())
        done = 0

        def count(embedded: int) -> None:
            nonlocal done
            done += embedded
            if progress is not None:
                progress("chunks", done, total)

        if publisher.is_needed():
            publisher.publish(on_embedded=count)
            self._served.renew()

    @contextmanager
    def _writing(self) -> Generator[IndexPublisher]:
        """Hold the writer lock, with a publisher that has finished what a crash left undone."""
        if self._read_only:
            raise KnowledgeBaseError(
                f"The knowledge base in {str(self._directory)!r} was opened to read only. Open it "
                "without `read_only`, in a folder that may be written, to change it."
            )
        timeout_s = self._config.index.writer_timeout_s
        lock = writer_lock(self._directory, timeout_s=timeout_s)
        telling = telling_storage_errors(self._directory)
        with (
            telling,
            self._lock,
            lock,
            self._served.changing(),
            telling_damage(self._directory),
            blanking_unused_room(self._directory / VECTORS),
            mended_vectors(
                self._open_collections,
                self._catalog,
                self._directory / VECTORS,
                ef_search=self._config.retrieval.ef_search,
            ) as (collections, is_anew),
        ):
            publisher = self._publisher(collections)
            if is_anew:
                publisher.rebuild()
                self._served.renew()
            elif publisher.is_needed():
                publisher.publish()
                self._served.renew()
            yield publisher

    def _publisher(self, collections: VectorCollections) -> IndexPublisher:
        return IndexPublisher(
            self._catalog,
            cache=self._cache(),
            embedder=self._embedder(),
            collections=collections,
            config=self._config.index,
            ef_search=self._config.retrieval.ef_search,
        )


def unknown_document(document_id: str) -> UnknownDocumentError:
    """The error for an id that nothing has."""
    return UnknownDocumentError(
        f"There is no document {document_id!r} in this knowledge base. `documents()` lists them."
    )
