"""Word search in the catalog's FTS5 index: how rare words are, and which chunks hold them."""

import math
import re
import sqlite3
import threading
from collections.abc import Iterable, Sequence

_MAX_KNOWN_WORDS = 50_000
_WORD = re.compile(r"[^\W_]+")
_FUNCTION_SHARE = 0.2
"""What a function word counts. Rarity finds them by itself in a large knowledge base; in one of
five documents "can't" and "more" look as rare as a name."""
_FUNCTION_WORDS = frozenset(
    _WORD.findall(
        """
        a about after again all also am an and any anything are as at be because been before being
        but by can could d did do does doing don each else every few for from further get give go
        got had has have having he her here him his how i if in into is it its just ll m may me
        might more most much must my need no nor not now of off on once only or other our out over
        own please re s same shall she should so some something such t tell than that the their
        them then there these they this those through to too under until up us use used ve very
        want was we were what when where whether which while who whom whose why will with would
        yes you your
        """
    )
)


class Stemmer:
    """The index's own tokenizer, asked through an empty FTS5 table in memory."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, str] = {}
        self._connection = sqlite3.connect(
            ":memory:", check_same_thread=False, isolation_level=None
        )
        self._connection.execute(
            "create virtual table words using fts5 (word, tokenize='porter unicode61')"
        )
        self._connection.execute("create virtual table stems using fts5vocab (words, instance)")

    def close(self) -> None:
        """Free the table."""
        self._connection.close()

    def stems(self, text: str) -> list[tuple[str, str]]:
        """(word, stem) pairs of `text` in order, repeats included."""
        words = _WORD.findall(text)
        with self._lock:
            known = self._knowing(words)
            return [(word, stem) for word in words if (stem := known[word])]

    def stem_list(self, text: str) -> list[str]:
        """Stems of `text` in order, repeats included."""
        words = _WORD.findall(text)
        with self._lock:
            known = self._knowing(words)
            return [stem for word in words if (stem := known[word])]

    def _knowing(self, words: Sequence[str]) -> dict[str, str]:
        # Not `set(words) - known.keys()`: that walks through every known word.
        missing = {word for word in words if word not in self._known}
        if missing:
            if len(self._known) > _MAX_KNOWN_WORDS:
                self._known.clear()
                missing = set(words)
            self._learn(sorted(missing))
        return self._known

    def _learn(self, words: Sequence[str]) -> None:
        found: dict[int, list[tuple[int, str]]] = {number: [] for number in range(len(words))}
        self._connection.execute("begin")
        self._connection.executemany(
            "insert into words (rowid, word) values (?, ?)", list(enumerate(words))
        )
        for stem, row_id, offset in self._connection.execute("select term, doc, offset from stems"):
            found[int(row_id)].append((int(offset), str(stem)))
        self._connection.execute("rollback")
        for number, word in enumerate(words):
            self._known[word] = " ".join(stem for _, stem in sorted(found[number]))


class TermCounts:
    """In how many chunks a stem is, remembered for one version of the index."""

    def __init__(self, stemmer: Stemmer, *, chunk_count: int) -> None:
        self._chunk_count = max(chunk_count, 1)
        self._counts: dict[str, int] = {}
        self._function_stems = frozenset(
            stem for _, stem in stemmer.stems(" ".join(_FUNCTION_WORDS))
        )

    @property
    def highest(self) -> float:
        """Rarity of a stem that is in one chunk only."""
        return math.log(1 + max(self._chunk_count - 0.5, 0.5) / 1.5)

    def rarity(self, connection: sqlite3.Connection, stems: Iterable[str]) -> dict[str, float]:
        """Inverse document frequency, as BM25 uses it, of each stem that the index has.

        log(1 + (N - n + 0.5) / (n + 0.5)) for a stem in n of N chunks; always above 0. Function
        words count a fifth of it.
        """
        wanted = list(dict.fromkeys(stems))
        for stem in wanted:
            if stem not in self._counts:
                row = connection.execute(
                    "select doc from chunk_terms where term = ?", (stem,)
                ).fetchone()
                self._counts[stem] = int(row[0]) if row else 0
        return {stem: self._rarity(stem) for stem in wanted if self._counts[stem]}

    def affordable(self, stems: Sequence[str], *, max_postings: int) -> list[str]:
        """The stems, in order, that are together in at most so many chunks; the rarest at least.

        Args:
            stems: Stems whose rarity was asked for before, most telling first.
            max_postings: Chunks that may be looked at, counted once for each stem.
        """
        kept: list[str] = []
        for stem in stems:
            if self._counts[stem] <= max_postings:
                kept.append(stem)
                max_postings -= self._counts[stem]
        return kept or sorted(stems, key=lambda stem: self._counts[stem])[:1]

    def _rarity(self, stem: str) -> float:
        count = self._counts[stem]
        rarity = math.log(1 + (max(self._chunk_count - count, 0) + 0.5) / (count + 0.5))
        return rarity * (_FUNCTION_SHARE if stem in self._function_stems else 1.0)


def search_chunks(
    connection: sqlite3.Connection, words: Iterable[str], *, limit: int
) -> dict[int, float]:
    """BM25 of the rows of chunks that hold any of `words`, best first."""
    return _search(connection, "chunk_search", words, limit=limit)


def search_names(
    connection: sqlite3.Connection, words: Iterable[str], *, limit: int
) -> dict[int, float]:
    """BM25 of the ids of names that hold any of `words`, best first."""
    return _search(connection, "name_search", words, limit=limit)


def _search(
    connection: sqlite3.Connection, table: str, words: Iterable[str], *, limit: int
) -> dict[int, float]:
    match = " OR ".join(f'"{word}"' for word in words)
    if not match:
        return {}
    # FTS5 gives better matches lower numbers.
    rows = connection.execute(
        f"select rowid, -rank from {table} where {table} match ? order by rank limit ?",
        (match, limit),
    )
    return {int(row_id): float(score) for row_id, score in rows}
