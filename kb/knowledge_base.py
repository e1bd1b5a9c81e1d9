"""One knowledge base in one directory: documents in, passages out.

    with KnowledgeBase.open("data/store/kb/support") as kb:
        kb.add_file("handbook.pdf")
        passages = kb.retrieve("how long do refunds take?")

Any number of processes may read and one may write; readers see a change on their next query.
"""

import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

import numpy as np

from kb.catalog import Catalog, ChunkRow
from kb.config import KnowledgeBaseConfig
from kb.document import (
    Document,
    FileSource,
    LinkSource,
    RetrievedPassage,
    Source,
    SyncAction,
    SyncReport,
    SyncRow,
    TextSource,
)
from kb.embedding import Embedder, Vectors, WeightsFolder, open_embedder
from kb.embedding_cache import EmbeddingCache
from kb.errors import (
    BusyError,
    DocumentError,
    IndexMismatchError,
    KnowledgeBaseError,
    LimitError,
    UnknownDocumentError,
)
from kb.indexing import IndexPublisher, VectorCollections
from kb.ingesting import Intake, Unchanged, failed_document, identify, may_pass
from kb.lexical import Stemmer
from kb.publishing import (
    erase_versions,
    remove_documents,
    restore_index,
    store_document,
    store_failure,
    touch_document,
)
from kb.query import SaidTurn
from kb.retrieval import Retriever


class Progress(Protocol):
    """Told how far an ingest is."""

    def __call__(self, stage: str, done: int, total: int, /) -> None:
        """`done` of `total` in `stage`, which is `documents` or `chunks`."""
        ...


class KnowledgeBase:
    """Documents, their chunks and the indexes over them."""

    def __init__(
        self,
        directory: Path,
        config: KnowledgeBaseConfig,
        *,
        embedder: Callable[[], Embedder],
        read_only: bool,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Use `open` instead, unless you bring an embedder of your own."""
        self._directory = directory
        self._config = config
        self._make_embedder = embedder
        self._read_only = read_only
        self._now = now
        if not read_only:
            directory.mkdir(parents=True, exist_ok=True)
        self._catalog = Catalog(directory / "catalog.sqlite3", read_only=read_only)
        self._write_lock = threading.RLock()
        self._reader_lock = threading.Lock()
        self._reader: _OpenIndex | None = None
        self._stemmer = Stemmer()

    @classmethod
    def open(
        cls,
        directory: Path | str,
        config: KnowledgeBaseConfig | None = None,
        *,
        weights: WeightsFolder | None = None,
        read_only: bool = False,
    ) -> Self:
        """Open the knowledge base in `directory`.

        Args:
            directory: Created when absent, unless `read_only`.
            config: None takes the defaults.
            weights: Where the embedding model comes from; None takes the default places.
            read_only: Refuse changes. Needs a knowledge base that exists.

        Raises:
            CatalogError: Nothing to read there, or a newer release wrote it.
        """
        config = config or KnowledgeBaseConfig()
        return cls(
            Path(directory),
            config,
            embedder=lambda: open_embedder(config.embedding, weights),
            read_only=read_only,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of files and connections."""
        with self._reader_lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None
        if "_cache" in self.__dict__:
            self._cache.close()
            del self.__dict__["_cache"]
        self._catalog.close()
        self._stemmer.close()

    @property
    def directory(self) -> Path:
        """Where it is kept."""
        return self._directory

    @property
    def config(self) -> KnowledgeBaseConfig:
        """How it works."""
        return self._config

    @property
    def index_version(self) -> int:
        """Number of publishes so far; 0 when nothing was ever added."""
        return self._catalog.index_version

    def add_file(self, path: Path | str, *, name: str | None = None) -> Document:
        """Take in a file, in place of what was taken in from this path before.

        Raises:
            DocumentError: The file cannot be taken in; `reason` says why.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._add([FileSource(Path(path), name)])[0]

    def add_link(self, url: str, *, name: str | None = None) -> Document:
        """Take in a page, in place of what was taken in from this URL before.

        Raises:
            DocumentError: The page cannot be taken in; `reason` says why.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._add([LinkSource(url, name)])[0]

    def add_text(self, name: str, text: str) -> Document:
        """Take in a text, in place of the one of this name.

        Raises:
            DocumentError: The text is empty.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._add([TextSource(name, text)])[0]

    def add_texts(
        self, texts: Iterable[tuple[str, str]], *, progress: Progress | None = None
    ) -> list[Document]:
        """Take in many (name, text) pairs and publish once.

        Raises:
            DocumentError: A text is empty; those before it are kept.
            LimitError: A text does not fit; those before it are kept.
        """
        return self._add([TextSource(name, text) for name, text in texts], progress=progress)

    def documents(self) -> list[Document]:
        """All documents, those that failed included, in the order they were first taken in."""
        return self._catalog.documents()

    def document(self, document_id: str) -> Document:
        """One document.

        Raises:
            UnknownDocumentError: There is none with this id.
        """
        found = self._catalog.fingerprint(document_id)
        if found is None:
            raise _unknown(document_id)
        return found.document

    def text_of(self, document_id: str, *, version: int | None = None) -> str:
        """The stored text that offsets of chunks and passages point into.

        Old versions, also of removed documents, stay readable by their number.

        Raises:
            UnknownDocumentError: There is no such document or version.
        """
        text = self._catalog.text_of(document_id, version=version)
        if text is None:
            raise _unknown(document_id)
        return text

    def chunks_of(self, document_id: str) -> list[ChunkRow]:
        """The chunks of a document in the index, in reading order."""
        return self._catalog.chunks_of(document_id)

    def remove(self, document_id: str, *, erase: bool = False) -> None:
        """Take a document out.

        Args:
            document_id: Which.
            erase: Erase its old versions too, so that no text of it is left. Answers that were
                given from it can then no longer be traced to their source.

        Raises:
            UnknownDocumentError: There is none with this id.
        """
        with self._writing() as publisher:
            if not remove_documents(self._catalog, [document_id]):
                raise _unknown(document_id)
            publisher.publish()
            if erase:
                erase_versions(self._catalog, document_id)
            self._forget_reader()

    def sync(self, sources: Iterable[Source], *, progress: Progress | None = None) -> SyncReport:
        """Make the knowledge base hold exactly these sources.

        What did not change is not read again, what is no longer named is removed, and a source
        that cannot be taken in becomes a failed row and stops nothing else.
        """
        started = time.monotonic()
        wanted = list(sources)
        with self._writing() as publisher:
            rows = self._remove_others(wanted)
            taken = [self._sync_one(source) for source in _counted(wanted, progress)]
            self._publish(publisher, progress)
        return SyncReport(
            rows=(*taken, *rows),
            chunks_embedded=publisher.embedded,
            seconds=time.monotonic() - started,
            index_version=self.index_version,
        )

    def retrieve(
        self, query: str, *, history: Sequence[SaidTurn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        """Find the passages that answer a turn, best first.

        Args:
            query: The user's turn.
            history: The turns before it, oldest first, without the query.
            limit: At most so many passages.

        Raises:
            IndexMismatchError: The index was built with another embedding model.
        """
        if not query.strip() or limit < 1:
            return []
        reader = self._open_reader()
        if reader is None:
            return []
        return reader.retriever.retrieve(query, history=history, limit=limit)

    def rollback(self, index_version: int | None = None) -> int:
        """Go back to the documents of an earlier publish; returns the new index version.

        Args:
            index_version: None takes the one before the present.

        Raises:
            KnowledgeBaseError: There is no such version.
        """
        with self._writing() as publisher:
            present = self.index_version
            wanted = present - 1 if index_version is None else index_version
            if not 0 <= wanted < present:
                raise KnowledgeBaseError(
                    f"There is no index version {wanted} to go back to: versions 0 to "
                    f"{present - 1} came before the present one."
                )
            restore_index(self._catalog, wanted)
            version = publisher.publish()
            self._forget_reader()
        return version

    def rebuild_index(self) -> int:
        """Build the vector index anew from the catalog; returns the new index version."""
        with self._writing() as publisher:
            version = publisher.rebuild()
            self._forget_reader()
        return version

    def vectors(self) -> tuple[list[str], Vectors]:
        """Ids and vectors of every chunk in the index, for exact search and for clustering."""
        keys = self._catalog.live_keys()
        held = self._cache.held(
            [key for _, key in keys], model_id=self._catalog.meta("model_id") or ""
        )
        ids = [chunk_id for chunk_id, key in keys if key in held]
        rows = [held[key] for _, key in keys if key in held]
        return ids, np.stack(rows) if rows else np.empty((0, 0), dtype=np.float32)

    def as_llama_index_retriever(self, *, limit: int = 5) -> Any:
        """This knowledge base as a llama-index `BaseRetriever`."""
        from kb.llama_index_retriever import make_llama_index_retriever

        return make_llama_index_retriever(lambda query: self.retrieve(query, limit=limit))

    @cached_property
    def _embedder(self) -> Embedder:
        return self._make_embedder()

    @cached_property
    def _cache(self) -> EmbeddingCache:
        return EmbeddingCache(self._directory / "embeddings.sqlite3")

    @cached_property
    def _intake(self) -> Intake:
        return Intake(self._config, self._embedder)

    def _add(
        self, sources: Sequence[Source], *, progress: Progress | None = None
    ) -> list[Document]:
        with self._writing() as publisher:
            try:
                return [self._store(source)[1] for source in _counted(sources, progress)]
            finally:
                self._publish(publisher, progress)

    def _store(self, source: Source) -> tuple[SyncAction, Document]:
        document_id = identify(source).document_id
        known = self._catalog.fingerprint(document_id)
        prepared = self._intake.take_in(source, known)
        if known is not None and isinstance(prepared, Unchanged):
            touch_document(
                self._catalog,
                document_id,
                name=known.document.name,
                etag=prepared.etag,
                last_modified=prepared.last_modified,
            )
            return "unchanged", known.document
        if isinstance(prepared, Unchanged):
            raise KnowledgeBaseError(f"{document_id!r} cannot be unchanged: it is not known.")
        document = store_document(
            self._catalog, prepared, limits=self._config.limits, now=self._now()
        )
        was_ready = known is not None and known.document.status == "ready"
        return "replaced" if was_ready else "added", document

    def _sync_one(self, source: Source) -> SyncRow:
        try:
            action, document = self._store(source)
        except (DocumentError, LimitError) as error:
            failure = error if isinstance(error, DocumentError) else None
            failure = failure or DocumentError("limit", str(error))
            document = store_failure(
                self._catalog,
                failed_document(source, failure),
                signature=self._intake.signature,
                keep_content=may_pass(failure.reason),
                now=self._now(),
            )
            action = "failed"
        return _row(action, document)

    def _remove_others(self, wanted: Sequence[Source]) -> list[SyncRow]:
        ids = {identify(source).document_id for source in wanted}
        others = [held for held in self.documents() if held.document_id not in ids]
        remove_documents(self._catalog, [document.document_id for document in others])
        return [_row("removed", document) for document in others]

    def _publish(self, publisher: IndexPublisher, progress: Progress | None) -> None:
        total = sum(operation == "add" for _, operation in self._catalog.pending_vectors())
        done = 0

        def count(embedded: int) -> None:
            nonlocal done
            done += embedded
            if progress is not None:
                progress("chunks", done, total)

        if publisher.is_needed():
            publisher.publish(on_embedded=count)
            self._forget_reader()

    @contextmanager
    def _writing(self) -> Generator[IndexPublisher]:
        """Hold the writer lock, with a publisher that has finished what a crash left undone."""
        if self._read_only:
            raise KnowledgeBaseError(
                f"The knowledge base in {str(self._directory)!r} was opened to read only. Open it "
                "without `read_only` to change it."
            )
        from filelock import FileLock, Timeout

        lock = FileLock(
            self._directory / "writer.lock", timeout=self._config.index.writer_timeout_s
        )
        with self._write_lock:
            try:
                lock.acquire()
            except Timeout as error:
                raise BusyError(
                    f"Another process is writing to {str(self._directory)!r} for more than "
                    f"{self._config.index.writer_timeout_s:g} s. Wait for it to finish, or raise "
                    "`index.writer_timeout_s`."
                ) from error
            try:
                collections = self._open_collections()
                try:
                    publisher = self._publisher(collections)
                    if publisher.is_needed():
                        publisher.publish()
                        self._forget_reader()
                    yield publisher
                finally:
                    collections.close()
            finally:
                lock.release()

    def _publisher(self, collections: VectorCollections) -> IndexPublisher:
        return IndexPublisher(
            self._catalog,
            cache=self._cache,
            embedder=self._embedder,
            collections=collections,
            config=self._config.index,
            ef_search=self._config.retrieval.ef_search,
        )

    def _open_collections(self) -> VectorCollections:
        from kb.chroma_index import ChromaClient

        return ChromaClient(self._directory / "chroma", self._config.index)

    def _open_reader(self) -> "_OpenIndex | None":
        """The index as last published; opened again when it moved."""
        version = self._catalog.index_version
        with self._reader_lock:
            if self._reader is not None and self._reader.version == version:
                return self._reader
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            name = self._catalog.meta("collection")
            if name is None:
                return None
            built_with = self._catalog.meta("model_id")
            if built_with != self._embedder.model_id:
                raise IndexMismatchError(
                    f"The index in {str(self._directory)!r} was built with {built_with!r}, but "
                    f"{self._embedder.model_id!r} is configured. Ingest again to rebuild it, or "
                    "configure the model it was built with."
                )
            collections = self._open_collections()
            ef_search = self._config.retrieval.ef_search
            retriever = Retriever(
                self._catalog,
                index=collections.collection(name, ef_search=ef_search),
                embedder=self._embedder,
                cache=self._cache,
                stemmer=self._stemmer,
                config=self._config.retrieval,
            )
            self._reader = _OpenIndex(version, collections, retriever)
            return self._reader

    def _forget_reader(self) -> None:
        with self._reader_lock:
            if self._reader is not None:
                self._reader.close()
                self._reader = None


class _OpenIndex:
    """One published version, open for reading."""

    def __init__(self, version: int, collections: VectorCollections, retriever: Retriever) -> None:
        self.version = version
        self.retriever = retriever
        self._collections = collections

    def close(self) -> None:
        self._collections.close()


def _counted(sources: Sequence[Source], progress: Progress | None) -> Generator[Source]:
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


def _unknown(document_id: str) -> UnknownDocumentError:
    return UnknownDocumentError(
        f"There is no document {document_id!r} in this knowledge base. `documents()` lists them."
    )
