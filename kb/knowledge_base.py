"""One knowledge base in one directory: documents in, passages out.

    with KnowledgeBase.open("data/store/kb/support") as kb:
        kb.add_file("handbook.pdf")
        passages = kb.retrieve("how long do refunds take?")

Any number of processes may read and one may write; readers see a change on their next query.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from kb.closing import ClosedAtTheEnd
from kb.config import EmbeddingConfig, KnowledgeBaseConfig
from kb.document import (
    AnySource,
    Document,
    FileSource,
    LinkSource,
    RetrievedPassage,
    SiteSource,
    SyncReport,
    TextSource,
)
from kb.embedding.embedder import Embedder, Vectors, WeightsFolder
from kb.embedding.likeness import cosines
from kb.embedding.open_embedder import chosen_embedding, open_embedder, runs_any_language
from kb.folder import Changes, FolderParts, HeldFolder, LocalFolder
from kb.index.catalog import Catalog, ChunkRow
from kb.index.damage import telling_damage
from kb.index.exact_index import load_vectors
from kb.ingest.intake import Intake
from kb.ingest.plan import plan_all
from kb.ingest.site_listing import ListedSources, list_site, list_sites, read_pages, site_key
from kb.ingest.source_store import IngestProgress
from kb.ingest.writer import DERIVED, SYNCED_AT, unknown_document
from kb.precedence import PRECEDENCE
from kb.retrieval.index_reader import IndexReader
from kb.retrieval.query import Rewriter, SaidTurn
from kb.retrieval.reranking import Reranker, optional_reranker
from kb.snapshots.shared import Shared
from kb.snapshots.shared_folder import SharedFolder, shared_folder
from kb.words.spelling import whole_characters


class KnowledgeBase(ClosedAtTheEnd):
    """Documents, their chunks and the indexes over them."""

    def __init__(
        self,
        directory: Path,
        config: KnowledgeBaseConfig,
        *,
        embedder: Callable[[], Embedder],
        read_only: bool,
        reranker: Callable[[], Reranker | None] = lambda: None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        shared: Shared | None = None,
    ) -> None:
        """Use `open` instead, unless you bring an embedder or a reranker of your own."""
        self._config = config
        self._make_embedder, self._make_reranker = embedder, reranker
        parts = FolderParts(
            config, embedder=lambda: self._embedder, reranker=lambda: self._reranker, now=now
        )
        self._held: HeldFolder = (
            LocalFolder(directory, parts, read_only=read_only)
            if shared is None
            else SharedFolder(directory, parts, shared, read_only=read_only)
        )

    @classmethod
    def open(
        cls,
        directory: Path | str,
        config: KnowledgeBaseConfig | None = None,
        *,
        weights: WeightsFolder | None = None,
        read_only: bool = False,
        shared: Shared | None = None,
    ) -> Self:
        """Open the knowledge base in `directory`.

        Args:
            directory: Created when absent, unless `read_only`; only read when it is not writable.
            config: None takes the defaults.
            weights: Where the embedding model comes from; None takes the default places.
            read_only: Refuse changes. Needs a knowledge base that exists.
            shared: Where its snapshots are, for several machines; `directory` is then this
                machine's copy. None keeps it in `directory` alone.

        Raises:
            CatalogError: Nothing to read there, or a newer release wrote it.
        """
        config = config or KnowledgeBaseConfig()
        opened = cls(
            Path(directory),
            config,
            embedder=lambda: open_embedder(opened.embedding, weights),
            reranker=lambda: optional_reranker(config.retrieval.reranker, weights),
            read_only=read_only,
            shared=shared,
        )
        return opened

    def close(self) -> None:
        """Let go of files and connections."""
        self._held.close()

    @property
    def directory(self) -> Path:
        """Where what is read now is kept."""
        return self._held.opened.directory

    @property
    def derived_dir(self) -> Path:
        """For what others make of the documents; may be missing, deleted with every change."""
        return self.directory / DERIVED

    @property
    def config(self) -> KnowledgeBaseConfig:
        """How it works."""
        return self._config

    @property
    def embedding(self) -> EmbeddingConfig:
        """Which model compares meanings: the one that is named, or the one that was chosen."""
        given, built_with, here = self._config, self._catalog.meta("model_id"), runs_any_language()
        return chosen_embedding(
            given.embedding, given.query_languages, built_with=built_with, any_language=here
        )

    @property
    def index_version(self) -> int:
        """Number of publishes so far; 0 when nothing was ever added."""
        return self._catalog.index_version

    @property
    def synced_at(self) -> datetime | None:
        """When `sync` looked at every source last; None when it never did."""
        stored = self._catalog.meta(SYNCED_AT)
        return None if stored is None else datetime.fromisoformat(stored)

    def add_file(self, path: Path | str, *, name: str | None = None) -> Document:
        """Take in a file, in place of what was taken in from this path before.

        Raises:
            DocumentError: The file cannot be taken in; `reason` says why.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._writer.add([FileSource(Path(path), name)], progress=None)[0]

    def add_link(self, url: str, *, name: str | None = None) -> Document:
        """Take in a page, in place of what was taken in from this URL before.

        Raises:
            DocumentError: The page cannot be taken in; `reason` says why.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._writer.add([LinkSource(url, name)], progress=None)[0]

    def add_text(self, name: str, text: str) -> Document:
        """Take in a text, in place of the one of this name.

        Raises:
            DocumentError: The text is empty.
            LimitError: It does not fit. Nothing was changed in either case.
        """
        return self._writer.add([TextSource(name, text)], progress=None)[0]

    def add_texts(
        self, texts: Iterable[tuple[str, str]], *, progress: IngestProgress | None = None
    ) -> list[Document]:
        """Take in many (name, text) pairs and publish once.

        Raises:
            DocumentError: A text is empty; those before it are kept.
            LimitError: A text does not fit; those before it are kept.
        """
        sources = [TextSource(name, text) for name, text in texts]
        return self._writer.add(sources, progress=progress)

    def add_site(
        self,
        url: str,
        *,
        max_pages: int = 100,
        include: Sequence[str] = (),
        exclude: Sequence[str] = (),
        progress: IngestProgress | None = None,
    ) -> SyncReport:
        """Take in the pages of a site, each as a link of its own, and publish once.

        Pages come from the sitemap, or else by following links on the same server. A page that
        cannot be taken in or does not fit is a failed row of the report and stops nothing else.

        Args:
            url: Where to begin; only pages under its folder count.
            max_pages: Where to stop.
            include: Patterns such as `/help/*`; a page must match one of them when there are any.
            exclude: Patterns of pages to leave out.
            progress: Told how far it is.

        Raises:
            DocumentError: The first page cannot be fetched, or (`empty`) no page is in scope.
        """
        site = SiteSource(url, max_pages, tuple(include), tuple(exclude))
        listed = list_site(site, self._config)
        return self._writer.take_in(listed, remove_others=False, progress=progress)

    def site_pages(self, url: str) -> tuple[str, ...]:
        """The pages that the site at this URL had when it was listed last."""
        return read_pages(self._catalog.meta(site_key(url)))

    def documents(self) -> list[Document]:
        """All documents, those that failed included, in the order they were first taken in."""
        with telling_damage(self.directory):
            return self._catalog.documents()

    def document(self, document_id: str) -> Document:
        """One document.

        Raises:
            UnknownDocumentError: There is none with this id.
        """
        found = self._catalog.fingerprint(document_id)
        if found is None:
            raise unknown_document(document_id)
        return found.document

    def text_of(self, document_id: str, *, version: int | None = None) -> str:
        """The stored text that offsets of chunks and passages point into.

        Old versions, also of removed documents, stay readable by their number.

        Raises:
            UnknownDocumentError: There is no such document or version.
        """
        text = self._catalog.text_of(document_id, version=version)
        if text is None:
            raise unknown_document(document_id)
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
        self._writer.remove(document_id, erase=erase)

    def sync(
        self, sources: Iterable[AnySource], *, progress: IngestProgress | None = None
    ) -> SyncReport:
        """Make the knowledge base hold exactly these sources.

        What did not change is not read again, what is no longer named is removed; a source that
        fails becomes a failed row, and pages of a site that cannot be listed are kept and read.
        """
        listed = self._listed(sources)
        return self._writer.take_in(listed, remove_others=True, progress=progress)

    def plan(self, sources: Iterable[AnySource]) -> SyncReport:
        """What `sync` would do with these sources; only files and lists of pages are read.

        A link that is known counts as unchanged, because only fetching it can tell. A source that
        would not fit is a failed row with reason `limit`.
        """
        rows = plan_all(
            self._listed(sources).sources,
            self._catalog.fingerprints(),
            signature=Intake(self._config, self._embedder).signature,
            limits=self._config.limits,
        )
        return SyncReport(rows=tuple(rows), index_version=self.index_version)

    def retrieve(
        self,
        query: str,
        *,
        history: Sequence[SaidTurn] = (),
        limit: int = 5,
        rewrite: Rewriter | None = None,
    ) -> list[RetrievedPassage]:
        """Find the passages that answer a turn, best first.

        Args:
            query: The user's turn.
            history: The turns before it, oldest first, without the query.
            limit: At most so many passages.
            rewrite: Makes a query of the turn that stands alone, e.g. with a language model.

        Raises:
            IndexMismatchError: The index was built with another embedding model.
        """
        query = whole_characters(query)
        if not query.strip() or limit < 1:
            return []
        made = rewrite(query, history) if rewrite is not None and self.index_version else None
        rewritten = (made or "").strip() or None
        with PRECEDENCE.turn(), self._reader.reading() as retriever:
            asked = rewritten or query
            found = retriever.retrieve(asked, history=history, limit=limit) if retriever else []
        return [replace(passage, searched_for=rewritten) for passage in found]

    def retrieve_lexical(
        self, query: str, *, history: Sequence[SaidTurn] = (), limit: int = 5
    ) -> list[RetrievedPassage]:
        """Find passages by words and names alone: quick, and needs no embedding model.

        Arguments as of `retrieve`. What shares no word with the turn is not found; `score` is an
        estimate of the same probability from less evidence.
        """
        query = whole_characters(query)
        if not query.strip() or limit < 1:
            return []
        with PRECEDENCE.turn():
            words = self._reader.lexical_retriever()
            return words.retrieve(query, history=history, limit=limit) if words else []

    def similarities(self, text: str, others: Sequence[str]) -> list[float]:
        """How alike `text` is to each of `others`, as cosines of the embedding model."""
        with PRECEDENCE.turn():
            return cosines(self._embedder, text, others)

    def warm_up(self) -> None:
        """Open the index and load the models now, so that the first turn does not wait.

        Raises:
            IndexMismatchError: The index was built with another embedding model.
        """
        with self._reader.reading() as retriever:
            if retriever is not None:
                retriever.warm_up()

    def rollback(self, index_version: int | None = None) -> int:
        """Go back to the documents of an earlier publish; returns the new index version.

        Args:
            index_version: None takes the one before the present.

        Raises:
            KnowledgeBaseError: There is no such version.
        """
        return self._writer.rollback(index_version)

    @property
    def shared(self) -> SharedFolder:
        """Its snapshots; raises `SnapshotError` when it is kept in one folder alone."""
        return shared_folder(self._held)

    def rebuild_index(self) -> int:
        """Build the vector index anew from the catalog; returns the new index version."""
        return self._writer.rebuild_index()

    def vectors(self) -> tuple[list[str], Vectors]:
        """Ids and vectors of every chunk in the index, for exact search and for clustering."""
        return load_vectors((opened := self._held.opened).catalog, opened.cache)

    def as_llama_index_retriever(self, *, limit: int = 5) -> Any:
        """This knowledge base as a llama-index `BaseRetriever`."""
        from kb.llama_index_retriever import make_llama_index_retriever

        return make_llama_index_retriever(lambda query: self.retrieve(query, limit=limit))

    @cached_property
    def _embedder(self) -> Embedder:
        return self._make_embedder()

    @cached_property
    def _reranker(self) -> Reranker | None:
        return self._make_reranker()

    @property
    def _catalog(self) -> Catalog:
        return self._held.opened.catalog

    @property
    def _reader(self) -> IndexReader:
        return self._held.opened.reader

    @property
    def _writer(self) -> Changes:
        return self._held.changes

    def _listed(self, sources: Iterable[AnySource]) -> ListedSources:
        return list_sites(sources, self._config, known_pages=self.site_pages)
