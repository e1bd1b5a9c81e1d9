"""What `RetrievedPassage.score` means: how often passages with a score near p answer the turn.

    python -m tests.bench.calibration [SET ...]

Prints a reliability table a set and over all, and the logistic curve that fits best, for
`kb.retrieval.relevance.relevance` and, with words and names alone, for `lexical_relevance`.
Passages that nobody judged count as wrong, so the truth is a little better than the table. Then
what the scores are used for: telling turns that no text answers (ROC AUC of the best passage's
score), and turns that need no search at all (`should_search`).
"""

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from kb.document import RetrievedPassage
from kb.knowledge_base import KnowledgeBase
from kb.retrieval.relevance import CALIBRATION, LEXICAL_CALIBRATION
from kb.retrieval.small_talk import should_search
from tests.bench.data import Task, load_collection, sampled
from tests.bench.figures import Figure, record
from tests.bench.measures import calibration_error, mean, precision_recall, roc_auc
from tests.bench.places import datasets, quick
from tests.bench.retrieval import bench_config, best_scores, open_collection
from tests.bench.tables import markdown

DEFAULT_SETS = ("mtrag", "scifact", "xquad", "helpcentre", "dstc10")
QUICK_SETS = ("mtrag", "xquad")
_DEPTH = 5
_MAX_TASKS = 200
_STEPS = 60
_BINS = 10
_LIMITS = (0.05, 0.1, 0.15, 0.2, 0.3)
Values = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scored:
    """Passages of one set."""

    name: str
    scores: Values
    right: Values
    """1 where the passage answers."""


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve of `kb.retrieval.relevance`, and the search that it is for."""

    name: str
    calibration: tuple[float, float]
    search: Callable[[KnowledgeBase, Task], Sequence[RetrievedPassage]]


CURVES = (
    Curve(
        "CALIBRATION",
        CALIBRATION,
        lambda kb, task: kb.retrieve(task.query, history=task.history, limit=_DEPTH),
    ),
    Curve(
        "LEXICAL_CALIBRATION",
        LEXICAL_CALIBRATION,
        lambda kb, task: kb.retrieve_lexical(task.query, history=task.history, limit=_DEPTH),
    ),
)


def main(names: Sequence[str], folder: Path) -> None:
    """Print the tables and the fits. Every set weighs the same in a fit."""
    figures: list[Figure] = []
    for curve in CURVES:
        figures += measured(curve, [judged_scores(name, folder, curve) for name in names])
    figures += [*unanswerable(folder), *searching(folder)]
    record("calibration", figures)


def measured(curve: Curve, samples: Sequence[Scored]) -> list[Figure]:
    """Print how well a curve holds, and the one that fits best."""
    figures: list[Figure] = []
    print(f"\n{curve.name} in use: {curve.calibration}")
    for sample in samples:
        error = calibration_error(list(sample.scores), list(sample.right))
        print(
            f"\n{sample.name}: {len(sample.scores)} passages, {sample.right.mean():.3f} answer, "
            f"mean score {sample.scores.mean():.3f}, calibration error {error:.3f}"
        )
        print(markdown(reliability(sample.scores, sample.right)), flush=True)
        what = "error" if curve is CURVES[0] else "error, words alone"
        figures.append(Figure(f"calibration/{sample.name} {what}", error, len(sample.scores)))
    scores = np.concatenate([sample.scores for sample in samples])
    right = np.concatenate([sample.right for sample in samples])
    print(f"\nall sets\n{markdown(reliability(scores, right))}")
    weights = np.concatenate([np.full(len(held.scores), 1 / len(held.scores)) for held in samples])
    intercept, slope = fit_logistic(raw_scores(scores, curve.calibration), right, weights)
    print(f"\nbest fit: {curve.name} = ({intercept:.2f}, {slope:.2f})")
    return figures


def reliability(scores: Values, right: Values) -> list[list[str]]:
    """Rows of a table: scores near p, how many, and which share of them answers."""
    rows = [["score", "passages", "mean score", "answering"]]
    place = np.minimum((scores * _BINS).astype(int), _BINS - 1)
    for at in range(_BINS):
        inside = place == at
        if inside.any():
            rows.append(
                [
                    f"{at / _BINS:.1f}-{(at + 1) / _BINS:.1f}",
                    f"{inside.sum()}",
                    f"{scores[inside].mean():.3f}",
                    f"{right[inside].mean():.3f}",
                ]
            )
    return rows


def unanswerable(folder: Path) -> list[Figure]:
    """How well the best score tells turns that no text answers."""
    collection = load_collection("mtrag", folder)
    with open_collection(collection, bench_config()) as kb:
        scores = best_scores(kb, collection.tasks)
    auc = roc_auc(scores[True], scores[False])
    count = len(scores[True]) + len(scores[False])
    print(
        f"\nmtrag, nothing relevant found: ROC AUC {auc:.3f}, n = {len(scores[False])} of {count}"
    )
    rows = [["best score below", "unanswerable noticed", "answerable sent away"]]
    for limit in _LIMITS:
        noticed, sent_away = (mean([s < limit for s in scores[kind]]) for kind in (False, True))
        rows.append([f"{limit:.2f}", f"{noticed:.2f}", f"{sent_away:.2f}"])
    print(markdown(rows))
    return [Figure("calibration/mtrag answerable AUC", auc, count)]


def searching(folder: Path) -> list[Figure]:
    """Precision and recall of `should_search` where people said which turns ask for knowledge.

    Turns that ask for a booking count as not asking, although a search does no harm there, so
    that precision cannot be high; what counts is that no turn which asks is left out.
    """
    figures: list[Figure] = []
    for name in ("dstc10", "dstc11"):
        tasks = load_collection(name, folder).tasks
        said = [should_search(task.query, task.history) for task in tasks]
        true = [bool(task.answerable) for task in tasks]
        precision, found = precision_recall(said, true)
        print(
            f"{name}, should_search: precision {precision:.3f}, recall {found:.3f}, "
            f"searches {mean(said):.3f} of n = {len(tasks)}, {sum(true)} ask for knowledge"
        )
        figures += [
            Figure(f"calibration/{name} should_search precision", precision, len(tasks)),
            Figure(f"calibration/{name} should_search recall", found, sum(true)),
        ]
    return figures


def judged_scores(name: str, folder: Path, curve: Curve) -> Scored:
    """Scores of the best passages of a set's tasks."""
    collection = load_collection(name, folder)
    scores: list[float] = []
    right: list[float] = []
    with open_collection(collection, bench_config()) as kb:
        for task in sampled(collection.tasks, _MAX_TASKS):
            if name.startswith("dstc") and not task.relevant:
                continue
            for passage in curve.search(kb, task):
                scores.append(passage.score)
                right.append(float(passage.document_name in task.relevant))
    return Scored(name, np.array(scores), np.array(right))


def raw_scores(scores: Values, calibration: tuple[float, float]) -> Values:
    """Undo the logistic curve."""
    intercept, slope = calibration
    clipped = np.clip(scores, 1e-9, 1 - 1e-9)
    return (np.log(clipped / (1 - clipped)) - intercept) / slope


def fit_logistic(values: Values, right: Values, weights: Values) -> tuple[float, float]:
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
    main(sys.argv[1:] or (QUICK_SETS if quick() else DEFAULT_SETS), datasets())
