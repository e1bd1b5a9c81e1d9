"""How well a chunk fits a turn: meaning, words, and the names that were said. Pure arithmetic.

Scores are added, not ranks: a chunk that is far ahead in one respect stays ahead, and the sum says
how good the best passage is, which a sum of ranks cannot.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from itertools import pairwise

_K1 = 1.2
_B = 0.75
_MAX_SCORED_WORDS = 48
_TELLING_WORDS = 8
"""Words that make up a full lexical match; a chunk seldom holds more of a long conversation."""
_RARE = 5.0
"""Rarity from which a single word can name a document: in about one chunk of 150."""
_NAME_SLACK = 4.0
"""Rarity that a name lacks to be matched in full, so that names of common words count less."""
CALIBRATION = (-3.9, 6.7)
"""Intercept and slope of the logistic curve from score to probability."""
LEXICAL_CALIBRATION = (-2.6, 9.2)
"""The same for the score of words and names alone."""


@dataclass(frozen=True, slots=True)
class ChunkWords:
    """The words of a chunk, as stems, counted.

    Crosses nothing: rows are read for each query, their words are counted once and held in memory.
    """

    counts: Counter[str]
    heading: frozenset[str]
    length: int


class WordQuery:
    """Stems to look for, with what they weigh and how rare they are."""

    def __init__(
        self,
        weights: Mapping[str, float],
        rarity: Mapping[str, float],
        *,
        unheard_rarity: float = 0.0,
        forms: Mapping[str, Mapping[str, float]] | None = None,
        unheard_shares: Mapping[str, float] | None = None,
    ) -> None:
        """Keep the stems that the index has, the most telling of them when there are many.

        Args:
            weights: Weight of each stem.
            rarity: Inverse document frequency of those that the index has.
            unheard_rarity: What the others count towards a full match, which no chunk can reach
                then: a question about something else must not look answered.
            forms: Other terms that a stem may stand as, with what such a match counts, 0 to 1.
            unheard_shares: How much of `unheard_rarity` some of the others count, 1 by default.
        """
        forms, unheard_shares = forms or {}, unheard_shares or {}
        worth = {stem: weights[stem] * rarity[stem] for stem in rarity}
        kept = sorted(worth, key=lambda stem: -worth[stem])[:_MAX_SCORED_WORDS]
        self.worth = {stem: worth[stem] for stem in kept}
        """Weight times rarity of each stem, most telling first."""
        self.forms = {stem: others for stem in kept if (others := forms.get(stem))}
        """Other terms that some of these stems may stand as, with what such a match counts."""
        self.asked = frozenset(stem for held in (weights, *forms.values()) for stem in held)
        """Everything looked for, in every form, whether the index has it or not."""
        unheard = [
            weight * unheard_rarity * unheard_shares.get(stem, 1.0)
            for stem, weight in weights.items()
            if stem not in rarity
        ]
        telling = nlargest(_TELLING_WORDS, [*self.worth.values(), *unheard])
        self.full_match = sum(telling) * (_K1 + 1)
        """Score of a chunk that says each of the most telling words often."""


def word_score(
    query: WordQuery, words: ChunkWords, *, average_length: float, heading_weight: float
) -> float:
    """BM25 with weighted terms, as a share of a full match; about 0 to 1.

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
    Foundations and Trends in Information Retrieval 3(4), 2009, doi:10.1561/1500000019.
    """
    if query.full_match <= 0:
        return 0.0
    norm = _K1 * (1 - _B + _B * words.length / max(average_length, 1.0))
    total = 0.0
    counts, forms = words.counts, query.forms
    for stem, worth in query.worth.items():
        held = _match(stem, words, norm, heading_weight) if stem in counts else 0.0
        for term, share in forms[stem].items() if stem in forms else ():
            if term in counts:
                held = max(held, share * _match(term, words, norm, heading_weight))
        total += worth * held
    return total / query.full_match


def _match(term: str, words: ChunkWords, norm: float, heading_weight: float) -> float:
    """What one term of a chunk counts: how often it is there, and whether in a heading."""
    count = words.counts[term]
    bonus = heading_weight if term in words.heading else 0.0
    return count * (_K1 + 1) / (count + norm) + bonus


def matched_terms(query: WordQuery, words: ChunkWords) -> list[str]:
    """Stems of the query that a chunk holds in some form, most telling first."""
    counts, forms = words.counts, query.forms
    return [
        stem
        for stem in query.worth
        if stem in counts or (stem in forms and not counts.keys().isdisjoint(forms[stem]))
    ]


def name_coverage(name: Sequence[str], said: Sequence[str], rarity: Mapping[str, float]) -> float:
    """How much of a name was said, 0 to 1: by rarity of its words.

    A word counts when a neighbour in the name was said beside it, or when it is rare by itself:
    "inn" and "francisco" in different places of a turn do not name the "Inn San Francisco".

    Args:
        name: Stems of the name in order.
        said: Stems of a turn in order.
        rarity: Of the stems that the index has.
    """
    said_pairs = set(pairwise(said))
    said_once = set(said)
    matched: set[str] = set()
    for pair in pairwise(name):
        if pair in said_pairs:
            matched.update(pair)
    matched.update(stem for stem in name if stem in said_once and rarity.get(stem, 0.0) > _RARE)
    total = sum(rarity.get(stem, 0.0) for stem in set(name))
    return sum(rarity.get(stem, 0.0) for stem in matched) / (total + _NAME_SLACK)


def lift_by_neighbours(
    scores: Mapping[int, float], places: Mapping[int, tuple[str, int]], *, weight: float
) -> dict[int, float]:
    """Add to each chunk's score `weight` times the better one of the chunks right beside it.

    Args:
        scores: Score of each chunk.
        places: (document, ordinal) of each chunk.
        weight: What a neighbour counts.
    """
    at = {places[row_id]: score for row_id, score in scores.items()}
    lifted: dict[int, float] = {}
    for row_id, score in scores.items():
        document, ordinal = places[row_id]
        beside = max(at.get((document, ordinal - 1), 0.0), at.get((document, ordinal + 1), 0.0))
        lifted[row_id] = score + weight * max(0.0, beside)
    return lifted


def lift_by_document(
    scores: Mapping[int, float], documents: Mapping[int, str], *, weight: float
) -> dict[int, float]:
    """Add to each chunk's score `weight` times the best score of another chunk of its document."""
    best: dict[str, list[float]] = {}
    for row_id, score in scores.items():
        best.setdefault(documents[row_id], []).append(score)
    first_two = {document: nlargest(2, held) for document, held in best.items()}
    lifted: dict[int, float] = {}
    for row_id, score in scores.items():
        top = first_two[documents[row_id]]
        other = top[1:] if score == top[0] else top[:1]
        lifted[row_id] = score + weight * max(0.0, *other, 0.0)
    return lifted


def relevance(score: float) -> float:
    """Estimated probability that a passage with this score answers the turn, 0 to 1.

    A logistic curve fitted on the dev halves of the bench's data; `make bench` prints how well it
    holds.
    """
    return _logistic(score, CALIBRATION)


def lexical_relevance(score: float) -> float:
    """The same for a score of words and names alone."""
    return _logistic(score, LEXICAL_CALIBRATION)


def _logistic(score: float, calibration: tuple[float, float]) -> float:
    intercept, slope = calibration
    return 1 / (1 + math.exp(-(intercept + slope * score)))
