"""How well a chunk fits a turn: meaning, words, and the names that were said. Pure arithmetic.

Scores are added, not ranks: a chunk that is far ahead in one respect stays ahead, and the sum says
how good the best passage is, which a sum of ranks cannot.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

_K1 = 1.2
_B = 0.75
_TELLING_WORDS = 8
"""Words that make up a full lexical match; a chunk seldom holds more of a long conversation."""
_RARE = 5.0
"""Rarity from which a single word can name a document: in about one chunk of 150."""
_NAME_SLACK = 4.0
"""Rarity that a name lacks to be matched in full, so that names of common words count less."""
_CALIBRATION = (-4.0, 6.0)


@dataclass(frozen=True, slots=True)
class ChunkWords:
    """The words of a chunk, as stems."""

    counts: Counter[str]
    heading: frozenset[str]
    length: int


@dataclass(frozen=True, slots=True)
class WordQuery:
    """Stems to look for, with weight and rarity."""

    weights: Mapping[str, float]
    rarity: Mapping[str, float]

    @property
    def full_match(self) -> float:
        """Score of a chunk that says each of the most telling words often."""
        worth = sorted(
            (self.weights[stem] * self.rarity[stem] for stem in self.rarity), reverse=True
        )
        return sum(worth[:_TELLING_WORDS]) * (_K1 + 1)

    def most_telling(self, limit: int, *, weighted: bool) -> list[str]:
        """The stems that tell most, by rarity and, when `weighted`, by what they weigh."""
        worth = {
            stem: rarity * (self.weights[stem] if weighted else 1.0)
            for stem, rarity in self.rarity.items()
        }
        return sorted(worth, key=lambda stem: -worth[stem])[:limit]


def word_score(
    query: WordQuery, words: ChunkWords, *, average_length: float, heading_weight: float
) -> float:
    """BM25 with weighted terms, as a share of a full match; about 0 to 1.

    Source: Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond",
    Foundations and Trends in Information Retrieval 3(4), 2009, doi:10.1561/1500000019.
    """
    full = query.full_match
    if full <= 0:
        return 0.0
    norm = _K1 * (1 - _B + _B * words.length / max(average_length, 1.0))
    total = 0.0
    for stem, rarity in query.rarity.items():
        count = words.counts.get(stem, 0)
        if count:
            saturated = count * (_K1 + 1) / (count + norm)
            bonus = heading_weight if stem in words.heading else 0.0
            total += query.weights[stem] * rarity * (saturated + bonus)
    return total / full


def matched_terms(query: WordQuery, words: ChunkWords) -> list[str]:
    """Stems of the query that a chunk holds, most telling first."""
    return [
        stem
        for stem in query.most_telling(len(query.rarity), weighted=True)
        if stem in words.counts
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


def relevance(score: float) -> float:
    """Estimated probability that a passage with this score answers the turn, 0 to 1.

    A logistic curve fitted on the dev halves of the bench's data; `make bench` prints how well it
    holds.
    """
    intercept, slope = _CALIBRATION
    return 1 / (1 + math.exp(-(intercept + slope * score)))
