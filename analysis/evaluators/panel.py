"""Several judges of one question: the majority decides, and every vote is kept. Pure.

Where no outcome has more than half of the votes, nothing is decided: the verdict is unknown, the
value is not taken. A judge that failed has no vote.
"""

import json
from collections import Counter
from collections.abc import Sequence

from analysis.evaluators.known import judged_kind
from analysis.evaluators.votes import counted_votes, shared_evidence, shared_quotes
from analysis.judge.asking import total_usage
from analysis.judge.judgments import contradiction_of
from analysis.results import CollectedValue, Evaluation, FieldValue, Vote
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
            "contradiction": contradiction_of(members),
            "usage": total_usage([each.usage for each in members if each.usage]),
        }
    )
    if not cast:
        return merged.model_copy(update={"error": _nobody(votes), "agreement": None})
    return judged_kind(criterion).merge(criterion, merged, cast)


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
                "rationale": f"The judges disagree: {counted_votes(counts)}.",
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
            "evidence": shared_evidence(agreeing),
            "unsupported_quotes": shared_quotes(cast),
            "error": None,
            "agreement": agreement,
        }
    )


def _nobody(votes: Sequence[Vote]) -> str:
    reasons = "; ".join(f"{vote.judge_model}: {vote.error}" for vote in votes)
    return f"No judge of the panel answered. {reasons}"


def _same_form(value: FieldValue) -> str:
    """Return a text that two judges' values share when they mean the same."""
    if value is None:
        return "no value"
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return " ".join(text.casefold().split())
