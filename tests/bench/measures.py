"""Quality of rankings, and how sure one can be of a difference."""

import math
from collections.abc import Sequence

import numpy as np

_RESAMPLES = 2_000


def ndcg(relevant: frozenset[str], found: Sequence[str], *, depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `depth` with binary relevance."""
    gain = sum(1 / math.log2(rank + 2) for rank, key in enumerate(found[:depth]) if key in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(depth, len(relevant))))


def hit(relevant: frozenset[str], found: Sequence[str], *, depth: int = 5) -> float:
    """1 when any of the first `depth` is relevant, else 0."""
    return float(bool(relevant.intersection(found[:depth])))


def reciprocal_rank(relevant: frozenset[str], found: Sequence[str], *, depth: int = 10) -> float:
    """1 / rank of the first relevant one, 0 when there is none in the first `depth`."""
    ranks = (rank for rank, key in enumerate(found[:depth], start=1) if key in relevant)
    return 1 / next(ranks, math.inf)


def roc_auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a positive scores above a negative; ties count half."""
    above = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return above / (len(positive) * len(negative))


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    sample = np.asarray(values)
    drawn = np.random.default_rng(0).integers(0, len(sample), (_RESAMPLES, len(sample)))
    low, high = np.quantile(sample[drawn].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0
