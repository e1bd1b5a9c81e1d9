"""Does a conversation meet a criterion? Verdict, probability, rationale and checked evidence."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from pydantic import BaseModel, ConfigDict

from analysis.judge.across_windows import judge_windows
from analysis.judge.answer_forms import (
    success_or_reason_schema,
    verdict_and_reason_schema,
    verdict_and_turn_schema,
    verdict_schema,
)
from analysis.judge.asking import Meter, Question, ask_twice
from analysis.judge.contradiction import settled, what_reason_says
from analysis.judge.evidence import quote_of_turn
from analysis.judge.judgments import Judgment, checked_quote
from analysis.judge.prompts import (
    SECOND_ANSWER_WEIGHT,
    YES_BIAS,
    JudgeVariant,
    Prompt,
    turn_question,
    verdict_and_reason_question,
    verdict_json_question,
    verdict_question,
)
from analysis.judge.summary import whole_sentences
from analysis.judge.windows import Window
from analysis.judge.yes_no import OneWord, ask_word, probability
from analysis.results import Verdict
from conversation.agent.criteria import Criterion
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions, JSONSchema
from conversation.llm.providers.json_answers import json_value
from conversation.transcript import Turn

_REASON = CompletionOptions(max_output_tokens=90, schema=verdict_and_reason_schema())
_REASON_UNLESS_MET = CompletionOptions(max_output_tokens=90, schema=success_or_reason_schema())
"""The same answer; that of a success ends where the reason would begin."""
_ONE_NUMBER = CompletionOptions(max_output_tokens=8, schema={"type": "integer"})


class VerdictReply(BaseModel):
    """The JSON answer of the judge, as it comes over the wire."""

    model_config = ConfigDict(strict=True)

    verdict: Verdict
    turn: int
    quote: str
    rationale: str
    conclusion: Verdict | None = None
    """What the rationale comes to; None from a judge that leaves it out."""


class ReasonReply(BaseModel):
    """The JSON answer to the second question of the `logprobs` variant, over the wire."""

    model_config = ConfigDict(strict=True)

    verdict: Verdict
    turn: int
    reason: str = ""
    """Empty where it was not asked for."""


def yes_no_question(
    criterion: Criterion,
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    variant: JudgeVariant,
    meter: Meter,
) -> Question[Judgment]:
    """Judge whether a conversation meets one criterion, window by window.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """
    ask = _ask_word_and_reason if variant == "logprobs" else _ask_json

    def about(shown: Prompt) -> Question[Judgment]:
        return ask(criterion, turns, shown, meter=meter)

    return (yield from judge_windows(criterion, windows, about))


def reason_question(
    criterion: Criterion, turns: Sequence[Turn], windows: Sequence[Window], *, meter: Meter
) -> Question[Judgment]:
    """Ask for a verdict with its turn and its reason, of which neither is left out.

    For a verdict that was given without a reason. The answer's own verdict stands in it, so that a
    caller sees where the judge explains something else than what it said before.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """

    def about(shown: Prompt) -> Question[Judgment]:
        asked = shown(verdict_and_reason_question(criterion.prompt))

        def explained(reply: ReasonReply) -> Question[Judgment]:
            return _with_reason(criterion, turns, reply, reply.verdict, None, meter=meter)

        first = yield from ask_twice(asked, _REASON, parse=_parse_whole, meter=meter)

        def again(complaint: str) -> Question[Judgment]:
            once_more = _once_more(asked, first, complaint)
            second = yield from ask_twice(once_more, _REASON, parse=_parse_whole, meter=meter)
            return (yield from explained(second))

        return (yield from settled((yield from explained(first)), again))

    return (yield from judge_windows(criterion, windows, about))


def verdict_of(
    word: OneWord, second: Verdict | None, threshold: float | None = None
) -> tuple[Verdict, float | None]:
    """Return the verdict and the probability of success.

    Args:
        word: The one-word answer to whether the criterion is met.
        second: The verdict that the judge gives with its reason; None when it could not be read.
        threshold: Probability above which it is a success; None for one half.
    """
    if word.log_odds is None:
        return second or ("success" if word.is_yes else "failure"), None
    weight = {"success": SECOND_ANSWER_WEIGHT, "failure": -SECOND_ANSWER_WEIGHT}
    log_odds = word.log_odds - YES_BIAS + weight.get(second or "unknown", 0.0)
    success = probability(log_odds)
    if second == "unknown":
        return second, success
    return ("success" if success > (threshold or 0.5) else "failure"), success


def _ask_word_and_reason(
    criterion: Criterion, turns: Sequence[Turn], shown: Prompt, *, meter: Meter
) -> Question[Judgment]:
    word = yield from ask_word(shown(verdict_question(criterion.prompt)), meter=meter)
    why = shown(verdict_and_reason_question(criterion.prompt))
    try:
        turn_of = shown(turn_question(criterion.prompt))
        reply = yield from _second_answer(word, why, turn_of, criterion.threshold, meter=meter)
    except ModelOutputError:
        # The probability stands without a reason: it does not depend on how it is explained.
        return Judgment(*verdict_of(word, None, criterion.threshold), None, ())
    explain = partial(_explained, criterion, turns, word, meter=meter)

    def again(complaint: str) -> Question[Judgment]:
        parse = _parse_reason
        asked = _once_more(why, reply, complaint)
        return (
            yield from explain((yield from ask_twice(asked, _REASON, parse=parse, meter=meter)))
        )

    return (yield from settled((yield from explain(reply)), again))


def _explained(
    criterion: Criterion, turns: Sequence[Turn], word: OneWord, reply: ReasonReply, *, meter: Meter
) -> Question[Judgment]:
    """Weigh both answers, and read what the reason of the second one says."""
    verdict, confidence = verdict_of(word, reply.verdict, criterion.threshold)
    return (yield from _with_reason(criterion, turns, reply, verdict, confidence, meter=meter))


def _with_reason(
    criterion: Criterion,
    turns: Sequence[Turn],
    reply: ReasonReply,
    verdict: Verdict,
    confidence: float | None,
    *,
    meter: Meter,
) -> Question[Judgment]:
    evidence = quote_of_turn(turns, reply.turn, f"{criterion.prompt} {reply.reason}")
    reason = whole_sentences(reply.reason) or None
    judgment = Judgment(verdict, confidence, reason, (evidence,) if evidence else ())
    if reason is None or verdict == "unknown":
        return judgment
    says = yield from what_reason_says(criterion, reason, meter=meter)
    # Where it is not clear what a reason says, it explains the verdict that it was given with.
    return replace(judgment, conclusion=says or reply.verdict)


def _once_more(
    asked: Sequence[ChatMessage], reply: BaseModel, complaint: str
) -> tuple[ChatMessage, ...]:
    said = reply.model_dump_json(exclude_none=True)
    return (*asked, ChatMessage("assistant", said), ChatMessage("user", complaint))


def _second_answer(
    word: OneWord,
    why: Sequence[ChatMessage],
    turn_of: Sequence[ChatMessage],
    threshold: float | None,
    *,
    meter: Meter,
) -> Question[ReasonReply]:
    """The verdict with the turn that shows it, and with the reason for all but clear successes.

    Whoever reads a report asks why something failed. The reason stands last in the answer, so that
    leaving it out changes neither verdict nor turn. Where the word is so sure that a second verdict
    could not turn it over, only the turn is asked for, which is two tokens in place of eighteen.
    It then counts as agreeing, so that a surer word never gives a smaller probability.
    """
    if word.log_odds is not None and verdict_of(word, "failure", threshold)[0] == "success":
        turn = yield from ask_twice(turn_of, _ONE_NUMBER, parse=_parse_turn, meter=meter)
        return ReasonReply(verdict="success", turn=turn)
    if verdict_of(word, "success", threshold)[0] == "success" and word.is_yes:
        return (yield from ask_twice(why, _REASON_UNLESS_MET, parse=_parse_reason, meter=meter))
    return (yield from ask_twice(why, _REASON, parse=_parse_reason, meter=meter))


def _ask_json(
    criterion: Criterion, turns: Sequence[Turn], shown: Prompt, *, meter: Meter
) -> Question[Judgment]:
    options = CompletionOptions(max_output_tokens=260, schema=verdict_schema())
    asked = shown(verdict_json_question(criterion))

    def ask(messages: Sequence[ChatMessage]) -> Question[VerdictReply]:
        return ask_twice(messages, options, parse=_parse_reply, meter=meter)

    def explained(reply: VerdictReply) -> Judgment:
        hint = f"{criterion.prompt} {reply.rationale}"
        checked = checked_quote(turns, reply.turn, reply.quote, hint)
        reason = reply.rationale.strip() or None
        return Judgment(reply.verdict, None, reason, *checked, conclusion=reply.conclusion)

    first = yield from ask(asked)

    def again(complaint: str) -> Question[Judgment]:
        return explained((yield from ask(_once_more(asked, first, complaint))))

    return (yield from settled(explained(first), again))


def _read(completion: Completion, schema: JSONSchema) -> Any:
    return json_value(
        completion.text,
        schema,
        model=completion.usage.model,
        finish_reason=completion.finish_reason,
    )


def _parse_reason(completion: Completion) -> ReasonReply:
    try:
        return ReasonReply.model_validate(_read(completion, verdict_and_turn_schema()))
    except ValueError as error:
        raise ModelOutputError(
            f"expected JSON with verdict, turn and reason ({type(error).__name__})."
        ) from error


def _parse_whole(completion: Completion) -> ReasonReply:
    reply = _parse_reason(completion)
    if not reply.reason.strip():
        raise ModelOutputError("expected a reason in at most 12 words, got none.")
    return reply


def _parse_turn(completion: Completion) -> int:
    return int(_read(completion, {"type": "integer"}))


def _parse_reply(completion: Completion) -> VerdictReply:
    try:
        return VerdictReply.model_validate(_read(completion, verdict_schema()))
    except ValueError as error:
        raise ModelOutputError(
            f"expected JSON with verdict, turn, quote and rationale ({type(error).__name__})."
        ) from error
