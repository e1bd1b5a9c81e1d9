"""Queries -> passages: candidates from every ranking, scored together."""

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
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
from kb.scoring import ChunkWords, WordQuery, matched_terms, name_coverage, relevance, word_score

_NAMES_PER_TURN = 20
_NAMES_FOLLOWED = 4
_CHUNKS_PER_NAME = 60
_LENGTH_SAMPLE = 200
_MAX_KEPT_WORDS = 20_000
_COMMON_SHARE = 0.1
"""A word in more than this share of the chunks finds no candidates: it would find them all."""
_MIN_RARE_WORDS = 3


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
        self._terms = TermCounts(chunk_count=self._chunk_count)
        self._words: dict[int, ChunkWords] = {}
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
        return assemble(found, catalog=self._catalog, config=self._config, limit=limit)

    def _rank_by_meaning(self, search: _Search) -> None:
        found = self._index.search(search.vectors, limit=self._config.candidates)
        ids = list(dict.fromkeys(chunk_id for row in found for chunk_id, _ in row))
        rows = self._catalog.rows_of_chunks(ids)
        for name, row in zip(search.queries.dense, found, strict=True):
            search.rankings[name] = [rows[chunk_id] for chunk_id, _ in row if chunk_id in rows]

    def _rank_by_words(self, search: _Search) -> None:
        own = {stem for _, stem in self._stemmer.stems(search.queries.words[0].text)}
        last = WordQuery(
            weights={stem: 1.0 for stem in own},
            rarity={stem: search.words.rarity[stem] for stem in own & search.words.rarity.keys()},
        )
        search.rankings["lexical_last"] = self._search_words(search, last)
        if len(search.queries.words) > 1:
            search.rankings["lexical_context"] = self._search_words(search, search.words)

    def _search_words(self, search: _Search, query: WordQuery) -> list[int]:
        stems = query.most_telling(self._config.max_terms, weighted=True)
        rare_enough = -np.log(_COMMON_SHARE)
        rare = [stem for stem in stems if search.words.rarity[stem] >= rare_enough]
        stems = rare if len(rare) >= _MIN_RARE_WORDS else stems[: max(_MIN_RARE_WORDS, len(rare))]
        surface = self._surface(search.queries.words)
        return search_chunks(
            self._catalog.connection,
            [surface[stem] for stem in stems],
            limit=self._config.candidates,
        )

    def _rank_by_names(self, search: _Search) -> None:
        """Find names that were said, and the chunks that stand under the most likely ones."""
        connection = self._catalog.connection
        for said in search.queries.names:
            self._score_names(connection, said, search)
        followed = sorted(search.names, key=lambda name_id: -search.names[name_id])
        under = [
            row_id
            for name_id in followed[:_NAMES_FOLLOWED]
            for row_id in self._catalog.rows_under(name_id, limit=_CHUNKS_PER_NAME)
        ]
        if under:
            search.rankings["names"] = under

    def _score_names(
        self, connection: sqlite3.Connection, said: WeightedText, search: _Search
    ) -> None:
        pairs = self._stemmer.stems(said.text)
        stems = [stem for _, stem in pairs]
        rarity = self._terms.rarity(connection, stems)
        telling = sorted(rarity, key=lambda stem: -rarity[stem])[: self._config.max_terms]
        surface = {stem: word for word, stem in pairs}
        ids = search_names(connection, [surface[stem] for stem in telling], limit=_NAMES_PER_TURN)
        for name_id, name in self._catalog.names(ids).items():
            name_stems = [stem for _, stem in self._stemmer.stems(name)]
            of_name = self._terms.rarity(connection, name_stems)
            coverage = said.weight * name_coverage(name_stems, stems, of_name)
            if coverage > search.names.get(name_id, 0.0):
                search.names[name_id] = coverage

    def _score(self, search: _Search) -> list[Found]:
        ids = list(dict.fromkeys(row_id for row in search.rankings.values() for row_id in row))
        rows = self._catalog.chunks_by_row(ids)
        cosines = self._cosines(search, list(rows.values()))
        ranks = {
            name: {row_id: rank for rank, row_id in enumerate(ranking, start=1)}
            for name, ranking in search.rankings.items()
        }
        found: list[Found] = []
        for row in rows.values():
            words = self._words_of(row)
            score = self._config.dense_weight * cosines[row.row_id]
            score += (1 - self._config.dense_weight) * word_score(
                search.words,
                words,
                average_length=self._average_length,
                heading_weight=self._config.heading_weight,
            )
            said = search.names.get(row.name_id, 0.0) if row.name_id is not None else 0.0
            score += self._config.name_weight * said**2
            found.append(
                Found(
                    row=row,
                    score=score,
                    relevance=relevance(score),
                    words=words,
                    ranks={
                        name: positions[row.row_id]
                        for name, positions in ranks.items()
                        if row.row_id in positions
                    },
                    matched=tuple(matched_terms(search.words, words)),
                )
            )
        return sorted(found, key=lambda item: (-item.score, item.row.row_id))

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
        return WordQuery(weights=weights, rarity=rarity)

    def _surface(self, texts: Iterable[WeightedText]) -> Mapping[str, str]:
        return {stem: word for text in texts for word, stem in self._stemmer.stems(text.text)}

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
