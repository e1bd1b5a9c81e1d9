"""A folder with a knowledge base in it, opened: what is read there, and what changes it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Protocol

from kb.config import KnowledgeBaseConfig
from kb.document import Document, Source, SyncReport
from kb.embedding.embedder import Embedder
from kb.index.embedding_cache import EmbeddingCache, open_cache
from kb.index.index_publisher import VectorCollections
from kb.index.open_catalog import open_catalog
from kb.ingest.site_listing import ListedSources
from kb.ingest.source_store import IngestProgress
from kb.ingest.writer import VECTORS, Writer
from kb.retrieval.index_reader import IndexReader
from kb.retrieval.reranking import Reranker


@dataclass(frozen=True, slots=True)
class FolderParts:
    """What every folder of one knowledge base is opened with; models are loaded once."""

    config: KnowledgeBaseConfig
    embedder: Callable[[], Embedder]
    reranker: Callable[[], Reranker | None]
    now: Callable[[], datetime]


class OpenedFolder:
    """What is read of one folder."""

    def __init__(self, directory: Path, parts: FolderParts, *, read_only: bool) -> None:
        """Open the catalog; the rest is opened by the first that needs it."""
        self.directory = directory
        self._config = parts.config
        self.catalog = open_catalog(directory, read_only=read_only)
        self.reader = IndexReader(
            self.catalog,
            config=parts.config.retrieval,
            embedder=parts.embedder,
            cache=lambda: self.cache,
            open_collections=self.open_collections,
            reranker=parts.reranker,
            place=str(directory),
            is_remote=parts.config.index.chroma_url is not None,
        )

    @cached_property
    def cache(self) -> EmbeddingCache:
        """Vectors that were computed before."""
        return open_cache(self.directory, read_only=self.catalog.read_only)

    def open_collections(self) -> VectorCollections:
        """Open the vector indexes anew."""
        from kb.index.chroma_index import ChromaClient

        return ChromaClient(self.directory / VECTORS, self._config.index)

    def close(self) -> None:
        """Let go of files and connections."""
        self.reader.close()
        if "cache" in self.__dict__:
            self.cache.close()
            del self.__dict__["cache"]
        self.catalog.close()


class Changes(Protocol):
    """What changes a knowledge base; `Writer` says what each of them does."""

    def add(self, sources: Sequence[Source], *, progress: IngestProgress | None) -> list[Document]:
        """Take in sources."""
        ...

    def take_in(
        self, listed: ListedSources, *, remove_others: bool, progress: IngestProgress | None
    ) -> SyncReport:
        """Take in sources, each failure a row."""
        ...

    def remove(self, document_id: str, *, erase: bool) -> None:
        """Take one document out."""
        ...

    def rollback(self, index_version: int | None) -> int:
        """Go back to an earlier publish."""
        ...

    def rebuild_index(self) -> int:
        """Build the vector index anew."""
        ...


class HeldFolder(Protocol):
    """Where a knowledge base is kept."""

    @property
    def opened(self) -> OpenedFolder:
        """What is read now. It may be another one the next time, and stays open meanwhile."""
        ...

    @property
    def changes(self) -> Changes:
        """What changes it."""
        ...

    def close(self) -> None:
        """Let go of files and connections."""
        ...


class LocalFolder:
    """A knowledge base that is kept in one folder, read and changed where it lies."""

    def __init__(self, directory: Path, parts: FolderParts, *, read_only: bool) -> None:
        self.opened = OpenedFolder(directory, parts, read_only=read_only)
        self.changes: Changes = writer_of(self.opened, parts)

    def close(self) -> None:
        """Let go of files and connections."""
        self.opened.close()


def writer_of(opened: OpenedFolder, parts: FolderParts) -> Writer:
    """What changes an opened folder."""
    return Writer(
        opened.directory,
        opened.catalog,
        config=parts.config,
        embedder=parts.embedder,
        cache=lambda: opened.cache,
        open_collections=opened.open_collections,
        now=parts.now,
        served=opened.reader,
        read_only=opened.catalog.read_only,
    )
