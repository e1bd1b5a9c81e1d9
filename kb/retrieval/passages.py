"""Scored chunks -> passages: repeats dropped, neighbours joined."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.config import RetrievalConfig
from kb.document import Place, RetrievedPassage
from kb.index.catalog import Catalog, ChunkRow
from kb.retrieval.relevance import ChunkWords, WordQuery, matched_terms
from kb.retrieval.standing import page_of_best_sentence
from kb.words.spelling import numbers_and_names

_FIRST = 2
"""Places at the top that exact terms are kept to."""
_LOOK_AHEAD = 20
"""Chunks from which the next one is chosen."""


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk with how well it fits."""

    row: ChunkRow
    score: float
    relevance: float
    words: ChunkWords
    ranks: dict[str, int]
    scores: dict[str, float]
    """In each ranking that found it, in that ranking's own unit."""
    parts: dict[str, float]
    """What `score` is the sum of."""


@dataclass(slots=True)
class _Passage:
    best: ScoredChunk
    start_char: int
    end_char: int
    first: int
    last: int
    rows: list[ChunkRow]

    def joins(self, row: ChunkRow, *, budget_chars: int) -> bool:
        """Whether a chunk lies directly before or after, and fits."""
        if row.document_id != self.best.row.document_id:
            return False
        if row.ordinal not in (self.first - 1, self.last + 1):
            return False
        start = min(self.start_char, row.start_char)
        return max(self.end_char, row.end_char) - start <= budget_chars

    def join(self, row: ChunkRow) -> None:
        self.start_char = min(self.start_char, row.start_char)
        self.end_char = max(self.end_char, row.end_char)
        self.first = min(self.first, row.ordinal)
        self.last = max(self.last, row.ordinal)
        self.rows.append(row)


def assemble(
    found: Iterable[ScoredChunk],
    *,
    words: WordQuery,
    catalog: Catalog,
    config: RetrievalConfig,
    limit: int,
    is_telling: Callable[[str], bool],
) -> list[RetrievedPassage]:
    """Make at most `limit` passages of the best chunks.

    A chunk that says nearly the same as a better one is dropped; one that lies beside a better
    one extends it, so that its place goes to another part of the documents.
    """
    passages: list[_Passage] = []
    shown: list[ScoredChunk] = []
    for item in found:
        if any(
            is_repeat(item, other, config.duplicate_overlap, is_telling=is_telling)
            for other in shown
        ):
            continue
        near = next(
            (p for p in passages if p.joins(item.row, budget_chars=config.merge_chars)), None
        )
        if near is None and len(passages) == limit:
            break
        shown.append(item)
        if near is not None:
            near.join(item.row)
        else:
            row = item.row
            passages.append(
                _Passage(item, row.start_char, row.end_char, row.ordinal, row.ordinal, [row])
            )
    return [
        _finish(passage, words, catalog=catalog, rank=rank)
        for rank, passage in enumerate(passages, start=1)
    ]


def diversified(found: Iterable[ScoredChunk], *, weight: float) -> Iterator[ScoredChunk]:
    """Put chunks of documents that were not shown yet before others that are hardly better.

    Args:
        found: Best first.
        weight: What a chunk's score loses for each chunk of its document that stands before it.
    """
    waiting = list(found)
    shown: Counter[str] = Counter()
    while waiting:
        worth = [
            item.score - weight * shown[item.row.document_id] for item in waiting[:_LOOK_AHEAD]
        ]
        item = waiting.pop(worth.index(max(worth)))
        shown[item.row.document_id] += 1
        yield item


def exact_first(found: Iterable[ScoredChunk], exact: Sequence[str]) -> Iterable[ScoredChunk]:
    """Put the best chunk with each of the first exact terms among the first chunks.

    Args:
        found: Best first.
        exact: Terms that must not be missed, the most telling first. As many as the first places
            count are looked after; a chunk may hold several.
    """
    if not exact:
        return found
    ordered = list(found)
    first: list[int] = []
    for term in exact[:_FIRST]:
        holder = next(
            (place for place, item in enumerate(ordered) if term in item.words.counts), None
        )
        if holder is not None and holder not in first:
            first.append(holder)
    if all(place < _FIRST for place in first):
        return ordered
    # A chunk that was best all the same keeps its place before a single one.
    head = sorted(first) if len(first) == _FIRST else [0, *first]
    return [*(ordered[place] for place in head), *_without(ordered, set(head))]


def _without(found: Sequence[ScoredChunk], places: Collection[int]) -> Iterator[ScoredChunk]:
    return (item for place, item in enumerate(found) if place not in places)


def is_repeat(
    item: ScoredChunk,
    other: ScoredChunk,
    overlap: float,
    *,
    is_telling: Callable[[str], bool] = lambda term: False,
) -> bool:
    """Whether a chunk says nothing that the other one does not.

    They have more than the share `overlap` of their words in common, the same numbers and names in
    the same order, no word that `is_telling` is in one of them only, and none stands in the place
    of another one: "the silver plan" and "the basic plan" are two plans.
    """
    mine, theirs = item.words, other.words
    longer = max(mine.length, theirs.length)
    if longer == 0 or min(mine.length, theirs.length) <= overlap * longer:
        return False
    if (mine.counts & theirs.counts).total() <= overlap * longer:
        return False
    more, less = mine.counts - theirs.counts, theirs.counts - mine.counts
    if (more and less) or any(map(is_telling, more + less)):
        return False
    return numbers_and_names(item.row.body) == numbers_and_names(other.row.body)


def places_of(rows: Sequence[ChunkRow]) -> tuple[Place, ...]:
    """Where each part of a passage stands; none for a chunk that stands at one place."""
    if len(rows) == 1:
        return rows[0].places
    return tuple(
        place
        for row in sorted(rows, key=lambda row: row.ordinal)
        for place in row.places or (Place(row.start_char, row.page, row.heading_path),)
    )


def _finish(
    passage: _Passage, words: WordQuery, *, catalog: Catalog, rank: int
) -> RetrievedPassage:
    row = passage.best.row
    text = row.body
    if passage.first != passage.last:
        text = catalog.text_between(
            row.document_id, passage.start_char, passage.end_char, version=row.document_version
        )
    return RetrievedPassage(
        document_id=row.document_id,
        document_name=row.document_name,
        chunk_id=row.chunk_id,
        text=text,
        start_char=passage.start_char,
        end_char=passage.end_char,
        heading_path=row.heading_path,
        page=page_of_best_sentence(row, words),
        score=passage.best.relevance,
        rank=rank,
        ranks=passage.best.ranks,
        scores=passage.best.scores,
        parts=passage.best.parts,
        document_version=row.document_version,
        matched_terms=tuple(matched_terms(words, passage.best.words)),
        places=places_of(passage.rows),
    )
