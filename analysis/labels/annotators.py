"""How far people agree with each other: what a judge can be asked to reach at most. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

Ratings = Mapping[str, str]
"""What each person said of one conversation, by name."""


@dataclass(frozen=True, slots=True)
class PairAgreement:
    """Two people and the conversations that both labelled."""

    first: str
    second: str
    n: int
    agreement: float
    kappa: float | None
    """Cohen's; None where one of them always said the same."""


@dataclass(frozen=True, slots=True)
class AnnotatorAgreement:
    """All people who labelled one criterion."""

    annotators: int
    n_shared: int
    """Conversations that two or more of them labelled."""
    alpha: float | None
    """Krippendorff's, nominal: 1 is perfect, 0 is chance; from .8 on usually taken as reliable."""
    pairs: tuple[PairAgreement, ...]


def annotator_agreement(conversations: Sequence[Ratings]) -> AnnotatorAgreement:
    """Compare everybody who labelled with everybody else; `unknown` is a verdict too."""
    names = sorted({name for ratings in conversations for name in ratings})
    pairs = [_pair(first, second, conversations) for first, second in combinations(names, 2)]
    return AnnotatorAgreement(
        annotators=len(names),
        n_shared=sum(len(ratings) > 1 for ratings in conversations),
        alpha=krippendorff_alpha([list(ratings.values()) for ratings in conversations]),
        pairs=tuple(pair for pair in pairs if pair is not None),
    )


def cohen_kappa(pairs: Sequence[tuple[str, str]]) -> float | None:
    """Return the agreement beyond chance of two people; None where chance alone is perfect.

    Source: Cohen, "A Coefficient of Agreement for Nominal Scales", Educational and Psychological
    Measurement 20 (1960), doi:10.1177/001316446002000104.
    """
    if not pairs:
        return None
    agreed = sum(first == second for first, second in pairs) / len(pairs)
    firsts, seconds = (Counter(side) for side in zip(*pairs, strict=True))
    chance = sum(firsts[name] * seconds[name] for name in firsts) / len(pairs) ** 2
    return None if chance == 1 else (agreed - chance) / (1 - chance)


def krippendorff_alpha(units: Sequence[Sequence[str]]) -> float | None:
    """Return the agreement beyond chance of any number of people, with gaps.

    None where nothing was labelled twice, or everybody said the same of everything.

    Args:
        units: What was said of each conversation, in any order.

    Source: Krippendorff, "Content Analysis" (2004), chapter 11, nominal data.
    """
    coincidences: dict[tuple[str, str], float] = defaultdict(float)
    for values in units:
        for first, second in combinations(values, 2):
            weight = 1 / (len(values) - 1)
            coincidences[first, second] += weight
            coincidences[second, first] += weight
    totals: dict[str, float] = defaultdict(float)
    for (first, _), weight in coincidences.items():
        totals[first] += weight
    n = sum(totals.values())
    expected = sum(
        totals[first] * totals[second] for first in totals for second in totals if first != second
    )
    if n <= 1 or expected == 0:
        return None
    observed = sum(w for (first, second), w in coincidences.items() if first != second)
    return 1 - (n - 1) * observed / expected


def _pair(first: str, second: str, conversations: Sequence[Ratings]) -> PairAgreement | None:
    shared = [(r[first], r[second]) for r in conversations if first in r and second in r]
    if not shared:
        return None
    agreement = sum(one == other for one, other in shared) / len(shared)
    return PairAgreement(first, second, len(shared), agreement, cohen_kappa(shared))
