"""The index as last published, open for reading."""

import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from kb.config import RetrievalConfig
from kb.embedding.embedder import Embedder
from kb.errors import IndexMismatchError
from kb.index.catalog import Catalog
from kb.index.damage import telling_damage
from kb.index.embedding_cache import EmbeddingCache
from kb.index.exact_index import ExactIndex, load_vectors
from kb.index.index_publisher import DIMENSION, NearestVectors, VectorCollections
from kb.index.storage_errors import telling_unsearchable
from kb.retrieval.reranking import Reranker
from kb.retrieval.retriever import LexicalRetriever, Retriever
from kb.retrieval.word_search import WordSearch


@dataclass(slots=True)
class _Opened:
    """One published version."""

    version: int
    retriever: Retriever
    collections: VectorCollections | None
    """None where the vectors are searched in memory."""
    users: int = 0
    """Queries that are under way; the last of an old version closes it."""

    def close(self) -> None:
        if self.collections is not None:
            self.collections.close()


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
        reranker: Callable[[], Reranker | None],
        place: str,
        is_remote: bool = False,
    ) -> None:
        """Open nothing yet.

        Args:
            catalog: Says which version is the newest.
            config: How passages are found.
            embedder: Of the knowledge base.
            cache: Of its vectors.
            open_collections: Opens the vector indexes anew.
            reranker: Of the knowledge base, if it has one.
            place: The knowledge base, for error messages.
            is_remote: Whether the vector index is on a server, which is there to be asked.
        """
        self._catalog = catalog
        self._config = config
        self._embedder = embedder
        self._cache = cache
        self._open_collections = open_collections
        self._make_reranker = reranker
        self._place = place
        self._is_remote = is_remote
        self._lock = threading.Lock()
        self._words_lock = threading.Lock()
        self._opened: _Opened | None = None
        self._queries = 0
        self._renewal: threading.Thread | None = None
        self._changes = 0
        self._words: tuple[int, WordSearch] | None = None

    @property
    def is_open(self) -> bool:
        """Whether anybody has asked yet."""
        return self._opened is not None

    @property
    def is_read(self) -> bool:
        """Whether a query is under way."""
        return self._queries > 0

    @contextmanager
    def reading(self) -> Generator[Retriever | None]:
        """The retriever of the newest version; None when nothing was ever published.

        It stays open until the block is left, also when a newer version is published meanwhile.
        Where loading a version takes long, the one before answers until it is loaded.

        Raises:
            IndexMismatchError: The index was built with another embedding model.
            StorageError: The vector index has to write before it can search, and cannot.
        """
        place = Path(self._place)
        with telling_unsearchable(place), self._lock:
            opened = self._newest()
            self._queries += 1
            if opened is not None:
                opened.users += 1
        try:
            with telling_damage(place), telling_unsearchable(place):
                yield opened.retriever if opened is not None else None
        finally:
            if opened is not None:
                self._give_back(opened)
            with self._lock:
                self._queries -= 1

    def lexical_retriever(self) -> LexicalRetriever | None:
        """The same for words alone. Waits for no model, also while another thread loads one."""
        version = self._catalog.index_version
        if self._catalog.meta("collection") is None:
            return None
        return LexicalRetriever(self._catalog, self._word_search(version), self._config)

    @contextmanager
    def changing(self) -> Generator[None]:
        """Queries keep to the version that is open while this process changes the index."""
        with self._lock:
            self._changes += 1
        try:
            yield
        finally:
            with self._lock:
                self._changes -= 1

    def renew(self) -> None:
        """Open the newest version in place of the one that is open, if any is.

        It is opened beside the old one, so that no query waits for that.
        """
        if self._opened is None:
            return
        name = self._catalog.meta("collection")
        fresh = None if name is None else self._open(self._catalog.index_version, name)
        if fresh is not None:
            fresh.retriever.warm_up()
        with self._lock:
            self._retire()
            self._opened = fresh

    def close(self) -> None:
        """Let go of files."""
        renewal = self._renewal
        if renewal is not None:
            renewal.join()
        with self._lock:
            self._retire()

    def _newest(self) -> _Opened | None:
        version = self._catalog.index_version
        if self._opened is not None and (self._changes or self._opened.version == version):
            return self._opened
        if (
            self._opened is not None
            and self._opened.collections is not None
            and not self._is_remote
        ):
            # Another process published. A large index takes a second to load, which no turn waits.
            if self._renewal is None:
                self._renewal = threading.Thread(target=self._renew_aside, name="index renewal")
                self._renewal.start()
            return self._opened
        self._retire()
        name = self._catalog.meta("collection")
        if name is not None:
            self._opened = self._open(version, name)
        return self._opened

    def _renew_aside(self) -> None:
        try:
            self.renew()
        except Exception:
            # The next query opens it again, and is told what is wrong.
            with self._lock:
                self._retire()
        finally:
            with self._lock:
                self._renewal = None

    def _retire(self) -> None:
        if self._opened is not None and not self._opened.users:
            self._opened.close()
        self._opened = None

    def _give_back(self, opened: _Opened) -> None:
        with self._lock:
            opened.users -= 1
            if not opened.users and opened is not self._opened:
                opened.close()

    @cached_property
    def _reranker(self) -> Reranker | None:
        return self._make_reranker()

    def _word_search(self, version: int) -> WordSearch:
        with self._words_lock:
            if self._words is None or self._words[0] != version:
                search = WordSearch(self._catalog, config=self._config)
                self._words = (version, search)
            return self._words[1]

    def _open(self, version: int, name: str) -> _Opened:
        embedder = self._embedder()
        built_with = self._catalog.meta("model_id")
        if built_with != embedder.model_id:
            raise IndexMismatchError(
                f"The index in {self._place!r} was built with {built_with!r}, but "
                f"{embedder.model_id!r} is configured. Ingest again to rebuild it, or "
                "configure the model it was built with."
            )
        collections = None
        index: NearestVectors | None = self._exact_index()
        if index is None:
            collections = self._open_collections()
            try:
                index = collections.collection(name, ef_search=self._config.ef_search)
            except BaseException:
                collections.close()
                raise
        retriever = Retriever(
            self._catalog,
            words=self._word_search(version),
            index=index,
            embedder=embedder,
            cache=self._cache(),
            config=self._config,
            dimension=int(self._catalog.meta(DIMENSION) or 0) or None,
            reranker=self._reranker,
        )
        return _Opened(version, retriever, collections)

    def _exact_index(self) -> ExactIndex | None:
        """All vectors in memory, when that is wanted and every one of them is at hand."""
        search = self._config.search
        count = self._catalog.live_count()
        small = count <= self._config.exact_up_to_chunks and not self._is_remote
        if search == "approximate" or (search == "auto" and not small):
            return None
        ids, vectors = load_vectors(self._catalog, self._cache())
        # The vectors are kept in a file that may be lost; the collection has them too.
        return ExactIndex(ids, vectors) if len(ids) == count else None
