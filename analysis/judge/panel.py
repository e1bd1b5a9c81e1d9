"""Several judges of one question: the majority decides, and every vote is kept. Pure.

Where no outcome has more than half of the votes, nothing is decided: the verdict is unknown, the
value is not taken. A judge that failed has no vote.
"""

import json
from collections import Counter
from collections.abc import Sequence
from statistics import median

from analysis.judge.asking import total_usage
from analysis.results import CollectedValue, Evaluation, Evidence, FieldValue, Vote
from conversation.agent.criteria import Criterion


def panel_evaluation(
    criterion: Criterion, members: Sequence[Evaluation], *, judge_model: str, prompt_version: str
) -> Evaluation:
    """Return what a panel decided from what each of its judges said, in the panel's order."""
    votes = tuple(
        Vote(
            judge_model=each.judge_model,
            answer=each.score if each.score is not None else each.verdict,
            error=each.error,
        )
        for each in members
    )
    cast = [each for each in members if each.error is None]
    merged = members[0].model_copy(
        update={
            "judge_model": judge_model,
            "judge_prompt_version": prompt_version,
            "votes": votes,
            "usage": total_usage([each.usage for each in members if each.usage]),
        }
    )
    if not cast:
        return merged.model_copy(update={"error": _nobody(votes), "agreement": None})
    if criterion.scale is not None:
        return _scored(merged, cast, width=criterion.scale.max - criterion.scale.min)
    return _decided(merged, cast)


def panel_value(
    members: Sequence[CollectedValue], *, judge_model: str, prompt_version: str
) -> CollectedValue:
    """Return the value that a panel agrees on, from what each of its judges found."""
    votes = tuple(
        Vote(judge_model=each.judge_model, answer=each.value, error=each.error) for each in members
    )
    cast = [each for each in members if each.error is None]
    merged = members[0].model_copy(
        update={"judge_model": judge_model, "judge_prompt_version": prompt_version, "votes": votes}
    )
    if not cast:
        return merged.model_copy(update={"error": _nobody(votes), "status": "error"})
    counts = Counter(_same_form(each.value) for each in cast)
    form, count = counts.most_common(1)[0]
    agreement = count / len(cast)
    if count * 2 <= len(cast):
        return merged.model_copy(
            update={
                "value": None,
                "status": "unsupported",
                "evidence": (),
                "rationale": f"The judges disagree: {_counted(counts)}.",
                "error": None,
                "agreement": agreement,
            }
        )
    agreeing = [each for each in cast if _same_form(each.value) == form]
    return merged.model_copy(
        update={
            "value": agreeing[0].value,
            "status": agreeing[0].status,
            "rationale": agreeing[0].rationale,
            "evidence": _evidence(agreeing),
            "unsupported_quotes": _quotes(cast),
            "error": None,
            "agreement": agreement,
        }
    )


def _decided(merged: Evaluation, cast: Sequence[Evaluation]) -> Evaluation:
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
            else f"The judges disagree: {_counted(counts)}.",
            "evidence": _evidence(agreeing),
            "windows": agreeing[0].windows if agreeing else (),
            "unsupported_quotes": _quotes(cast),
            "error": None,
            "agreement": count / len(cast) if is_majority else 0.0,
        }
    )


def _scored(merged: Evaluation, cast: Sequence[Evaluation], *, width: float) -> Evaluation:
    """Take the median; agreement is 1 less the spread of the scores over the scale's width."""
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
            "evidence": _evidence(told),
            "unsupported_quotes": _quotes(cast),
            "error": None,
            "agreement": 1 - (max(scores) - min(scores)) / width,
        }
    )


def _nobody(votes: Sequence[Vote]) -> str:
    reasons = "; ".join(f"{vote.judge_model}: {vote.error}" for vote in votes)
    return f"No judge of the panel answered. {reasons}"


def _evidence(answers: Sequence[Evaluation | CollectedValue]) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(evidence for each in answers for evidence in each.evidence))


def _quotes(answers: Sequence[Evaluation | CollectedValue]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(quote for each in answers for quote in each.unsupported_quotes))


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())


def _same_form(value: FieldValue) -> str:
    """Return a text that two judges' values share when they mean the same."""
    if value is None:
        return "no value"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(text.casefold().split())
