"""Judges that give a probability: what it means, and from where on it should count as a success.

Labelled conversations count by how many unlabelled ones they stand for, so that it does not matter
that some verdicts were labelled more than others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

FOLDS = 5
MIN_LABELS = 20
_BINS = 5


@dataclass(frozen=True, slots=True)
class Labelled:
    """One conversation that the judge gave a probability and people a verdict."""

    probability: float
    """Of success, 0 to 1."""
    is_success: bool
    """What people said."""
    weight: float = 1.0
    """How many conversations it stands for."""


@dataclass(frozen=True, slots=True)
class ReliabilityBin:
    """Conversations with about the same probability."""

    low: float
    high: float
    n: int
    mean_probability: float
    success_share: float
    """What people said of them. With a judge that knows itself both are the same."""


@dataclass(frozen=True, slots=True)
class ThresholdFit:
    """The threshold that agrees best with people."""

    n: int
    threshold: float
    agreement_at_half: float
    """With the threshold at .5."""
    agreement_fitted: float
    """On the labels that it was fitted on: too good."""
    agreement_validated: float
    """On labels that it was not fitted on, over five folds: what to expect."""
    brier: float
    """Mean squared error of the probabilities: 0 is perfect, .25 is a coin."""
    expected_error: float
    """Mean distance of probability and share of successes over the bins."""
    bins: tuple[ReliabilityBin, ...]

    @property
    def is_better(self) -> bool:
        """Whether the threshold helps on labels that it has not seen."""
        return self.agreement_validated > self.agreement_at_half


def fit_threshold(labelled: Sequence[Labelled]) -> ThresholdFit | None:
    """Fit and cross-validate the threshold; None with under 20 labels, or with one verdict only.

    Args:
        labelled: In an order that has nothing to do with verdicts, such as that of their ids: the
            folds are every fifth of it.
    """
    if len(labelled) < MIN_LABELS or len({each.is_success for each in labelled}) < 2:
        return None
    threshold = best_threshold(labelled)
    total = sum(each.weight for each in labelled)
    validated = 0.0
    for fold in range(FOLDS):
        held_out = labelled[fold::FOLDS]
        others = [each for index, each in enumerate(labelled) if index % FOLDS != fold]
        validated += _agreeing(held_out, best_threshold(others))
    bins = reliability(labelled)
    return ThresholdFit(
        n=len(labelled),
        threshold=threshold,
        agreement_at_half=_agreeing(labelled, 0.5) / total,
        agreement_fitted=_agreeing(labelled, threshold) / total,
        agreement_validated=validated / total,
        brier=sum(e.weight * (e.probability - e.is_success) ** 2 for e in labelled) / total,
        expected_error=_expected_error(labelled, bins),
        bins=tuple(bins),
    )


def best_threshold(labelled: Sequence[Labelled]) -> float:
    """Return the threshold that agrees most; of equally good ones that which is nearest to .5.

    Candidates lie half-way between neighbouring probabilities, and at .5.
    """
    values = sorted({each.probability for each in labelled})
    between = [(low + high) / 2 for low, high in pairwise(values)]
    return max([0.5, *between], key=lambda t: (_agreeing(labelled, t), -abs(t - 0.5)))


def reliability(labelled: Sequence[Labelled]) -> list[ReliabilityBin]:
    """Return what people said of conversations with about the same probability, in five bins."""
    found: list[ReliabilityBin] = []
    for number in range(_BINS):
        low, high = number / _BINS, (number + 1) / _BINS
        inside = [
            each
            for each in labelled
            if low <= each.probability < high or (each.probability == 1 and number == _BINS - 1)
        ]
        weight = sum(each.weight for each in inside)
        if inside:
            found.append(
                ReliabilityBin(
                    low,
                    high,
                    len(inside),
                    sum(each.weight * each.probability for each in inside) / weight,
                    sum(each.weight * each.is_success for each in inside) / weight,
                )
            )
    return found


def _agreeing(labelled: Sequence[Labelled], threshold: float) -> float:
    return sum(e.weight for e in labelled if (e.probability > threshold) == e.is_success)


def _expected_error(labelled: Sequence[Labelled], bins: Sequence[ReliabilityBin]) -> float:
    total = sum(each.weight for each in labelled)
    error = 0.0
    for found in bins:
        weight = sum(
            e.weight
            for e in labelled
            if found.low <= e.probability < found.high or (e.probability == 1 and found.high == 1)
        )
        error += weight / total * abs(found.mean_probability - found.success_share)
    return error
