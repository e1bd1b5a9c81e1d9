"""A turn -> chunks by its words and by the names it says. Needs the catalog only, no embedding."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kb.config import RetrievalConfig
from kb.index.catalog import Catalog, ChunkRow
from kb.retrieval.lexical import Stemmer, TermCounts, search_chunks, search_names
from kb.retrieval.query import SearchQueries, WeightedText
from kb.retrieval.relevance import ChunkWords, WordQuery, name_coverage, word_score

Ranking = dict[int, float]
"""Score of each row found, best first."""

_NAMES_PER_TURN = 20
_NAMES_FOLLOWED = 4
_CHUNKS_PER_NAME = 60
_LENGTH_SAMPLE = 200
_MAX_KEPT_WORDS = 20_000
_MAX_KEPT_TURNS = 2_000
_FAINT_NAME = 0.1
"""Names said less than this are not followed: they would add nothing to a score."""
_MAX_POSTINGS = 3_000
"""Places that one lexical query may look at: a few milliseconds, at any size."""


@dataclass(frozen=True, slots=True)
class WordHits:
    """What the words of one turn found."""

    query: WordQuery
    names: dict[int, float]
    """How much of each name was said, 0 to 1, by name id."""
    rankings: dict[str, Ranking] = field(default_factory=dict[str, Ranking])


class WordSearch:
    """Searches the words of one version of the index."""

    def __init__(self, catalog: Catalog, *, stemmer: Stemmer, config: RetrievalConfig) -> None:
        self._catalog = catalog
        self._stemmer = stemmer
        self._config = config
        self._terms = TermCounts(stemmer, chunk_count=catalog.live_count())
        self._words: dict[int, ChunkWords] = {}
        self._names: dict[str, Mapping[int, float]] = {}
        self._headings: dict[str, list[str]] = {}
        self._average_length = self._measure_length()

    def search(self, queries: SearchQueries) -> WordHits:
        """Rank chunks by the words of the last turn, by those of all turns, and by names."""
        said = queries.words
        query = self._word_query(said)
        rankings = {"lexical_last": self._search_words(self._word_query(said[:1]), said[:1])}
        if len(said) > 1:
            rankings["lexical_context"] = self._search_words(query, said)
        names = self._names_said(queries)
        under = self._rows_under(names)
        if under:
            rankings["names"] = under
        return WordHits(query, names, rankings)

    def words_of(self, row: ChunkRow) -> ChunkWords:
        """The words of a chunk, counted once."""
        words = self._words.get(row.row_id)
        if words is None:
            if len(self._words) > _MAX_KEPT_WORDS:
                self._words = {}
            words = self._words[row.row_id] = self._count_words(row)
        return words

    def score(self, query: WordQuery, row: ChunkRow) -> float:
        """How well the words of a chunk fit, about 0 to 1."""
        return word_score(
            query,
            self.words_of(row),
            average_length=self._average_length,
            heading_weight=self._config.heading_weight,
        )

    def _search_words(self, query: WordQuery, said: Sequence[WeightedText]) -> Ranking:
        stems = self._terms.affordable(
            list(query.worth)[: self._config.max_terms], max_postings=_MAX_POSTINGS
        )
        surface = {stem: word for text in said for word, stem in self._stemmer.stems(text.text)}
        return search_chunks(
            self._catalog.connection,
            [surface[stem] for stem in stems],
            limit=self._config.candidates,
        )

    def _names_said(self, queries: SearchQueries) -> dict[int, float]:
        names: dict[int, float] = {}
        for said in queries.names:
            for name_id, coverage in self._names_in(said.text).items():
                names[name_id] = max(names.get(name_id, 0.0), said.weight * coverage)
        return names

    def _rows_under(self, names: Mapping[int, float]) -> Ranking:
        """Chunks that stand under the most likely names."""
        said = [name_id for name_id in names if names[name_id] > _FAINT_NAME]
        followed = sorted(said, key=lambda name_id: -names[name_id])
        return {
            row_id: names[name_id]
            for name_id in followed[:_NAMES_FOLLOWED]
            for row_id in self._catalog.rows_under(name_id, limit=_CHUNKS_PER_NAME)
        }

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
        for name_id, name in self._catalog.names(list(ids)).items():
            name_stems = self._stemmer.stem_list(name)
            of_name = self._terms.rarity(connection, name_stems)
            coverage = name_coverage(name_stems, stems, of_name)
            if coverage > 0:
                found[name_id] = coverage
        return found

    def _word_query(self, texts: Sequence[WeightedText]) -> WordQuery:
        weights: dict[str, float] = {}
        for text in texts:
            for _, stem in self._stemmer.stems(text.text):
                weights[stem] = max(weights.get(stem, 0.0), text.weight)
        rarity = self._terms.rarity(self._catalog.connection, weights)
        return WordQuery(
            weights, rarity, unheard_rarity=self._config.unheard_share * self._terms.highest
        )

    def _count_words(self, row: ChunkRow) -> ChunkWords:
        # Chunks of one document stand under few different headings.
        above = self._headings.get(row.headings)
        if above is None:
            if len(self._headings) > _MAX_KEPT_TURNS:
                self._headings = {}
            above = self._stemmer.stem_list(row.headings)
            self._headings[row.headings] = above
        own = self._stemmer.stem_list(_own_headings(row))
        body = self._stemmer.stem_list(row.body)
        return ChunkWords(
            counts=Counter(body + above),
            heading=frozenset(above + own),
            length=len(body) + len(above),
        )

    def _measure_length(self) -> float:
        rows = self._catalog.chunks_by_row(self._catalog.sample_rows(_LENGTH_SAMPLE))
        lengths = [self.words_of(row).length for row in rows.values()]
        return sum(lengths) / len(lengths) if lengths else 1.0


def _own_headings(row: ChunkRow) -> str:
    """Headings that a chunk's text starts with."""
    if not row.body.lstrip().startswith("#"):
        return ""
    lines: list[str] = []
    for line in row.body.splitlines():
        if line.strip() and not line.startswith("#"):
            break
        lines.append(line)
    return "\n".join(lines)
