"""Queries -> passages: candidates from every ranking, scored together."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from kb.catalog import Catalog, ChunkRow
from kb.config import RetrievalConfig
from kb.document import RetrievedPassage
from kb.embedding import Embedder, Vectors
from kb.embedding_cache import EmbeddingCache
from kb.indexing import VectorIndex
from kb.lexical import Stemmer, TermCounts, search_chunks, search_names
from kb.passages import Found, assemble
from kb.query import SaidTurn, SearchQueries, WeightedText, build_queries
from kb.scoring import (
    ChunkWords,
    WordQuery,
    lift_by_document,
    name_coverage,
    relevance,
    word_score,
)

_NAMES_PER_TURN = 20
_NAMES_FOLLOWED = 4
_CHUNKS_PER_NAME = 60
_LENGTH_SAMPLE = 200
_MAX_KEPT_WORDS = 20_000
_MAX_KEPT_TURNS = 2_000
_MAX_POSTINGS = 6_000
"""Places that one lexical query may look at: a few milliseconds, at any size."""


@dataclass
class _Search:
    """One turn on its way through the rankings."""

    queries: SearchQueries
    vectors: Vectors
    words: WordQuery
    names: dict[int, float] = field(default_factory=dict[int, float])
    rankings: dict[str, list[int]] = field(default_factory=dict[str, list[int]])


class Retriever:
    """Searches one version of the index."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        index: VectorIndex,
        embedder: Embedder,
        cache: EmbeddingCache,
        stemmer: Stemmer,
        config: RetrievalConfig,
    ) -> None:
        self._catalog = catalog
        self._index = index
        self._embedder = embedder
        self._cache = cache
        self._stemmer = stemmer
        self._config = config
        self._chunk_count = catalog.live_count()
        self._terms = TermCounts(stemmer, chunk_count=self._chunk_count)
        self._words: dict[int, ChunkWords] = {}
        self._names: dict[str, Mapping[int, float]] = {}
        self._average_length = self._measure_length()

    def retrieve(
        self, query: str, *, history: Sequence[SaidTurn], limit: int
    ) -> list[RetrievedPassage]:
        """Find the passages for a turn, best first."""
        queries = build_queries(query, history, self._config)
        search = _Search(
            queries=queries,
            vectors=self._embedder.embed_queries([text.text for text in queries.dense.values()]),
            words=self._word_query(queries.words),
        )
        self._rank_by_meaning(search)
        self._rank_by_words(search)
        self._rank_by_names(search)
        found = self._score(search)
        return assemble(
            found, words=search.words, catalog=self._catalog, config=self._config, limit=limit
        )

    def _rank_by_meaning(self, search: _Search) -> None:
        found = self._index.search(search.vectors, limit=self._config.candidates)
        ids = list(dict.fromkeys(chunk_id for row in found for chunk_id, _ in row))
        rows = self._catalog.rows_of_chunks(ids)
        for name, row in zip(search.queries.dense, found, strict=True):
            search.rankings[name] = [rows[chunk_id] for chunk_id, _ in row if chunk_id in rows]

    def _rank_by_words(self, search: _Search) -> None:
        said = search.queries.words
        search.rankings["lexical_last"] = self._search_words(self._word_query(said[:1]), said[:1])
        if len(said) > 1:
            search.rankings["lexical_context"] = self._search_words(search.words, said)

    def _search_words(self, query: WordQuery, said: Sequence[WeightedText]) -> list[int]:
        stems = self._terms.affordable(
            list(query.worth)[: self._config.max_terms], max_postings=_MAX_POSTINGS
        )
        surface = {stem: word for text in said for word, stem in self._stemmer.stems(text.text)}
        return search_chunks(
            self._catalog.connection,
            [surface[stem] for stem in stems],
            limit=self._config.candidates,
        )

    def _rank_by_names(self, search: _Search) -> None:
        """Find names that were said, and the chunks that stand under the most likely ones."""
        for said in search.queries.names:
            for name_id, coverage in self._names_in(said.text).items():
                weighed = said.weight * coverage
                search.names[name_id] = max(search.names.get(name_id, 0.0), weighed)
        followed = sorted(search.names, key=lambda name_id: -search.names[name_id])
        under = [
            row_id
            for name_id in followed[:_NAMES_FOLLOWED]
            for row_id in self._catalog.rows_under(name_id, limit=_CHUNKS_PER_NAME)
        ]
        if under:
            search.rankings["names"] = under

    def _names_in(self, said: str) -> Mapping[int, float]:
        """How much of each name was said in one turn; a turn is looked through once."""
        held = self._names.get(said)
        if held is None:
            if len(self._names) > _MAX_KEPT_TURNS:
                self._names = {}
            held = self._names[said] = self._find_names(said)
        return held

    def _find_names(self, said: str) -> Mapping[int, float]:
        connection = self._catalog.connection
        pairs = self._stemmer.stems(said)
        stems = [stem for _, stem in pairs]
        rarity = self._terms.rarity(connection, stems)
        telling = sorted(rarity, key=lambda stem: -rarity[stem])[: self._config.max_terms]
        surface = {stem: word for word, stem in pairs}
        ids = search_names(connection, [surface[stem] for stem in telling], limit=_NAMES_PER_TURN)
        found: dict[int, float] = {}
        for name_id, name in self._catalog.names(ids).items():
            name_stems = [stem for _, stem in self._stemmer.stems(name)]
            of_name = self._terms.rarity(connection, name_stems)
            coverage = name_coverage(name_stems, stems, of_name)
            if coverage > 0:
                found[name_id] = coverage
        return found

    def _score(self, search: _Search) -> list[Found]:
        ids = list(dict.fromkeys(row_id for row in search.rankings.values() for row_id in row))
        rows = self._catalog.chunks_by_row(ids)
        words = {row_id: self._words_of(row) for row_id, row in rows.items()}
        scores = self._chunk_scores(search, rows, words)
        lifted = lift_by_document(
            scores,
            {row_id: row.document_id for row_id, row in rows.items()},
            weight=self._config.document_weight,
        )
        ranks = {
            name: {row_id: rank for rank, row_id in enumerate(ranking, start=1)}
            for name, ranking in search.rankings.items()
        }
        found = [
            Found(
                row=row,
                score=lifted[row_id],
                relevance=relevance(lifted[row_id]),
                words=words[row_id],
                ranks={name: held[row_id] for name, held in ranks.items() if row_id in held},
            )
            for row_id, row in rows.items()
        ]
        return sorted(found, key=lambda item: (-item.score, item.row.row_id))

    def _chunk_scores(
        self, search: _Search, rows: Mapping[int, ChunkRow], words: Mapping[int, ChunkWords]
    ) -> dict[int, float]:
        """Score of each chunk by itself: meaning, words and names."""
        config = self._config
        cosines = self._cosines(search, list(rows.values()))
        scores: dict[int, float] = {}
        for row_id, row in rows.items():
            said = word_score(
                search.words,
                words[row_id],
                average_length=self._average_length,
                heading_weight=config.heading_weight,
            )
            named = search.names.get(row.name_id, 0.0) if row.name_id is not None else 0.0
            meant = config.dense_weight * cosines[row_id]
            scores[row_id] = (
                meant + (1 - config.dense_weight) * said + config.name_weight * named**2
            )
        return scores

    def _cosines(self, search: _Search, rows: Sequence[ChunkRow]) -> dict[int, float]:
        """Weighted cosine of each chunk to the dense queries."""
        if not rows:
            return {}
        texts = {
            row.text_key: f"{row.headings}\n{row.body}" if row.headings else row.body
            for row in rows
        }
        held = self._cache.vectors(texts, embedder=self._embedder)
        weights = np.array([text.weight for text in search.queries.dense.values()])
        direction = weights @ search.vectors
        matrix = np.stack([held[row.text_key] for row in rows])
        return {
            row.row_id: float(cosine) for row, cosine in zip(rows, matrix @ direction, strict=True)
        }

    def _word_query(self, texts: Sequence[WeightedText]) -> WordQuery:
        weights: dict[str, float] = {}
        for text in texts:
            for _, stem in self._stemmer.stems(text.text):
                weights[stem] = max(weights.get(stem, 0.0), text.weight)
        rarity = self._terms.rarity(self._catalog.connection, weights)
        return WordQuery(
            weights, rarity, unheard_rarity=self._config.unheard_share * self._terms.highest
        )

    def _words_of(self, row: ChunkRow) -> ChunkWords:
        words = self._words.get(row.row_id)
        if words is None:
            if len(self._words) > _MAX_KEPT_WORDS:
                self._words = {}
            words = self._words[row.row_id] = self._count_words(row)
        return words

    def _count_words(self, row: ChunkRow) -> ChunkWords:
        heading = [stem for _, stem in self._stemmer.stems(f"{row.headings}\n{_own_headings(row)}")]
        body = [stem for _, stem in self._stemmer.stems(row.body)]
        above = [stem for _, stem in self._stemmer.stems(row.headings)]
        return ChunkWords(
            counts=Counter(body + above),
            heading=frozenset(heading),
            length=len(body) + len(above),
        )

    def _measure_length(self) -> float:
        rows = self._catalog.chunks_by_row(self._catalog.sample_rows(_LENGTH_SAMPLE))
        lengths = [self._words_of(row).length for row in rows.values()]
        return sum(lengths) / len(lengths) if lengths else 1.0


def _own_headings(row: ChunkRow) -> str:
    """Headings that a chunk's text starts with."""
    lines: list[str] = []
    for line in row.body.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        lines.append(line)
    return "\n".join(lines)
