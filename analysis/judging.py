"""Does a conversation meet a criterion? Verdict, probability, rationale and checked evidence."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from analysis.asking import Meter, Question, ask_twice
from analysis.evidence import quote_of_turn, verify_quote
from analysis.prompts import (
    EVIDENCE_QUESTION,
    FAILURE_CLAUSE,
    YES_BIAS,
    JudgeVariant,
    prompt,
    verdict_json_question,
    verdict_question,
    verdict_schema,
)
from analysis.results import Evidence, Verdict
from analysis.summary import whole_sentences
from analysis.windows import Window
from analysis.yes_no import Word, ask_word, probability
from conversation.config import Criterion
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.transcript import Turn

_REASON = CompletionOptions(max_output_tokens=40, stop=("\n",))
_NUMBERED = re.compile(r"\W*(?:turn\s*)?(\d+)\W*(.*)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Judgment:
    """What the judge said of one criterion, evidence already checked."""

    verdict: Verdict
    confidence: float | None
    """Probability of success."""
    rationale: str | None
    evidence: tuple[Evidence, ...]
    unsupported_quotes: tuple[str, ...] = ()


class VerdictReply(BaseModel):
    """The JSON answer of the judge."""

    model_config = ConfigDict(strict=True)

    verdict: Verdict
    turn: int
    quote: str
    rationale: str


def criterion_question(
    criterion: Criterion,
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    variant: JudgeVariant,
    meter: Meter,
) -> Question[Judgment]:
    """Judge one criterion, window by window.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """
    ask = _ask_word_and_reason if variant == "logprobs" else _ask_json
    judgments: list[Judgment] = []
    for window in windows:
        judgments.append((yield from ask(criterion, turns, window, meter=meter)))
    return merge_judgments(judgments)


def merge_judgments(judgments: Sequence[Judgment]) -> Judgment:
    """Return the judgment of a conversation from those of its windows, in order.

    Windows that could not tell are left out; of the others the surest decides, and of equally sure
    ones the last, because a conversation's outcome comes at its end.
    """
    decided = [judgment for judgment in judgments if judgment.verdict != "unknown"]
    return max(reversed(decided or judgments), key=_certainty)


def verdict_of(met: Word, broken: Word | None) -> tuple[Verdict, float | None]:
    """Return the verdict and the probability of success.

    Args:
        met: Whether the criterion is met.
        broken: Whether what its prompt calls a failure happened; None where it names nothing. The
            bias to yes is in both answers, so their difference is free of it.
    """
    if met.log_odds is None or (broken and broken.log_odds is None):
        is_success = met.is_yes and not (broken and broken.is_yes)
        return ("success" if is_success else "failure"), None
    bias = YES_BIAS if broken is None else broken.log_odds or 0.0
    log_odds = met.log_odds - bias
    return ("success" if log_odds > 0 else "failure"), probability(log_odds)


def failure_clause(criterion_prompt: str) -> str | None:
    """Return what a criterion's prompt itself calls a failure, as a sentence, if it does."""
    found = re.search(FAILURE_CLAUSE, " ".join(criterion_prompt.split()), re.IGNORECASE)
    return found[1][0].upper() + found[1][1:] if found else None


def _ask_word_and_reason(
    criterion: Criterion, turns: Sequence[Turn], window: Window, *, meter: Meter
) -> Question[Judgment]:
    question = verdict_question(criterion.prompt)
    clause = failure_clause(criterion.prompt)
    broken = None
    if clause:
        broken = yield from ask_word(prompt(window, verdict_question(clause)), meter=meter)
    met = yield from ask_word(prompt(window, question), meter=meter)
    verdict, confidence = verdict_of(met, broken)
    said = ChatMessage("assistant", "yes" if verdict == "success" else "no")
    why = prompt(window, question, said, ChatMessage("user", EVIDENCE_QUESTION))
    try:
        turn_index, reason = yield from ask_twice(why, _REASON, parse=_parse_reason, meter=meter)
    except ModelOutputError:
        # The verdict stands without a reason: it does not depend on how it is explained.
        return Judgment(verdict, confidence, None, ())
    evidence = quote_of_turn(turns, turn_index, f"{criterion.prompt} {reason or ''}")
    return Judgment(verdict, confidence, reason, (evidence,) if evidence else ())


def _ask_json(
    criterion: Criterion, turns: Sequence[Turn], window: Window, *, meter: Meter
) -> Question[Judgment]:
    options = CompletionOptions(max_output_tokens=240, schema=verdict_schema())
    reply = yield from ask_twice(
        prompt(window, verdict_json_question(criterion)), options, parse=_parse_reply, meter=meter
    )
    evidence = verify_quote(turns, reply.turn, reply.quote)
    return Judgment(
        reply.verdict,
        None,
        reply.rationale.strip() or None,
        (evidence,) if evidence else (),
        (reply.quote,) if evidence is None and reply.quote.strip() else (),
    )


def _parse_reason(completion: Completion) -> tuple[int, str | None]:
    found = _NUMBERED.match(completion.text.strip())
    if found is None:
        raise ModelOutputError(f"expected `NUMBER: reason`, got {completion.text[:40]!r}.")
    return int(found[1]), whole_sentences(found[2].strip("` ")) or None


def _parse_reply(completion: Completion) -> VerdictReply:
    try:
        return VerdictReply.model_validate(json.loads(completion.text))
    except ValueError as error:
        raise ModelOutputError(
            f"expected JSON with verdict, turn, quote and rationale ({type(error).__name__})."
        ) from error


def _certainty(judgment: Judgment) -> float:
    return 0.0 if judgment.confidence is None else abs(judgment.confidence - 0.5)
