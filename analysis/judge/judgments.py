"""What a judge said of one criterion, evidence already checked."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from analysis.judge.evidence import quote_of_turn, verbatim, verify_quote
from analysis.results import Contradiction, Evidence, Verdict, WindowFinding
from analysis.shown.tools import tool_lines
from conversation.transcript import Turn


@dataclass(frozen=True, slots=True)
class Judgment:
    """An answer to one criterion, as code or a judge gave it; crosses nothing.

    `analysis.results.Evaluation` is what is kept of it, with whose, of what and when it is.
    """

    verdict: Verdict | None
    """None where there is a score in its place."""
    confidence: float | None
    """Probability of success."""
    rationale: str | None
    evidence: tuple[Evidence, ...]
    unsupported_quotes: tuple[str, ...] = ()
    score: float | None = None
    windows: tuple[WindowFinding, ...] = ()
    """What each part showed, where the judge could not read the conversation at once."""
    contradiction: Contradiction | None = None
    conclusion: Verdict | None = None
    """What its own rationale comes to; None where that does not tell, or was not asked for."""

    @property
    def is_contradictory(self) -> bool:
        """Whether its rationale says something else than the verdict."""
        return self.conclusion is not None and self.conclusion != self.verdict


class MayContradict(Protocol):
    """An answer of a judge that is asked again where it contradicts itself."""

    @property
    def contradiction(self) -> Contradiction | None:
        """Whether it did."""
        ...


def contradiction_of(parts: Iterable[MayContradict]) -> Contradiction | None:
    """Return the worst contradiction of all parts of an answer."""
    told = {part.contradiction for part in parts}
    return "unresolved" if "unresolved" in told else "resolved" if "resolved" in told else None


def checked_quote(
    turns: Sequence[Turn], turn_index: int, quote: str, hint: str
) -> tuple[tuple[Evidence, ...], tuple[str, ...]]:
    """Return the evidence that a quote is, and the quote where nobody said it.

    What a tool returned was not said. A judge that quotes it points to the turn that it stands
    beside, so the sentence of that turn which says most about `hint` is the evidence.
    """
    evidence = verify_quote(turns, turn_index, quote)
    if evidence is None and 0 <= turn_index < len(turns):
        shown = tool_lines(turns[turn_index].tool_calls)
        if any(verbatim(" ".join(line.split()), quote) for line in shown):
            evidence = quote_of_turn(turns, turn_index, hint)
            return ((evidence,) if evidence else ()), ()
    if evidence is not None:
        return (evidence,), ()
    return (), ((quote,) if quote.strip() else ())
