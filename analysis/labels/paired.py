"""Old against new on the same conversations: the difference of two rates, with its interval. Pure.

Source: Bonett and Price, "Adjusted Wald Confidence Interval for a Difference of Binomial
Proportions Based on Paired Data", Journal of Educational and Behavioral Statistics 37 (2012),
doi:10.3102/1076998611411915; the test is McNemar's, Psychometrika 12 (1947), exact.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

_Z = 1.959963984540054
_DRAWS = 10_000
_SEED = 20_261_123
"""Fixed: the same conversations always give the same interval."""


@dataclass(frozen=True, slots=True)
class PairedDifference:
    """What changed from old to new. Conversations that either left undecided are left out."""

    n: int
    """Conversations that both decided."""
    undecided: int
    """Conversations that one or both left undecided."""
    old: float | None
    """Rate, or mean score; None without any pair."""
    new: float | None
    improved: int
    """Conversations that do better with the new one."""
    worsened: int
    difference: float | None
    """new - old."""
    low: float | None
    """Lower bound of its 95 % interval."""
    high: float | None
    p_value: float | None
    """How often chance alone would give so uneven a split of the changed conversations."""

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out no difference at all."""
        return self.low is not None and self.high is not None and not self.low <= 0 <= self.high


def paired_difference(pairs: Iterable[tuple[str | None, str | None]]) -> PairedDifference:
    """Compare verdicts `success` and `failure` of the same conversations, given as (old, new).

    Anything else, such as `unknown` or None, is undecided.
    """
    decided, undecided = 0, 0
    both = improved = worsened = 0
    for old, new in pairs:
        if {old, new} - {"success", "failure"}:
            undecided += 1
            continue
        decided += 1
        both += old == new == "success"
        improved += old == "failure" and new == "success"
        worsened += old == "success" and new == "failure"
    if decided == 0:
        return PairedDifference(0, undecided, None, None, 0, 0, None, None, None, None)
    better, worse = (improved + 1) / (decided + 2), (worsened + 1) / (decided + 2)
    middle = better - worse
    spread = _Z * math.sqrt((better + worse - middle * middle) / (decided + 2))
    return PairedDifference(
        n=decided,
        undecided=undecided,
        old=(both + worsened) / decided,
        new=(both + improved) / decided,
        improved=improved,
        worsened=worsened,
        difference=(improved - worsened) / decided,
        low=max(-1.0, middle - spread),
        high=min(1.0, middle + spread),
        p_value=_mcnemar(improved, worsened),
    )


def paired_score_difference(
    pairs: Sequence[tuple[float | None, float | None]],
) -> PairedDifference:
    """Compare scores of the same conversations, given as (old, new), by paired bootstrap."""
    import numpy as np

    given = [(old, new) for old, new in pairs if old is not None and new is not None]
    undecided = len(pairs) - len(given)
    if not given:
        return PairedDifference(0, undecided, None, None, 0, 0, None, None, None, None)
    table = np.array(given, dtype=np.float64)
    changes = table[:, 1] - table[:, 0]
    random = np.random.default_rng(_SEED)
    drawn = random.choice(changes, (_DRAWS, len(changes))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    improved, worsened = int((changes > 0).sum()), int((changes < 0).sum())
    return PairedDifference(
        n=len(given),
        undecided=undecided,
        old=float(table[:, 0].mean()),
        new=float(table[:, 1].mean()),
        improved=improved,
        worsened=worsened,
        difference=float(changes.mean()),
        low=float(low),
        high=float(high),
        p_value=_mcnemar(improved, worsened),
    )


def _mcnemar(improved: int, worsened: int) -> float:
    """Return the exact two-sided p-value: a fair coin for each changed conversation."""
    changed = improved + worsened
    fewer = min(improved, worsened)
    tail = sum(math.comb(changed, k) for k in range(fewer + 1)) / 2**changed
    return min(1.0, 2 * tail)
