"""Quality of rankings, and how sure one can be of a difference."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

_RESAMPLES = 2_000


def ndcg(relevant: frozenset[str], found: Sequence[str], *, depth: int = 10) -> float:
    """Normalised discounted cumulative gain of the first `depth` with binary relevance."""
    gain = sum(1 / math.log2(rank + 2) for rank, key in enumerate(found[:depth]) if key in relevant)
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(depth, len(relevant))))


def recall(relevant: frozenset[str], found: Sequence[str], *, depth: int = 5) -> float:
    """Share of what is relevant that is in the first `depth`."""
    return len(relevant.intersection(found[:depth])) / len(relevant)


def reciprocal_rank(relevant: frozenset[str], found: Sequence[str], *, depth: int = 10) -> float:
    """1 / rank of the first relevant one, 0 when there is none in the first `depth`."""
    ranks = (rank for rank, key in enumerate(found[:depth], start=1) if key in relevant)
    return 1 / next(ranks, math.inf)


def roc_auc(positive: Sequence[float], negative: Sequence[float]) -> float:
    """Probability that a positive scores above a negative; ties count half."""
    above = sum((p > n) + 0.5 * (p == n) for p in positive for n in negative)
    return above / (len(positive) * len(negative))


def precision_recall(said: Sequence[bool], true: Sequence[bool]) -> tuple[float, float]:
    """Of what was said to be so, how much is; of what is so, how much was said."""
    both = sum(a and b for a, b in zip(said, true, strict=True))
    return both / (sum(said) or 1), both / (sum(true) or 1)


def calibration_error(scores: Sequence[float], right: Sequence[float], *, bins: int = 10) -> float:
    """Expected calibration error: how far the mean score of a bin is from its share of right ones.

    Bins are of equal width, and each weighs by how many fall into it.
    """
    values, hits = np.asarray(scores), np.asarray(right)
    place = np.minimum((values * bins).astype(int), bins - 1)
    return sum(
        float(abs(values[place == at].mean() - hits[place == at].mean()) * (place == at).mean())
        for at in range(bins)
        if (place == at).any()
    )


def interval(values: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean."""
    sample = np.asarray(values)
    return _bounds(sample[_resampled(len(sample))].mean(axis=1))


def ratio_interval(ours: Sequence[float], theirs: Sequence[float]) -> tuple[float, float]:
    """95 % bootstrap interval of mean(ours) / mean(theirs) over the same tasks."""
    drawn = _resampled(len(ours))
    above = np.asarray(ours)[drawn].mean(axis=1)
    below = np.asarray(theirs)[drawn].mean(axis=1)
    ratio = np.divide(above, below, out=np.full_like(above, math.inf), where=below > 0)
    return _bounds(ratio)


def stratified_interval(groups: Sequence[Sequence[float]]) -> tuple[float, float]:
    """95 % bootstrap interval of the mean of the groups' means: every group weighs the same."""
    drawn = [np.asarray(group)[_resampled(len(group))].mean(axis=1) for group in groups]
    return _bounds(np.mean(drawn, axis=0))


def mean(values: Sequence[float]) -> float:
    """Arithmetic mean; 0 of nothing."""
    return sum(values) / len(values) if values else 0.0


def _resampled(count: int) -> NDArray[np.int64]:
    """Rows of indices drawn with replacement, the same in every run."""
    return np.random.default_rng(0).integers(0, count, (_RESAMPLES, count))


def _bounds(drawn: NDArray[np.float64]) -> tuple[float, float]:
    low, high = np.quantile(drawn, [0.025, 0.975], method="nearest")
    return float(low), float(high)
