"""The lexical index of the catalog: how rare terms are, and which chunks hold them."""

import math
import sqlite3
from collections.abc import Collection, Iterable, Sequence

_FUNCTION_SHARE = 0.2
"""What a function word counts. Rarity finds them by itself in a large knowledge base; in one of
five documents "can't" and "more" look as rare as a name."""


_MAX_KEPT = 200_000
_MAX_VARIABLES = 500


class TermCounts:
    """In how many chunks a term is, remembered for one version of the index."""

    def __init__(self, *, chunk_count: int) -> None:
        self._chunk_count = max(chunk_count, 1)
        self._counts: dict[str, int] = {}

    @property
    def highest(self) -> float:
        """Rarity of a term that is in one chunk only."""
        return math.log(1 + max(self._chunk_count - 0.5, 0.5) / 1.5)

    def read(self, connection: sqlite3.Connection, terms: Iterable[str]) -> dict[str, int]:
        """Count many terms at once, which takes less than one by one; gives those that are new."""
        if len(self._counts) > _MAX_KEPT:
            self._counts = {}
        new = [term for term in dict.fromkeys(terms) if term not in self._counts]
        # Other threads must see no count that is not read yet.
        found = dict.fromkeys(new, 0)
        for start in range(0, len(new), _MAX_VARIABLES):
            part = new[start : start + _MAX_VARIABLES]
            rows = connection.execute(
                f"select term, doc from chunk_terms where term in ({','.join('?' * len(part))})",
                part,
            )
            found.update((str(term), int(count)) for term, count in rows)
        self._counts.update(found)
        return found

    def count(self, connection: sqlite3.Connection, term: str) -> int:
        """How many chunks hold a term."""
        held = self._counts.get(term)
        if held is None:
            held = self.read(connection, [term]).get(term, 0)
        return held

    def rarity(self, count: int, *, is_idle: bool = False) -> float:
        """Inverse document frequency, as BM25 uses it, of what is in `count` chunks.

        log(1 + (N - n + 0.5) / (n + 0.5)) for n of N chunks; always above 0. Function words count
        a fifth of it.
        """
        rarity = math.log(1 + (max(self._chunk_count - count, 0) + 0.5) / (count + 0.5))
        return rarity * (_FUNCTION_SHARE if is_idle else 1.0)

    def rarities(
        self, connection: sqlite3.Connection, terms: Iterable[str], *, idle: Collection[str]
    ) -> dict[str, float]:
        """Rarity of each of these terms that the index has; `idle` are function words."""
        terms = list(terms)
        self.read(connection, terms)
        return {
            term: self.rarity(count, is_idle=term in idle)
            for term in terms
            if (count := self.count(connection, term))
        }


def affordable(counts: Sequence[tuple[str, int]], *, max_postings: int) -> list[str]:
    """The terms, in order, that are together in at most so many chunks; the rarest at least.

    Args:
        counts: Terms with the number of chunks that hold each, most telling first.
        max_postings: Chunks that may be looked at, counted once for each term.
    """
    kept: list[str] = []
    for term, count in counts:
        if count <= max_postings:
            kept.append(term)
            max_postings -= count
    rarest = sorted(counts, key=lambda held: held[1])[:1]
    return kept or [term for term, _ in rarest]


def search_chunks(
    connection: sqlite3.Connection, terms: Iterable[str], *, limit: int
) -> dict[int, float]:
    """BM25 of the rows of chunks that hold any of `terms`, best first."""
    return _search(connection, "chunk_search", terms, limit=limit)


def search_names(
    connection: sqlite3.Connection, terms: Iterable[str], *, limit: int
) -> dict[int, float]:
    """BM25 of the ids of names that hold any of `terms`, best first."""
    return _search(connection, "name_search", terms, limit=limit)


def _search(
    connection: sqlite3.Connection, table: str, terms: Iterable[str], *, limit: int
) -> dict[int, float]:
    match = " OR ".join(f'"{term}"' for term in terms)
    if not match:
        return {}
    # FTS5 gives better matches lower numbers.
    rows = connection.execute(
        f"select rowid, -rank from {table} where {table} match ? order by rank limit ?",
        (match, limit),
    )
    return {int(row_id): float(score) for row_id, score in rows}
