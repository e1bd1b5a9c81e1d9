"""Does a conversation meet the criterion? A judge says success, failure or unknown."""

from collections import Counter
from collections.abc import Sequence

from analysis.evaluators.kind import JudgedKind
from analysis.evaluators.votes import counted_votes, shared_evidence, shared_quotes
from analysis.judge.verdict import yes_no_question
from analysis.results import Evaluation
from conversation.agent.criteria import Criterion


def majority(criterion: Criterion, merged: Evaluation, cast: Sequence[Evaluation]) -> Evaluation:
    """Take the verdict of more than half of the judges; without one it is unknown."""
    del criterion
    counts = Counter(str(each.verdict) for each in cast)
    verdict, count = counts.most_common(1)[0]
    is_majority = count * 2 > len(cast)
    agreeing = [each for each in cast if each.verdict == verdict] if is_majority else []
    given = [each.confidence for each in cast if each.confidence is not None]
    return merged.model_copy(
        update={
            "verdict": agreeing[0].verdict if agreeing else "unknown",
            "confidence": sum(given) / len(given) if given else None,
            "rationale": agreeing[0].rationale
            if agreeing
            else f"The judges disagree: {counted_votes(counts)}.",
            "evidence": shared_evidence(agreeing),
            "windows": agreeing[0].windows if agreeing else (),
            "unsupported_quotes": shared_quotes(cast),
            "error": None,
            "agreement": count / len(cast) if is_majority else 0.0,
        }
    )


# Every criterion that is nothing else.
YES_NO = JudgedKind(lambda _criterion: True, yes_no_question, majority, is_scored=False)
