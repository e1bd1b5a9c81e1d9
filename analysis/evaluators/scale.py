"""How well does a conversation meet the criterion? A judge gives a score within bounds."""

from collections.abc import Sequence
from statistics import median

from analysis.evaluators.kind import JudgedKind
from analysis.evaluators.votes import shared_evidence, shared_quotes
from analysis.judge.score import score_question
from analysis.results import Evaluation
from conversation.agent.criteria import Criterion, Scale


def median_score(
    criterion: Criterion, merged: Evaluation, cast: Sequence[Evaluation]
) -> Evaluation:
    """Take the median; agreement is 1 less the spread of the scores over the scale's width."""
    scale = criterion.scale or Scale()
    told = [each for each in cast if each.score is not None]
    scores = [each.score for each in told if each.score is not None]
    if len(told) * 2 <= len(cast):
        return merged.model_copy(
            update={
                "verdict": "unknown",
                "score": None,
                "windows": (),
                "rationale": f"{len(cast) - len(told)} of {len(cast)} judges could not tell.",
                "evidence": (),
                "error": None,
                "agreement": (len(cast) - len(told)) / len(cast),
            }
        )
    score = median(scores)
    nearest = min(told, key=lambda each: abs((each.score or 0.0) - score))
    return merged.model_copy(
        update={
            "verdict": None,
            "score": score,
            "windows": nearest.windows,
            "rationale": nearest.rationale,
            "evidence": shared_evidence(told),
            "unsupported_quotes": shared_quotes(cast),
            "error": None,
            "agreement": 1 - (max(scores) - min(scores)) / (scale.max - scale.min),
        }
    )


SCALE = JudgedKind(
    lambda criterion: criterion.scale is not None, score_question, median_score, is_scored=True
)
