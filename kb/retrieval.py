"""Queries -> passages: dense and lexical rankings, fused."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from kb.catalog import Catalog, ChunkRow
from kb.config import RetrievalConfig
from kb.document import RetrievedPassage
from kb.embedding import Embedder
from kb.indexing import VectorIndex
from kb.lexical import Stemmer, TermCounts, search_words
from kb.query import SaidTurn, build_queries


class Retriever:
    """Searches one version of the index."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        index: VectorIndex,
        embedder: Embedder,
        stemmer: Stemmer,
        config: RetrievalConfig,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._embedder = embedder
        self._stemmer = stemmer
        self._config = config
        self._terms = TermCounts(chunk_count=catalog.live_count())

    def retrieve(
        self, query: str, *, history: Sequence[SaidTurn], limit: int
    ) -> list[RetrievedPassage]:
        """Find the passages for a turn, best first."""
        queries = build_queries(query, history)
        rankings = self._dense(queries.dense) | self._lexical(queries.lexical)
        fused = fuse_rankings(rankings, k=self._config.fusion_k)
        best = fused[:limit]
        rows = self._catalog.chunks_by_row([row_id for row_id, _ in best])
        positions = {
            name: {row_id: rank for rank, row_id in enumerate(ranking, start=1)}
            for name, ranking in rankings.items()
        }
        found = [(rows[row_id], score) for row_id, score in best if row_id in rows]
        return [
            _passage(
                row,
                score=score,
                rank=rank,
                ranks={
                    name: ranks[row.row_id]
                    for name, ranks in positions.items()
                    if row.row_id in ranks
                },
            )
            for rank, (row, score) in enumerate(found, start=1)
        ]

    def _dense(self, queries: Mapping[str, str]) -> dict[str, list[int]]:
        vectors = self._embedder.embed_queries(list(queries.values()))
        found = self._index.search(vectors, limit=self._config.candidates)
        ids = list(dict.fromkeys(chunk_id for row in found for chunk_id, _ in row))
        rows = self._catalog.rows_of_chunks(ids)
        return {
            name: [rows[chunk_id] for chunk_id, _ in row if chunk_id in rows]
            for name, row in zip(queries, found, strict=True)
        }

    def _lexical(self, queries: Mapping[str, str]) -> dict[str, list[int]]:
        return {name: self._words(text) for name, text in queries.items()}

    def _words(self, text: str) -> list[int]:
        word_of = {stem: word for word, stem in self._stemmer.stems(text)}
        rarity = self._terms.rarity(self._catalog.connection, word_of)
        telling = sorted(rarity, key=lambda stem: -rarity[stem])[: self._config.max_terms]
        found = search_words(
            self._catalog.connection,
            [word_of[stem] for stem in telling],
            limit=self._config.candidates,
        )
        return [row_id for row_id, _ in found]


def fuse_rankings(rankings: Mapping[str, Sequence[int]], *, k: int) -> list[tuple[int, float]]:
    """Merge rankings by reciprocal rank: rank r of a ranking adds 1 / (k + r).

    Only ranks enter, so BM25 scores and cosines need no common scale.

    Returns:
        (row id, score) pairs, best first; ties keep first-seen order.

    Raises:
        ValueError: `k` is below 1.

    Source: Cormack, Clarke and Buettcher, "Reciprocal Rank Fusion outperforms Condorcet and
    individual Rank Learning Methods", SIGIR 2009, doi:10.1145/1571941.1572114.
    """
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    scores: dict[int, float] = defaultdict(float)
    for ranking in rankings.values():
        for rank, row_id in enumerate(ranking, start=1):
            scores[row_id] += 1 / (k + rank)
    return sorted(scores.items(), key=lambda item: -item[1])


def _passage(row: ChunkRow, *, score: float, rank: int, ranks: dict[str, int]) -> RetrievedPassage:
    return RetrievedPassage(
        document_id=row.document_id,
        document_name=row.document_name,
        chunk_id=row.chunk_id,
        text=row.body,
        start_char=row.start_char,
        end_char=row.end_char,
        heading_path=row.heading_path,
        page=row.page,
        score=score,
        rank=rank,
        ranks=ranks,
        document_version=row.document_version,
    )
