"""A verdict whose own reason says otherwise: found, asked again once, else unknown.

What a reason says is read by the judge, never by a list of words, so that it may stand in any
language. A judge that answers everything at once ends its answer with the verdict that its reason
comes to, which costs some words and no call. A small one repeats there what it began with; it is
asked in one word about its reason alone, without the transcript that misled it.
"""

from collections.abc import Callable
from dataclasses import replace

from analysis.judge.asking import JudgeCall, Meter, Question
from analysis.judge.judgments import Judgment
from analysis.judge.prompts import (
    REASON_BIAS,
    REASON_MARGIN,
    contradiction_complaint,
    reason_prompt,
)
from analysis.judge.yes_no import ONE_WORD, read_word
from analysis.results import Verdict
from conversation.agent.criteria import Criterion
from conversation.errors import ModelOutputError


def settled(first: Judgment, ask_again: Callable[[str], Question[Judgment]]) -> Question[Judgment]:
    """Return the judgment; one that contradicts its reason is asked again once, else unknown.

    Args:
        first: The first answer.
        ask_again: Puts the question once more, with what is wrong with the first answer.

    Raises:
        ModelError: The judge failed.
    """
    if not first.is_contradictory:
        return first
    complaint = contradiction_complaint(first.verdict, first.conclusion)
    try:
        second = yield from ask_again(complaint)
    except ModelOutputError:
        second = first
    if not second.is_contradictory:
        return replace(second, contradiction="resolved")
    return _undecided(second)


def what_reason_says(
    criterion: Criterion, reason: str, *, meter: Meter
) -> Question[Verdict | None]:
    """Ask the judge whether a reason says that the criterion is met, without the transcript.

    Returns:
        None where the answer is not clear.

    Raises:
        ModelError: The judge failed.
    """
    completion = yield JudgeCall(tuple(reason_prompt(criterion, reason)), ONE_WORD)
    meter.usages.append(completion.usage)
    try:
        word = read_word(completion, bias=REASON_BIAS)
    except ModelOutputError:
        return None
    if word.log_odds is not None and abs(word.log_odds - REASON_BIAS) < REASON_MARGIN:
        return None
    return "success" if word.is_yes else "failure"


def _undecided(judgment: Judgment) -> Judgment:
    told = f" ({judgment.rationale})" if judgment.rationale else ""
    return replace(
        judgment,
        verdict="unknown",
        confidence=None,
        rationale=f"The judge contradicts itself, also when asked again: it answers "
        f"{judgment.verdict}, its reason says {judgment.conclusion}{told}.",
        contradiction="unresolved",
    )
