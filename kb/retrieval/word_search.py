"""A turn -> chunks by its words and by the names it says. Needs the catalog only, no embedding."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from kb.config import RetrievalConfig
from kb.index.catalog import Catalog, ChunkRow
from kb.retrieval.lexical import affordable, search_chunks, search_names
from kb.retrieval.query import SearchQueries
from kb.retrieval.reading import Reading
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
_MAX_EXACT = 8
_MAX_POSTINGS = 3_000
"""Places that one lexical query may look at: a few milliseconds, at any size."""


@dataclass(frozen=True, slots=True)
class WordHits:
    """What the words of one turn found."""

    query: WordQuery
    names: dict[int, float]
    """How much of each name was said, 0 to 1, by name id."""
    rankings: dict[str, Ranking] = field(default_factory=dict[str, Ranking])
    exact: dict[str, float] = field(default_factory=dict[str, float])
    """Rarity of each identifier and name of the query that few chunks hold, rarest first."""

    idle: frozenset[str] = frozenset()
    """Function words of the languages of the index, as terms."""

    def is_telling(self, term: str) -> bool:
        """Whether two texts that differ in this term say something else.

        A word that was asked for does, and a function word: "not" is one.
        """
        return term in self.query.asked or term in self.idle

    def exact_share(self, words: ChunkWords) -> float:
        """How much of these a chunk holds, 0 to 1."""
        held = sum(rarity for term, rarity in self.exact.items() if term in words.counts)
        return held / sum(self.exact.values()) if held else 0.0


class WordSearch:
    """Searches the words of one version of the index."""

    def __init__(self, catalog: Catalog, *, config: RetrievalConfig) -> None:
        self._catalog = catalog
        self._config = config
        self._reading = Reading(catalog, unheard_share=config.unheard_share)
        self._words: dict[int, ChunkWords] = {}
        self._names: dict[str, Mapping[int, float]] = {}
        self._average_length = self._measure_length()

    def search(self, queries: SearchQueries) -> WordHits:
        """Rank chunks by the words of the last turn, by those of all turns, and by names."""
        said = queries.words
        query = self._reading.query(said)
        rankings = {"lexical_last": self._search_words(self._reading.query(said[:1]))}
        if len(said) > 1:
            rankings["lexical_context"] = self._search_words(query)
        exact = self._reading.exact(queries.exact) if said else {}
        if exact:
            rankings["exact"] = search_chunks(
                self._catalog.connection, list(exact)[:_MAX_EXACT], limit=self._config.candidates
            )
        names = self._names_said(queries)
        under = self._rows_under(names)
        if under:
            rankings["names"] = under
        return WordHits(query, names, rankings, exact, self._reading.idle_terms)

    def corrected(self, query: str) -> str:
        """A query as the documents write its words, where hardly one of them is known."""
        return self._reading.corrected(query)

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

    def _search_words(self, query: WordQuery) -> Ranking:
        counts = self._reading.terms_to_search(query, max_terms=self._config.max_terms)
        return search_chunks(
            self._catalog.connection,
            affordable(counts, max_postings=_MAX_POSTINGS),
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
        sequences = self._reading.asked(said).sequences
        rarity = self._reading.rarities(term for sequence in sequences for term in sequence)
        telling = sorted(rarity, key=lambda term: -rarity[term])[: self._config.max_terms]
        ids = search_names(self._catalog.connection, telling, limit=_NAMES_PER_TURN)
        found: dict[int, float] = {}
        for name_id, name in self._catalog.names(list(ids)).items():
            of_name = self._reading.rarities(name)
            coverage = max(name_coverage(name, sequence, of_name) for sequence in sequences)
            if coverage > 0:
                found[name_id] = coverage
        return found

    def _count_words(self, row: ChunkRow) -> ChunkWords:
        body, above = row.terms.body.split(), row.terms.headings.split()
        counts = Counter(body)
        counts.update(above)
        for term in row.terms.extra.split():
            counts.setdefault(term, 1)
        return ChunkWords(
            counts=counts,
            heading=frozenset(above + body[: row.terms.own_headings]),
            length=len(body) + len(above),
        )

    def _measure_length(self) -> float:
        rows = self._catalog.chunks_by_row(self._catalog.sample_rows(_LENGTH_SAMPLE))
        lengths = [self.words_of(row).length for row in rows.values()]
        return sum(lengths) / len(lengths) if lengths else 1.0
