"""What stands around a chunk says of it: its stretch of the document, words beside it, the start.

A chunk of a few sentences seldom says everything that answers a turn: its page says what it is
about, the chunks beside it hold the other words of the turn, and the start of a document tells
what the rest is about.
"""

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from kb.embedding.embedder import Vectors
from kb.index.catalog import Catalog, ChunkRow

_LONGEST = 16
"""Chunks of a stretch at most: a whole page of a few thousand characters, a part of a book."""
_SAMPLED = 8
"""Chunks whose mean says what a stretch is about: each is a read where vectors are on disk."""
_BESIDE = 2
_LATE = 10
"""From this chunk on, one is as far from the start of its document as another."""
_MAX_KEPT = 10_000

Keyed = tuple[str, str]
"""(chunk id, key of its embedded text)."""
Stretch = tuple[str, int]
"""(document, number of the stretch in it)."""


class Stretches:
    """Cuts documents into stretches of chunks, and says what each is about.

    What was read is remembered: for one version of the index.
    """

    def __init__(
        self, catalog: Catalog, held: Callable[[Sequence[Keyed]], Mapping[str, Vectors]]
    ) -> None:
        """Read chunks of `catalog`; `held` gives the vectors that are there, by chunk id."""
        self._catalog = catalog
        self._held = held
        self._lengths: dict[str, int] = {}
        self._directions: dict[Stretch, Vectors | None] = {}

    def of(self, row: ChunkRow) -> Stretch:
        """The stretch that a chunk stands in."""
        length = self._length(row.document_id)
        return row.document_id, min(row.ordinal, length - 1) * _count(length) // length

    def directions(self, stretches: Iterable[Stretch]) -> dict[Stretch, Vectors]:
        """Mean direction of the chunks of stretches; none of a single chunk, which says no more."""
        if len(self._directions) > _MAX_KEPT:
            self._directions, self._lengths = {}, {}
        kept = self._directions
        wanted = list(dict.fromkeys(stretches))
        if new := [stretch for stretch in wanted if stretch not in kept]:
            kept |= self._measured(new)
        found = ((stretch, kept.get(stretch)) for stretch in wanted)
        return {stretch: direction for stretch, direction in found if direction is not None}

    def _measured(self, stretches: Sequence[Stretch]) -> dict[Stretch, Vectors | None]:
        chunks = {stretch: self._chunks(stretch) for stretch in stretches}
        several = [chunk for held in chunks.values() if len(held) > 1 for chunk in held]
        vectors = self._held(several)
        return {
            stretch: _mean([vectors[chunk_id] for chunk_id, _ in held if chunk_id in vectors])
            for stretch, held in chunks.items()
        }

    def _chunks(self, stretch: Stretch) -> list[Keyed]:
        document_id, number = stretch
        length = self._length(document_id)
        count = _count(length)
        first, end = -(-number * length // count), -(-(number + 1) * length // count)
        rows = self._catalog.connection.execute(
            "select chunk_id, text_key from chunks "
            "where document_id = ? and live and ordinal >= ? and ordinal < ? order by ordinal",
            (document_id, first, end),
        )
        chunks = [(str(chunk_id), str(key)) for chunk_id, key in rows]
        return chunks[:: -(-len(chunks) // _SAMPLED) or 1]

    def _length(self, document_id: str) -> int:
        length = self._lengths.get(document_id)
        if length is None:
            row = self._catalog.connection.execute(
                "select max(ordinal) from chunks where document_id = ? and live", (document_id,)
            ).fetchone()
            length = self._lengths[document_id] = int(row[0] or 0) + 1
        return length


def lateness(row: ChunkRow) -> float:
    """How far from the start of its document a chunk stands, 0 for the first, 2.4 at most."""
    return math.log1p(min(row.ordinal, _LATE))


def said_beside(
    rows: Sequence[ChunkRow], worth: Mapping[str, float], matched: Callable[[ChunkRow], list[str]]
) -> dict[int, float]:
    """Share of a turn's words that the chunks around each say and it does not, 0 to 1.

    Args:
        rows: Chunks that were found; what lies between them is not looked at.
        worth: Of each stem of the turn.
        matched: Which of these a chunk holds.
    """
    total = sum(worth.values())
    places: dict[str, dict[int, ChunkRow]] = defaultdict(dict)
    for row in rows:
        places[row.document_id][row.ordinal] = row
    held: dict[int, frozenset[str]] = {}

    def stems(row: ChunkRow) -> frozenset[str]:
        if row.row_id not in held:
            held[row.row_id] = frozenset(matched(row))
        return held[row.row_id]

    found: dict[int, float] = {}
    for row in rows:
        if len(places[row.document_id]) < 2:
            continue
        around = range(row.ordinal - _BESIDE, row.ordinal + _BESIDE + 1)
        beside = [other for at in around if (other := places[row.document_id].get(at))]
        if len(beside) > 1 and total:
            others = frozenset[str]().union(*map(stems, beside)) - stems(row)
            found[row.row_id] = sum(worth[stem] for stem in others) / total
    return found


def shared_by_copies(rows: Iterable[ChunkRow], values: Mapping[int, float]) -> dict[int, float]:
    """The best value of all copies of a text for each: the first one stays the one to be shown."""
    best: dict[str, float] = {}
    rows = list(rows)
    for row in rows:
        best[row.text_key] = max(values[row.row_id], best.get(row.text_key, -math.inf))
    return {row.row_id: best[row.text_key] for row in rows}


def _count(length: int) -> int:
    """Into how many stretches of much the same length a document is cut."""
    return -(-length // _LONGEST)


def _mean(vectors: Sequence[Vectors]) -> Vectors | None:
    import numpy as np

    if len(vectors) < 2:
        return None
    mean = np.stack(vectors).mean(axis=0)
    return mean / max(float(np.linalg.norm(mean)), 1e-9)
