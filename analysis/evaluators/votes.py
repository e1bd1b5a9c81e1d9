"""What the judges of a panel said, put together. Pure."""

from collections import Counter
from collections.abc import Sequence

from analysis.results import CollectedValue, Evaluation, Evidence


def shared_evidence(answers: Sequence[Evaluation | CollectedValue]) -> tuple[Evidence, ...]:
    """Return the evidence of all answers, each once."""
    return tuple(dict.fromkeys(evidence for each in answers for evidence in each.evidence))


def shared_quotes(answers: Sequence[Evaluation | CollectedValue]) -> tuple[str, ...]:
    """Return what judges quoted and nobody said, each once."""
    return tuple(dict.fromkeys(quote for each in answers for quote in each.unsupported_quotes))


def counted_votes(counts: Counter[str]) -> str:
    """Return how often each answer was given, the most frequent first."""
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
