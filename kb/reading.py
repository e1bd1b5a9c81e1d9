"""The index as last published, open for reading."""

import threading
from collections.abc import Callable

from kb.catalog import Catalog
from kb.config import RetrievalConfig
from kb.embedding import Embedder
from kb.embedding_cache import EmbeddingCache
from kb.errors import IndexMismatchError
from kb.indexing import VectorCollections
from kb.lexical import Stemmer
from kb.retrieval import Retriever


class IndexReader:
    """Gives the retriever of the newest published version. Safe to share between threads."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        config: RetrievalConfig,
        embedder: Callable[[], Embedder],
        cache: Callable[[], EmbeddingCache],
        open_collections: Callable[[], VectorCollections],
        place: str,
    ) -> None:
        """Open nothing yet.

        Args:
            catalog: Says which version is the newest.
            config: How passages are found.
            embedder: Of the knowledge base.
            cache: Of its vectors.
            open_collections: Opens the vector indexes anew.
            place: The knowledge base, for error messages.
        """
        self._catalog = catalog
        self._config = config
        self._embedder = embedder
        self._cache = cache
        self._open_collections = open_collections
        self._place = place
        self._lock = threading.Lock()
        self._stemmer = Stemmer()
        self._opened: _Opened | None = None

    def retriever(self) -> Retriever | None:
        """The retriever of the newest version; None when nothing was ever published.

        Raises:
            IndexMismatchError: The index was built with another embedding model.
        """
        version = self._catalog.index_version
        with self._lock:
            if self._opened is not None and self._opened.version == version:
                return self._opened.retriever
            self._let_go()
            name = self._catalog.meta("collection")
            if name is None:
                return None
            self._opened = self._open(version, name)
            return self._opened.retriever

    def forget(self) -> None:
        """Close the version that is open, if any; the next query opens the newest one."""
        with self._lock:
            self._let_go()

    def close(self) -> None:
        """Let go of files."""
        self.forget()
        self._stemmer.close()

    def _let_go(self) -> None:
        if self._opened is not None:
            self._opened.collections.close()
            self._opened = None

    def _open(self, version: int, name: str) -> "_Opened":
        embedder = self._embedder()
        built_with = self._catalog.meta("model_id")
        if built_with != embedder.model_id:
            raise IndexMismatchError(
                f"The index in {self._place!r} was built with {built_with!r}, but "
                f"{embedder.model_id!r} is configured. Ingest again to rebuild it, or "
                "configure the model it was built with."
            )
        collections = self._open_collections()
        retriever = Retriever(
            self._catalog,
            index=collections.collection(name, ef_search=self._config.ef_search),
            embedder=embedder,
            cache=self._cache(),
            stemmer=self._stemmer,
            config=self._config,
        )
        return _Opened(version, collections, retriever)


class _Opened:
    """One published version."""

    def __init__(self, version: int, collections: VectorCollections, retriever: Retriever) -> None:
        self.version = version
        self.collections = collections
        self.retriever = retriever
