"""Queries -> passages: candidates from every ranking, scored together."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import nlargest

from kb.config import RerankerConfig, RetrievalConfig
from kb.document import RetrievedPassage
from kb.embedding.embedder import Embedder, Vectors
from kb.errors import IndexMismatchError
from kb.index.catalog import Catalog, ChunkRow
from kb.index.embedding_cache import EmbeddingCache
from kb.index.exact_index import ExactIndex
from kb.index.index_publisher import NearestVectors
from kb.retrieval.passages import ScoredChunk, assemble, diversified, exact_first
from kb.retrieval.query import SaidTurn, SearchQueries, build_queries, context_text
from kb.retrieval.relevance import (
    lexical_relevance,
    lift_by_document,
    lift_by_neighbours,
    matched_terms,
    relevance,
)
from kb.retrieval.reranking import Reranker, blended_order, rescore
from kb.retrieval.surroundings import (
    Keyed,
    Stretches,
    lateness,
    said_beside,
    shared_by_copies,
)
from kb.retrieval.word_search import Ranking, WordHits, WordSearch

_OTHERS = 80
"""Chunks looked at whose meaning alone would not have found them."""
_LOOKED_AROUND = 24
"""The best so many chunks are told by the stretch around them too: where vectors are not in memory,
each stretch costs up to 8 reads."""


@dataclass(frozen=True, slots=True)
class _Parts:
    """What a chunk's score is made of, each already weighted."""

    words: float
    names: float
    exact: float
    meaning: float = 0.0

    @property
    def total(self) -> float:
        return self.meaning + self.words + self.names + self.exact


class LexicalRetriever:
    """Searches the words of one version of the index: no embedding, no vector index."""

    def __init__(self, catalog: Catalog, words: WordSearch, config: RetrievalConfig) -> None:
        self._catalog = catalog
        self._words = words
        self._config = config

    def retrieve(
        self, query: str, *, history: Sequence[SaidTurn], limit: int
    ) -> list[RetrievedPassage]:
        """Find passages that share words with a turn or stand under a name it says."""
        hits = self._words.search(build_queries(query, history, self._config))
        rows = _rows_of(self._catalog, hits.rankings)
        parts = {
            row_id: _word_parts(self._words, hits, row, self._config)
            for row_id, row in rows.items()
        }
        found = _found(
            rows,
            {row_id: each for row_id, each in parts.items() if each.total > 0},
            hits.rankings,
            words=self._words,
            config=self._config,
            probability=lexical_relevance,
        )
        return assemble(
            exact_first(found, list(hits.exact)),
            words=hits.query,
            catalog=self._catalog,
            config=self._config,
            limit=limit,
            is_telling=hits.is_telling,
        )


class Retriever:
    """Searches one version of the index by meaning, words and names."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        words: WordSearch,
        index: NearestVectors,
        embedder: Embedder,
        cache: EmbeddingCache,
        config: RetrievalConfig,
        dimension: int | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        """Search with these parts; `dimension` is the length of the vectors in the index."""
        self._catalog = catalog
        self._words = words
        self._index = index
        self._embedder = embedder
        self._cache = cache
        self._config = config
        self._dimension = dimension
        self._reranker = reranker
        self._by_words = LexicalRetriever(catalog, words, config)
        self._stretches = Stretches(catalog, self._held)

    def retrieve(
        self, query: str, *, history: Sequence[SaidTurn], limit: int
    ) -> list[RetrievedPassage]:
        """Find the passages for a turn, best first."""
        import numpy as np

        queries = build_queries(self._words.corrected(query), history, self._config)
        vectors = self._embed([text.text for text in queries.dense.values()])
        if not vectors.any():
            # The model does not know this script: what it says of it would be chance.
            return self._by_words.retrieve(query, history=history, limit=limit)
        hits = self._words.search(queries)
        rankings = {**self._rank_by_meaning(queries, vectors), **hits.rankings}
        rows = _rows_of(self._catalog, rankings)
        parts = {
            row_id: _word_parts(self._words, hits, row, self._config)
            for row_id, row in rows.items()
        }
        parts = {row_id: parts[row_id] for row_id in _promising(parts, queries, rankings)}
        cosines = _told_by_all(queries, rankings)
        weights = np.array([text.weight for text in queries.dense.values()], dtype=np.float32)
        direction = weights @ vectors
        unknown = [rows[row_id] for row_id in parts if row_id not in cosines]
        cosines |= self._cosines(direction, unknown)
        share = self._config.dense_weight
        parts = {
            row_id: _Parts(each.words, each.names, each.exact, share * cosines[row_id])
            for row_id, each in parts.items()
            if row_id in cosines
        }
        found = _found(
            rows,
            parts,
            rankings,
            words=self._words,
            config=self._config,
            probability=relevance,
            around=self._around(
                [rows[row_id] for row_id in parts], parts, cosines, direction, hits
            ),
        )
        found = diversified(found, weight=self._config.repeat_weight)
        if self._reranker is not None and self._config.reranker is not None:
            said = context_text(query, history, self._config)
            found = _reranked(said, list(found), self._reranker, self._config.reranker)
        return assemble(
            exact_first(found, list(hits.exact)),
            words=hits.query,
            catalog=self._catalog,
            config=self._config,
            limit=limit,
            is_telling=hits.is_telling,
        )

    def warm_up(self) -> None:
        """Load models and vectors, so that the first turn does not wait for them."""
        vectors = self._embed(["warm up"])
        self._index.search(vectors, limit=1)
        if self._reranker is not None:
            self._reranker.score("warm up", ["warm up"])

    def _embed(self, texts: Sequence[str]) -> Vectors:
        vectors = self._embedder.embed_queries(texts)
        if self._dimension not in (None, vectors.shape[1]):
            raise IndexMismatchError(
                f"{self._embedder.model_id!r} gives vectors of {vectors.shape[1]} numbers, but the "
                f"index holds vectors of {self._dimension}: another model answers to that name "
                "now. Build the index anew with `rebuild_index()`."
            )
        return vectors

    def _rank_by_meaning(self, queries: SearchQueries, vectors: Vectors) -> dict[str, Ranking]:
        found = self._index.search(vectors, limit=self._config.candidates)
        ids = list(dict.fromkeys(chunk_id for row in found for chunk_id, _ in row))
        rows = self._catalog.rows_of_chunks(ids)
        return {
            name: {rows[chunk_id]: cosine for chunk_id, cosine in row if chunk_id in rows}
            for name, row in zip(queries.dense, found, strict=True)
        }

    def _cosines(self, direction: Vectors, rows: Sequence[ChunkRow]) -> dict[int, float]:
        """Cosine of each chunk to the dense queries, weighted together."""
        import numpy as np

        vectors = self._vectors(rows)
        known = [row for row in rows if row.chunk_id in vectors]
        if not known:
            return {}
        cosines = np.stack([vectors[row.chunk_id] for row in known]) @ direction
        return {row.row_id: float(cosine) for row, cosine in zip(known, cosines, strict=True)}

    def _around(
        self,
        rows: Sequence[ChunkRow],
        parts: Mapping[int, _Parts],
        cosines: Mapping[int, float],
        direction: Vectors,
        hits: WordHits,
    ) -> dict[int, float]:
        """What each chunk gains or loses by what stands around it, and by its place."""
        config, words = self._config, self._words
        around = {row.row_id: -config.start_weight * lateness(row) for row in rows}
        if share := config.dense_weight * config.stretch_share:
            best = nlargest(_LOOKED_AROUND, rows, key=lambda row: parts[row.row_id].total)
            of = {row.row_id: self._stretches.of(row) for row in best}
            told = self._stretches.directions(of.values())
            cosine = {stretch: float(mean @ direction) for stretch, mean in told.items()}
            for row_id, stretch in of.items():
                if stretch in cosine:
                    around[row_id] += share * (cosine[stretch] - cosines[row_id])
        if config.beside_weight:
            beside = said_beside(
                rows, hits.query.worth, lambda row: matched_terms(hits.query, words.words_of(row))
            )
            for row_id, said in beside.items():
                around[row_id] += config.beside_weight * said
        return shared_by_copies(rows, around)

    def _vectors(self, rows: Sequence[ChunkRow]) -> dict[str, Vectors]:
        """Vectors of chunks by their ids, without those that an ingest is still embedding."""
        found = self._held([(row.chunk_id, row.text_key) for row in rows])
        lost = [row for row in rows if row.chunk_id not in found]
        if lost:
            pending = self._catalog.pending_among([row.chunk_id for row in lost])
            kept = [row for row in lost if row.chunk_id not in pending]
            texts = {row.text_key: row.indexed_text for row in kept}
            made = self._cache.vectors(texts, embedder=self._embedder)
            found |= {row.chunk_id: made[row.text_key] for row in kept}
        return found

    def _held(self, chunks: Sequence[Keyed]) -> dict[str, Vectors]:
        """Vectors of chunks by their ids, of those that were kept."""
        vectors: dict[str, Vectors] = {}
        if isinstance(self._index, ExactIndex):
            vectors = self._index.held([chunk_id for chunk_id, _ in chunks])
        missing = [chunk for chunk in chunks if chunk[0] not in vectors]
        held = self._cache.held([key for _, key in missing], model_id=self._embedder.model_id)
        return vectors | {chunk_id: held[key] for chunk_id, key in missing if key in held}


def _reranked(
    said: str, found: Sequence[ScoredChunk], reranker: Reranker, config: RerankerConfig
) -> list[ScoredChunk]:
    texts = [item.row.indexed_text for item in found[: config.candidates]]
    scores = rescore(said, texts, reranker=reranker, config=config)
    order = blended_order([item.score for item in found], scores, weight=config.weight)
    by_score = sorted(range(len(scores)), key=lambda place: -scores[place])
    rank_of = {place: rank for rank, place in enumerate(by_score, start=1)}
    return [
        replace(
            found[place],
            ranks={**found[place].ranks, "reranker": rank_of[place]},
            scores={**found[place].scores, "reranker": scores[place]},
        )
        if place in rank_of
        else found[place]
        for place in order
    ]


def _word_parts(
    words: WordSearch, hits: WordHits, row: ChunkRow, config: RetrievalConfig
) -> _Parts:
    """What a chunk's words and name add to its score."""
    named = hits.names.get(row.name_id, 0.0) if row.name_id is not None else 0.0
    return _Parts(
        words=(1 - config.dense_weight) * words.score(hits.query, row),
        names=config.name_weight * named**2,
        exact=config.exact_weight * hits.exact_share(words.words_of(row)),
    )


def _told_by_all(queries: SearchQueries, rankings: Mapping[str, Ranking]) -> dict[int, float]:
    """Weighted cosine of each chunk that every dense ranking has; the others' are not known."""
    held = [(rankings[name], text.weight) for name, text in queries.dense.items()]
    first, *others = (ranking for ranking, _ in held)
    shared = [row_id for row_id in first if all(row_id in other for other in others)]
    return {row_id: sum(weight * ranking[row_id] for ranking, weight in held) for row_id in shared}


def _promising(
    parts: Mapping[int, _Parts], queries: SearchQueries, rankings: Mapping[str, Ranking]
) -> list[int]:
    """What meaning found, and the best of the others: their vectors have to be read one by one."""
    near = dict.fromkeys(row_id for name in queries.dense for row_id in rankings[name])
    others = sorted(
        (row_id for row_id in parts if row_id not in near),
        key=lambda row_id: (-parts[row_id].total, row_id),
    )
    return [*(row_id for row_id in near if row_id in parts), *others[:_OTHERS]]


def _rows_of(catalog: Catalog, rankings: Mapping[str, Ranking]) -> dict[int, ChunkRow]:
    ids = dict.fromkeys(row_id for ranking in rankings.values() for row_id in ranking)
    return catalog.chunks_by_row(list(ids))


def _found(
    rows: Mapping[int, ChunkRow],
    parts: Mapping[int, _Parts],
    rankings: Mapping[str, Ranking],
    *,
    words: WordSearch,
    config: RetrievalConfig,
    probability: Callable[[float], float],
    around: Mapping[int, float] | None = None,
) -> Iterator[ScoredChunk]:
    """All candidates, best first, each with how it was found.

    `around` is what chunks gain or lose by what stands around them.
    """
    alone = {row_id: each.total for row_id, each in parts.items()}
    lifted = lift_by_document(
        alone,
        {row_id: rows[row_id].document_id for row_id in alone},
        weight=config.document_weight,
    )
    lifted = lift_by_neighbours(
        lifted,
        {row_id: (rows[row_id].document_id, rows[row_id].ordinal) for row_id in alone},
        weight=config.neighbour_weight,
    )
    for row_id, change in (around or {}).items():
        if row_id in lifted:
            lifted[row_id] += change
    ranks = {
        name: {row_id: rank for rank, row_id in enumerate(ranking, start=1)}
        for name, ranking in rankings.items()
    }
    for row_id in sorted(lifted, key=lambda row_id: (-lifted[row_id], row_id)):
        yield ScoredChunk(
            row=rows[row_id],
            score=lifted[row_id],
            relevance=probability(lifted[row_id]),
            words=words.words_of(rows[row_id]),
            ranks={name: held[row_id] for name, held in ranks.items() if row_id in held},
            scores={name: held[row_id] for name, held in rankings.items() if row_id in held},
            parts={
                "meaning": parts[row_id].meaning,
                "words": parts[row_id].words,
                "names": parts[row_id].names,
                "exact": parts[row_id].exact,
                "document": lifted[row_id] - alone[row_id],
            },
        )
