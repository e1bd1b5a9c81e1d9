"""Does what the agent said stand in its documents? By the grounded share of its turns."""

from pydantic import Field

from analysis.evaluators.kind import Evaluated, Evaluator, EvaluatorSettings, settings_of
from analysis.judge.judgments import Judgment
from analysis.results import Evidence
from conversation.agent.criteria import Criterion

_MOST_QUOTES = 5


class FaithfulnessSettings(EvaluatorSettings):
    """How much has to be grounded."""

    min_share: float = Field(default=0.5, ge=0, le=1)
    """Mean share of the sentences of a turn that a passage supports, over the turns that were
    checked. Below it the agent made things up more often than not."""


def decide(criterion: Criterion, evaluated: Evaluated) -> Judgment:
    """Take the mean of what was measured while the agent spoke; unknown where nothing was."""
    settings = settings_of(criterion, FaithfulnessSettings)
    checked = [
        (index, turn, turn.grounded_share)
        for index, turn in enumerate(evaluated.transcript.turns)
        if turn.role == "agent" and turn.grounded_share is not None
    ]
    if not checked:
        return Judgment("unknown", None, "No turn of the agent was checked against passages.", ())
    share = sum(each for _, _, each in checked) / len(checked)
    unsupported = [
        Evidence(turn_index=index, quote=quote)
        for index, turn, _ in sorted(checked, key=lambda each: each[2])
        for start, end in turn.unsupported_spans
        if (quote := turn.text[start:end].strip())
    ]
    return Judgment(
        "success" if share >= settings.min_share else "failure",
        share,
        f"Grounded share {share:.2f} over {len(checked)} turns, {settings.min_share:g} asked for.",
        tuple(unsupported[:_MOST_QUOTES]),
    )


FAITHFULNESS = Evaluator("faithfulness", "faithfulness-1", decide)
