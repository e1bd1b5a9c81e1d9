"""What `RetrievedPassage.score` means: how often passages with a score near p answer the turn.

    python -m tests.bench.calibration [SET ...]

Prints a reliability table, and the logistic curve that fits best, for `kb.scoring.relevance`.
Passages that nobody judged count as wrong, so the truth is a little better than the table.
"""

import math
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.scoring import CALIBRATION
from tests.bench.data import load_collection
from tests.bench.places import datasets
from tests.bench.retrieval import bench_config, open_collection

DEFAULT_SETS = ("mtrag", "scifact", "xquad", "helpcentre", "dstc10")
_DEPTH = 5
_MAX_TASKS = 200
_STEPS = 60
_BINS = 10


def main(names: Sequence[str], folder: Path) -> None:
    """Print the table and the fit. Every set weighs the same in the fit."""
    samples = [judged_scores(name, folder) for name in names]
    print(f"{'set':<12}{'passages':>9}{'answering':>11}{'mean score':>12}")
    for name, (scores, right) in zip(names, samples, strict=True):
        print(f"{name:<12}{len(scores):>9}{right.mean():>11.3f}{scores.mean():>12.3f}")
    scores = np.concatenate([scores for scores, _ in samples])
    right = np.concatenate([right for _, right in samples])
    print(f"\n{'score':<12}{'passages':>9}{'answering':>11}")
    for low in np.linspace(0, 1, _BINS, endpoint=False):
        inside = (scores >= low) & (scores < low + 1 / _BINS)
        if inside.any():
            print(f"{low:.1f}-{low + 0.1:.1f}{inside.sum():>14}{right[inside].mean():>11.3f}")
    weights = np.concatenate([np.full(len(held), 1 / len(held)) for held, _ in samples])
    intercept, slope = fit_logistic(raw_scores(scores), right, weights)
    print(f"\nbest fit: CALIBRATION = ({intercept:.2f}, {slope:.2f}); in use: {CALIBRATION}")


def judged_scores(name: str, folder: Path) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the best passages of a set's tasks, and 1 where a passage answers."""
    collection = load_collection(name, folder)
    scores: list[float] = []
    right: list[float] = []
    with open_collection(collection, bench_config()) as kb:
        for task in collection.tasks[:_MAX_TASKS]:
            if name.startswith("dstc") and not task.relevant:
                continue
            for passage in kb.retrieve(task.query, history=task.history, limit=_DEPTH):
                scores.append(passage.score)
                right.append(float(passage.document_name in task.relevant))
    return np.array(scores), np.array(right)


def raw_scores(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Undo `relevance`."""
    intercept, slope = CALIBRATION
    clipped = np.clip(scores, 1e-9, 1 - 1e-9)
    return (np.log(clipped / (1 - clipped)) - intercept) / slope


def fit_logistic(
    values: NDArray[np.float64], right: NDArray[np.float64], weights: NDArray[np.float64]
) -> tuple[float, float]:
    """Intercept and slope of greatest likelihood, by Newton's method."""
    design = np.stack([np.ones_like(values), values], axis=1)
    estimate = np.zeros(2)
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(-design @ estimate))
        gradient = design.T @ (weights * (right - chance))
        curvature = (design * (weights * chance * (1 - chance))[:, None]).T @ design
        step = np.linalg.solve(curvature, gradient)
        estimate += step
        if math.hypot(*step) < 1e-10:
            break
    return float(estimate[0]), float(estimate[1])


if __name__ == "__main__":
    main(sys.argv[1:] or DEFAULT_SETS, datasets())
