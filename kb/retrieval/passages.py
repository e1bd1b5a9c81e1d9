"""Scored chunks -> passages: repeats dropped, neighbours joined."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from kb.config import RetrievalConfig
from kb.document import Place, RetrievedPassage
from kb.index.catalog import Catalog, ChunkRow
from kb.retrieval.relevance import ChunkWords, WordQuery, matched_terms
from kb.retrieval.standing import place_of_best_sentence
from kb.words.spelling import numbers_and_names, signs

_FIRST = 2
"""Places at the top that exact terms are kept to."""
_LOOK_AHEAD = 20
"""Chunks from which the next one is chosen."""


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk with how well it fits; crosses nothing, and what is made of it is a passage."""

    row: ChunkRow
    score: float
    relevance: float
    words: ChunkWords
    ranks: dict[str, int]
    scores: dict[str, float]
    """In each ranking that found it, in that ranking's own unit."""
    parts: dict[str, float]
    """What `score` is the sum of."""
    beside: tuple[ChunkRow, ...] = ()
    """Worse ones that are joined to it, each next to one that was there."""

    @property
    def rows(self) -> list[ChunkRow]:
        """It and those beside it, in reading order."""
        return sorted((self.row, *self.beside), key=lambda row: row.ordinal)

    def may_join(self, row: ChunkRow, *, budget_chars: int) -> bool:
        """Whether a chunk lies directly before or after, and fits."""
        rows = self.rows
        if row.document_id != self.row.document_id:
            return False
        if row.ordinal not in (rows[0].ordinal - 1, rows[-1].ordinal + 1):
            return False
        ends = max(rows[-1].end_char, row.end_char)
        return ends - min(rows[0].start_char, row.start_char) <= budget_chars


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
    passages: list[ScoredChunk] = []
    shown: list[ScoredChunk] = []
    for item in found:
        if any(
            is_repeat(item, other, config.duplicate_overlap, is_telling=is_telling)
            for other in shown
        ):
            continue
        near = next(
            (
                place
                for place, passage in enumerate(passages)
                if passage.may_join(item.row, budget_chars=config.merge_chars)
            ),
            None,
        )
        if near is None and len(passages) == limit:
            break
        shown.append(item)
        if near is None:
            passages.append(item)
        else:
            best = passages[near]
            passages[near] = replace(best, beside=(*best.beside, item.row))
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
    # No more is made of the rest of them than is looked at.
    coming = iter(found)
    waiting = list(islice(coming, _LOOK_AHEAD))
    shown: Counter[str] = Counter()
    while waiting:
        worth = [item.score - weight * shown[item.row.document_id] for item in waiting]
        item = waiting.pop(worth.index(max(worth)))
        waiting += islice(coming, 1)
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

    They have more than the share `overlap` of their words in common, the same numbers, names and
    signs in the same order, no word that `is_telling` is in one of them only, and none stands in
    the place of another one: "the silver plan" and "the basic plan" are two plans.
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
    one, two = item.row.text, other.row.text
    return numbers_and_names(one) == numbers_and_names(two) and signs(one) == signs(two)


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
    best: ScoredChunk, words: WordQuery, *, catalog: Catalog, rank: int
) -> RetrievedPassage:
    row, rows = best.row, best.rows
    place = place_of_best_sentence(row, words)
    start, end = rows[0].start_char, rows[-1].end_char
    text = row.text
    if best.beside:
        text = catalog.text_between(row.document_id, start, end, version=row.document_version)
    return RetrievedPassage(
        document_id=row.document_id,
        document_name=row.document_name,
        chunk_id=row.chunk_id,
        text=text,
        start_char=start,
        end_char=end,
        heading_path=row.heading_path,
        page=place.page,
        score=best.relevance,
        rank=rank,
        ranks=best.ranks,
        scores=best.scores,
        parts=best.parts,
        document_version=row.document_version,
        matched_terms=tuple(matched_terms(words, best.words)),
        places=places_of(rows),
        section=place.heading_path,
    )
