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
from typing import Any, Self

import numpy as np

from kb.catalog import Catalog, ChunkRow
from kb.config import KnowledgeBaseConfig
from kb.document import (
    Document,
    FileSource,
    LinkSource,
    RetrievedPassage,
    Source,
    SyncReport,
    TextSource,
)
from kb.embedding import Embedder, Vectors, WeightsFolder, open_embedder
from kb.embedding_cache import EmbeddingCache
from kb.errors import KnowledgeBaseError, UnknownDocumentError
from kb.indexing import IndexPublisher, VectorCollections
from kb.ingesting import Intake
from kb.planning import plan_all
from kb.publishing import erase_versions, remove_documents, restore_index
from kb.query import SaidTurn
from kb.reading import IndexReader
from kb.syncing import Progress, SourceStore, counted
from kb.writer_lock import writer_lock


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
        self._reader = IndexReader(
            self._catalog,
            config=config.retrieval,
            embedder=lambda: self._embedder,
            cache=lambda: self._cache,
            open_collections=self._open_collections,
            place=str(directory),
        )

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
        self._reader.close()
        if "_cache" in self.__dict__:
            self._cache.close()
            del self.__dict__["_cache"]
        self._catalog.close()

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
            self._reader.forget()

    def sync(self, sources: Iterable[Source], *, progress: Progress | None = None) -> SyncReport:
        """Make the knowledge base hold exactly these sources.

        What did not change is not read again, what is no longer named is removed, and a source
        that cannot be taken in becomes a failed row and stops nothing else.
        """
        started = time.monotonic()
        wanted = list(sources)
        with self._writing() as publisher:
            rows = self._sources.remove_others(wanted)
            taken = [self._sources.sync(source) for source in counted(wanted, progress)]
            self._publish(publisher, progress)
        return SyncReport(
            rows=(*taken, *rows),
            chunks_embedded=publisher.embedded,
            seconds=time.monotonic() - started,
            index_version=self.index_version,
        )

    def plan(self, sources: Iterable[Source]) -> SyncReport:
        """What `sync` would do with these sources; nothing is read but files, nothing changed.

        A link that is known counts as unchanged, because only fetching it can tell. A source that
        would not fit is a failed row with reason `limit`.
        """
        rows = plan_all(
            list(sources),
            self._catalog.fingerprints(),
            signature=Intake(self._config, self._embedder).signature,
            limits=self._config.limits,
        )
        return SyncReport(rows=tuple(rows), index_version=self.index_version)

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
        retriever = self._reader.retriever()
        if retriever is None:
            return []
        return retriever.retrieve(query, history=history, limit=limit)

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
            self._reader.forget()
        return version

    def rebuild_index(self) -> int:
        """Build the vector index anew from the catalog; returns the new index version."""
        with self._writing() as publisher:
            version = publisher.rebuild()
            self._reader.forget()
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
    def _sources(self) -> SourceStore:
        intake = Intake(self._config, self._embedder)
        return SourceStore(self._catalog, intake, limits=self._config.limits, now=self._now)

    def _add(
        self, sources: Sequence[Source], *, progress: Progress | None = None
    ) -> list[Document]:
        with self._writing() as publisher:
            try:
                return [self._sources.store(source)[1] for source in counted(sources, progress)]
            finally:
                self._publish(publisher, progress)

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
            self._reader.forget()

    @contextmanager
    def _writing(self) -> Generator[IndexPublisher]:
        """Hold the writer lock, with a publisher that has finished what a crash left undone."""
        if self._read_only:
            raise KnowledgeBaseError(
                f"The knowledge base in {str(self._directory)!r} was opened to read only. Open it "
                "without `read_only` to change it."
            )
        timeout_s = self._config.index.writer_timeout_s
        with self._write_lock, writer_lock(self._directory, timeout_s=timeout_s):
            collections = self._open_collections()
            try:
                publisher = self._publisher(collections)
                if publisher.is_needed():
                    publisher.publish()
                    self._reader.forget()
                yield publisher
            finally:
                collections.close()

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


def _unknown(document_id: str) -> UnknownDocumentError:
    return UnknownDocumentError(
        f"There is no document {document_id!r} in this knowledge base. `documents()` lists them."
    )
