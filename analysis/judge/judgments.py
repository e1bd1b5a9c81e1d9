"""What a judge said of one criterion, evidence already checked."""

from dataclasses import dataclass

from analysis.results import Evidence, Verdict


@dataclass(frozen=True, slots=True)
class Judgment:
    """An answer to one criterion."""

    verdict: Verdict | None
    """None where there is a score in its place."""
    confidence: float | None
    """Probability of success."""
    rationale: str | None
    evidence: tuple[Evidence, ...]
    unsupported_quotes: tuple[str, ...] = ()
    score: float | None = None
