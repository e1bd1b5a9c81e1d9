"""Vectors -> groups of alike ones, and which group of yesterday each one is. Pure.

How many groups there are is found in the data: groups are joined while they are alike on average.
What is like nothing else belongs to no group.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import TYPE_CHECKING, Any

from kb.embedding.embedder import Vectors

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NO_CLUSTER = -1
_MAX_EXACT = 4_000
"""Beyond this a sample is clustered, 130 MB of distances, and the rest joins the nearest."""
_SEED = 20_261_123
_MIN_CENTRED = 10
"""Fewer vectors have no common part that could be told from what they are about."""


def cluster(
    vectors: Vectors, *, max_distance: float, min_size: int = 1, centred: bool = False
) -> list[int]:
    """Group unit vectors by average linkage of their cosine distance.

    Args:
        vectors: One row each.
        max_distance: Groups are joined while their members differ by less than this on average.
        min_size: Smaller groups are no groups.
        centred: Subtract what all vectors have in common first. In a help centre everything is
            about the same product; what is left says which part of it. Two unrelated vectors
            differ by 1 then.

    Returns:
        The number of each row's group, 0 being the largest, or `NO_CLUSTER`.
    """
    import numpy as np

    if len(vectors) == 0:
        return []
    compared = _centred(vectors) if centred and len(vectors) >= _MIN_CENTRED else vectors
    if len(vectors) <= _MAX_EXACT:
        return _by_size(_agglomerated(compared, max_distance), min_size)
    chosen = np.random.default_rng(_SEED).choice(len(vectors), _MAX_EXACT, replace=False)
    found = np.array(_by_size(_agglomerated(compared[chosen], max_distance), min_size))
    return _by_size(_nearest(compared, compared[chosen], found, max_distance), min_size)


def _agglomerated(vectors: Vectors, max_distance: float) -> list[int]:
    from sklearn.cluster import (  # pyright: ignore[reportMissingTypeStubs]
        AgglomerativeClustering,
    )

    if len(vectors) < 2:
        return [0] * len(vectors)
    make: Any = AgglomerativeClustering
    model = make(
        n_clusters=None, distance_threshold=max_distance, metric="cosine", linkage="average"
    )
    return [int(label) for label in model.fit_predict(vectors)]


def _nearest(
    vectors: Vectors, members: Vectors, labels: NDArray[np.int_], max_distance: float
) -> list[int]:
    """Give each vector the group whose members it is nearest to on average, if near enough."""
    import numpy as np

    groups = sorted(set(labels.tolist()) - {NO_CLUSTER})
    if not groups:
        return [NO_CLUSTER] * len(vectors)
    means = np.stack([members[labels == group].mean(axis=0) for group in groups])
    similarity = vectors @ means.T
    best = similarity.argmax(axis=1)
    near = similarity.max(axis=1) > 1 - max_distance
    return [groups[index] if ok else NO_CLUSTER for index, ok in zip(best, near, strict=True)]


def _by_size(labels: Sequence[int], min_size: int) -> list[int]:
    sizes = Counter(label for label in labels if label != NO_CLUSTER)
    kept = [label for label, size in sizes.most_common() if size >= min_size]
    rank = {label: index for index, label in enumerate(kept)}
    return [rank.get(label, NO_CLUSTER) for label in labels]


def _centred(vectors: Vectors) -> Vectors:
    import numpy as np

    centred = vectors - vectors.mean(axis=0)
    length = np.linalg.norm(centred, axis=1, keepdims=True)
    # Rows that are the mean itself have no direction; any one will do.
    return np.where(length > 1e-6, centred / np.maximum(length, 1e-6), vectors).astype(np.float32)


def centroid(vectors: Vectors) -> Vectors:
    """Return the unit vector in the middle of some."""
    import numpy as np

    middle = vectors.mean(axis=0)
    return (middle / max(float(np.linalg.norm(middle)), 1e-12)).astype(np.float32)


def most_central(vectors: Vectors) -> int:
    """Return the row that is most like all others."""
    return int((vectors @ centroid(vectors)).argmax())


def match_groups(
    before: Mapping[str, tuple[Set[str], Vectors]],
    now: Sequence[tuple[Set[str], Vectors]],
    *,
    min_similarity: float,
) -> list[str | None]:
    """Say which earlier group each group is, so that a name stays with what it names.

    Pairs are chosen together for the largest sum (Kuhn, "The Hungarian method for the assignment
    problem", Naval Research Logistics Quarterly 2, 1955): of shared members first, and where
    members were all replaced, of likeness of the middles.

    Args:
        before: Members and centroid of each earlier group, by its id.
        now: Members and centroid of each present group.
        min_similarity: Cosine of two centroids below which groups without shared members are
            strangers.
    """
    import numpy as np

    if not before or not now:
        return [None] * len(now)
    ids = list(before)
    worth = np.array(
        [[_likeness(*before[key], *group, least=min_similarity) for key in ids] for group in now]
    )
    matched: list[str | None] = [None] * len(now)
    for row, column in _assigned(-worth):
        if worth[row, column] > 0:
            matched[row] = ids[column]
    return matched


def _assigned(costs: NDArray[np.float64]) -> list[tuple[int, int]]:
    import scipy.optimize  # pyright: ignore[reportMissingTypeStubs]

    optimize: Any = scipy.optimize
    rows, columns = optimize.linear_sum_assignment(costs)
    return [(int(row), int(column)) for row, column in zip(rows, columns, strict=True)]


def _likeness(
    members: Set[str], middle: Vectors, others: Set[str], other_middle: Vectors, *, least: float
) -> float:
    shared = len(members & others)
    # Of the smaller group: one that doubled since yesterday is still the same.
    overlap = shared / max(1, min(len(members), len(others)))
    cosine = float(middle @ other_middle) if middle.shape == other_middle.shape else 0.0
    if overlap == 0 and cosine < least:
        return 0.0
    return overlap + max(0.0, cosine) / 10 + shared / (10 * max(1, len(members | others)))
