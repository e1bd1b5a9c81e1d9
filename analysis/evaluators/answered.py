"""Did the callers' questions get an answer? By retrieval, refusals and grounded share."""

from datetime import UTC, datetime

from pydantic import Field

from analysis.evaluators.kind import Evaluated, Evaluator, EvaluatorSettings, settings_of
from analysis.evaluators.unanswered import (
    REASON_TEXTS,
    WEAK_SCORE,
    questions_asked,
    unanswered_questions,
)
from analysis.judge.evidence import quote_of_turn
from analysis.judge.judgments import Judgment
from conversation.agent.criteria import Criterion

_MOST_QUOTES = 5


class AnsweredSettings(EvaluatorSettings):
    """What counts as an answer, and how many there have to be."""

    min_share: float = Field(default=1.0, ge=0, le=1)
    """Share of the questions that has to be answered."""
    weak_score: float = Field(default=WEAK_SCORE, ge=0)
    """A best passage below this does not answer, where the agent cites none."""


def decide(criterion: Criterion, evaluated: Evaluated) -> Judgment:
    """Count the questions that got no answer; unknown where nothing was asked."""
    settings = settings_of(criterion, AnsweredSettings)
    transcript = evaluated.transcript
    asked = questions_asked(transcript)
    if not asked:
        return Judgment("unknown", None, "The user asked nothing that documents answer.", ())
    open_ones = unanswered_questions(
        transcript,
        evaluated.retrievals,
        now=transcript.started_at or datetime(1970, 1, 1, tzinfo=UTC),
        weak_score=settings.weak_score,
    )
    share = 1 - len(open_ones) / len(asked)
    reasons = sorted({REASON_TEXTS[reason] for each in open_ones for reason in each.reasons})
    why = f": {', '.join(reasons)}" if reasons else ""
    quotes = [
        quote
        for each in open_ones[:_MOST_QUOTES]
        if (quote := quote_of_turn(transcript.turns, each.turn_index, each.question))
    ]
    return Judgment(
        "success" if share >= settings.min_share else "failure",
        share,
        f"{len(asked) - len(open_ones)} of {len(asked)} questions answered{why}.",
        tuple(quotes),
    )


ANSWERED = Evaluator("answered", "answered-1", decide)
