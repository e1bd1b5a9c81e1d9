"""Does a conversation meet a criterion? Verdict, probability, rationale and checked evidence."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict

from analysis.asking import Meter, Question, ask_twice
from analysis.evidence import quote_of_turn, verify_quote
from analysis.prompts import (
    EVIDENCE_QUESTION,
    YES_BIAS,
    JudgeVariant,
    prompt,
    reason_schema,
    verdict_json_question,
    verdict_question,
    verdict_schema,
)
from analysis.results import Evidence, Verdict
from analysis.windows import Window
from conversation.config import Criterion
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.transcript import Turn

_ONE_WORD = CompletionOptions(max_output_tokens=2, top_logprobs=20)
_REASON = CompletionOptions(max_output_tokens=80, schema=reason_schema())
_MIN_WORD_MASS = 0.02


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


class ReasonReply(BaseModel):
    """What the judge says in JSON when it is asked why."""

    model_config = ConfigDict(strict=True)

    turn: int
    reason: str


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


def success_probability(top_logprobs: Mapping[str, float]) -> float | None:
    """Return the probability of yes against no, less the bias; None when neither is a candidate."""
    mass = {"yes": 0.0, "no": 0.0}
    for token, logprob in top_logprobs.items():
        word = token.strip().strip(".,\"'").casefold()
        if word in mass:
            mass[word] += math.exp(logprob)
    if mass["yes"] + mass["no"] < _MIN_WORD_MASS:
        return None
    return mass["yes"] / (mass["yes"] + mass["no"] * math.exp(YES_BIAS))


def ask_word(
    messages: Sequence[ChatMessage], *, meter: Meter
) -> Question[tuple[Verdict, float | None]]:
    """Ask a yes-or-no question; return the verdict and the probability of success.

    Raises:
        ModelError: The judge failed, or answered twice with neither.
    """
    return (yield from ask_twice(messages, _ONE_WORD, parse=_parse_word, meter=meter))


def _ask_word_and_reason(
    criterion: Criterion, turns: Sequence[Turn], window: Window, *, meter: Meter
) -> Question[Judgment]:
    question = verdict_question(criterion)
    verdict, probability = yield from ask_word(prompt(window, question), meter=meter)
    said = ChatMessage("assistant", "yes" if verdict == "success" else "no")
    why = prompt(window, question, said, ChatMessage("user", EVIDENCE_QUESTION))
    try:
        reply = yield from ask_twice(why, _REASON, parse=_parse_reason, meter=meter)
    except ModelOutputError:
        # The verdict stands without a reason: it does not depend on how it is explained.
        return Judgment(verdict, probability, None, ())
    evidence = quote_of_turn(turns, reply.turn, f"{criterion.prompt} {reply.reason}")
    reason = " ".join(reply.reason.split()) or None
    return Judgment(verdict, probability, reason, (evidence,) if evidence else ())


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


def _parse_word(completion: Completion) -> tuple[Verdict, float | None]:
    probability = success_probability(completion.top_logprobs or {})
    if probability is not None:
        return ("success" if probability > 0.5 else "failure"), probability
    words = re.findall(r"[a-z]+", completion.text.casefold())
    if words[:1] == ["yes"]:
        return "success", None
    if words[:1] == ["no"]:
        return "failure", None
    raise ModelOutputError(f"expected yes or no, got {completion.text[:40]!r}.")


def _parse_reason(completion: Completion) -> ReasonReply:
    try:
        return ReasonReply.model_validate(json.loads(completion.text))
    except ValueError as error:
        raise ModelOutputError("expected JSON with turn and reason.") from error


def _parse_reply(completion: Completion) -> VerdictReply:
    try:
        return VerdictReply.model_validate(json.loads(completion.text))
    except ValueError as error:
        raise ModelOutputError(
            f"expected JSON with verdict, turn, quote and rationale ({type(error).__name__})."
        ) from error


def _certainty(judgment: Judgment) -> float:
    return 0.0 if judgment.confidence is None else abs(judgment.confidence - 0.5)
