"""This project and what people would use instead, behind one face: texts in, places found out.

* vivavoce            the default configuration
* LlamaIndex          `VectorStoreIndex.from_documents` with its defaults
* LlamaIndex fusion   `QueryFusionRetriever` over the same index and `BM25Retriever`, no language
                      model, reciprocal rank fusion
* Chroma              texts cut at 800 characters as LangChain's recursive splitter does, one
                      collection with its defaults
* bm25s               the same pieces, English stems and stop words, as its documentation starts

All embed with the same embedder that is handed in.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from kb.config import KnowledgeBaseConfig, Limits
from kb.embedding.embedder import Embedder
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.query import SaidTurn

RECURSIVE_CHARS = 800
_SEPARATORS = ("\n\n", "\n", " ")
_ADD_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a text that was found."""

    name: str
    start: int
    end: int


Search = Callable[[str, Sequence[SaidTurn], int], list[Place]]
"""(query, turns before it, how many) -> places, best first."""


@dataclass(frozen=True, slots=True)
class System:
    """One way to do it."""

    name: str
    open: Callable[[Mapping[str, str], Path, Embedder], AbstractContextManager[Search]]
    """(texts by name, an empty folder, embedder) -> its search over these texts."""


@contextmanager
def open_vivavoce(
    texts: Mapping[str, str],
    folder: Path,
    embedder: Embedder,
    config: KnowledgeBaseConfig | None = None,
) -> Any:
    """This project; what is in the folder already is used as it is."""
    lifted = KnowledgeBaseConfig(limits=Limits(max_documents=None, max_total_bytes=None))
    with KnowledgeBase(folder, config or lifted, embedder=lambda: embedder, read_only=False) as kb:
        if len(kb.documents()) != len(texts):
            kb.add_texts(texts.items())

        def search(query: str, history: Sequence[SaidTurn], limit: int) -> list[Place]:
            found = kb.retrieve(query, history=history, limit=limit)
            return [Place(each.document_name, each.start_char, each.end_char) for each in found]

        yield search


def open_llama_index(
    texts: Mapping[str, str], folder: Path, embedder: Embedder
) -> AbstractContextManager[Search]:
    """LlamaIndex as its documentation starts."""
    index = _vector_store_index(texts, embedder)

    def search(query: str, history: Sequence[SaidTurn], limit: int) -> list[Place]:
        found = index.as_retriever(similarity_top_k=limit).retrieve(query)
        return [_place_of(node.node) for node in found]

    return nullcontext(search)


def open_llama_index_fusion(
    texts: Mapping[str, str], folder: Path, embedder: Embedder
) -> AbstractContextManager[Search]:
    """LlamaIndex's hybrid search: vectors and BM25, fused by rank."""
    from llama_index.core.llms.mock import MockLLM
    from llama_index.core.retrievers import QueryFusionRetriever
    from llama_index.core.retrievers.fusion_retriever import FUSION_MODES
    from llama_index.retrievers.bm25 import BM25Retriever

    index = _vector_store_index(texts, embedder)
    pieces = len(index.docstore.docs)
    by_words = BM25Retriever.from_defaults(docstore=index.docstore, similarity_top_k=1)

    def search(query: str, history: Sequence[SaidTurn], limit: int) -> list[Place]:
        # Made once, because it indexes all texts again when it is made.
        by_words.similarity_top_k = min(limit, pieces)
        retriever = QueryFusionRetriever(
            [index.as_retriever(similarity_top_k=limit), by_words],
            llm=MockLLM(),
            similarity_top_k=limit,
            num_queries=1,
            mode=FUSION_MODES.RECIPROCAL_RANK,
            use_async=False,
        )
        return [_place_of(node.node) for node in retriever.retrieve(query)]

    return nullcontext(search)


@contextmanager
def open_chroma(texts: Mapping[str, str], folder: Path, embedder: Embedder) -> Any:
    """Chroma with its defaults."""
    import chromadb
    from chromadb.config import Settings

    client: Any = chromadb.PersistentClient(str(folder), Settings(anonymized_telemetry=False))
    collection = client.create_collection("texts", embedding_function=None)
    places, pieces = recursive_pieces(texts)
    for start in range(0, len(pieces), _ADD_AT_ONCE):
        part = slice(start, start + _ADD_AT_ONCE)
        collection.add(
            ids=[str(number) for number in range(start, start + len(pieces[part]))],
            embeddings=embedder.embed(pieces[part]),
            documents=pieces[part],
        )

    def search(query: str, history: Sequence[SaidTurn], limit: int) -> list[Place]:
        vector = embedder.embed_queries([query])
        found = collection.query(query_embeddings=vector, n_results=limit)
        return [places[int(piece)] for piece in found["ids"][0]]

    yield search
    client.close()


def open_bm25s(
    texts: Mapping[str, str], folder: Path, embedder: Embedder
) -> AbstractContextManager[Search]:
    """bm25s as its documentation starts."""
    import bm25s
    import Stemmer

    stemmer = Stemmer.Stemmer("english")
    places, pieces = recursive_pieces(texts)

    def words(said: list[str]) -> Any:
        return bm25s.tokenize(said, stopwords="en", stemmer=stemmer, show_progress=False)

    index = bm25s.BM25()
    index.index(words(pieces), show_progress=False)

    def search(query: str, history: Sequence[SaidTurn], limit: int) -> list[Place]:
        numbers, scores = index.retrieve(
            words([query]), k=min(limit, len(pieces)), show_progress=False
        )
        held = zip(numbers[0], scores[0], strict=True)
        return [places[int(number)] for number, score in held if score > 0]

    return nullcontext(search)


OURS = System("vivavoce", open_vivavoce)
BASELINES = (
    System("LlamaIndex", open_llama_index),
    System("LlamaIndex fusion", open_llama_index_fusion),
    System("Chroma", open_chroma),
    System("bm25s", open_bm25s),
)


def recursive_pieces(
    texts: Mapping[str, str], *, max_chars: int = RECURSIVE_CHARS
) -> tuple[list[Place], list[str]]:
    """Pieces of all texts, and where each is."""
    places = [
        Place(name, start, end)
        for name, text in texts.items()
        for start, end in recursive_spans(text, 0, len(text), max_chars=max_chars)
    ]
    return places, [texts[place.name][place.start : place.end] for place in places]


def recursive_spans(
    text: str, start: int, end: int, *, max_chars: int, separators: Sequence[str] = _SEPARATORS
) -> list[tuple[int, int]]:
    """Cut at the first separator, join parts up to `max_chars`, cut what is longer at the next.

    The same as LangChain's `RecursiveCharacterTextSplitter` without overlap, with offsets kept.
    """
    if not text[start:end].strip():
        return []
    if end - start <= max_chars:
        return [(start, end)]
    if not separators:
        return [(at, min(at + max_chars, end)) for at in range(start, end, max_chars)]
    spans: list[tuple[int, int]] = []
    open_from, at = start, start
    for part in text[start:end].split(separators[0]):
        part_end = at + len(part)
        if part_end - open_from > max_chars and at > open_from:
            spans += recursive_spans(
                text,
                open_from,
                at - len(separators[0]),
                max_chars=max_chars,
                separators=separators[1:],
            )
            open_from = at
        at = part_end + len(separators[0])
    spans += recursive_spans(text, open_from, end, max_chars=max_chars, separators=separators[1:])
    return spans


def _vector_store_index(texts: Mapping[str, str], embedder: Embedder) -> Any:
    from llama_index.core import Document, VectorStoreIndex

    documents = [
        Document(text=text, metadata={"name": name}, excluded_embed_metadata_keys=["name"])
        for name, text in texts.items()
    ]
    return VectorStoreIndex.from_documents(documents, embed_model=llama_index_embedding(embedder))


def llama_index_embedding(embedder: Embedder) -> Any:
    """An embedder as LlamaIndex wants it."""
    from llama_index.core.base.embeddings.base import BaseEmbedding

    class SameModel(BaseEmbedding):
        def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
            return embedder.embed(texts).tolist()

        def _get_text_embedding(self, text: str) -> list[float]:
            return self._get_text_embeddings([text])[0]

        def _get_query_embedding(self, query: str) -> list[float]:
            return embedder.embed_queries([query])[0].tolist()

        async def _aget_query_embedding(self, query: str) -> list[float]:
            return self._get_query_embedding(query)

    return SameModel()


def _place_of(node: Any) -> Place:
    return Place(node.metadata["name"], node.start_char_idx or 0, node.end_char_idx or 0)
