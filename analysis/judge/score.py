"""How well does a conversation meet a criterion? A score within bounds, with checked evidence."""

import math
from collections.abc import Mapping, Sequence

from pydantic import BaseModel, ConfigDict

from analysis.judge.across_windows import judge_windows
from analysis.judge.answer_forms import score_and_reason_schema, score_schema
from analysis.judge.asking import Meter, Question, ask_twice
from analysis.judge.evidence import quote_of_turn
from analysis.judge.judgments import Judgment, checked_quote
from analysis.judge.prompts import (
    JudgeVariant,
    Prompt,
    score_and_reason_question,
    score_json_question,
    score_word_question,
)
from analysis.judge.summary import whole_sentences
from analysis.judge.windows import Window
from conversation.agent.criteria import Criterion, Scale
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import Completion, CompletionOptions, JSONSchema
from conversation.llm.providers.json_answers import json_value
from conversation.transcript import Turn

_ONE_NUMBER = CompletionOptions(max_output_tokens=2, top_logprobs=20)
_ANY_SCORE: JSONSchema = {"anyOf": [{"type": "number"}, {"type": "null"}]}
_MIN_MASS = 0.1
"""Of all numbers on the scale together; below it the distribution says nothing."""


class ScoreReply(BaseModel):
    """The JSON answer of the judge; `reason` without a quote, `rationale` with one."""

    model_config = ConfigDict(strict=True)

    score: float | None
    turn: int
    quote: str = ""
    rationale: str = ""
    reason: str = ""


def score_question(
    criterion: Criterion,
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    variant: JudgeVariant,
    meter: Meter,
) -> Question[Judgment]:
    """Score one criterion on its scale, a long conversation on what was found in its parts.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """
    scale = criterion.scale or Scale()
    ask = _ask_number_and_reason if variant == "logprobs" else _ask_json

    def about(shown: Prompt) -> Question[Judgment]:
        return ask(criterion, scale, turns, shown, meter=meter)

    return (yield from judge_windows(criterion, windows, about))


def expected_score(scale: Scale, top_logprobs: Mapping[str, float]) -> float | None:
    """Return the mean of the numbers on the scale, weighted by their probability.

    It tells apart what one most likely number does not (G-Eval: Liu et al. 2023,
    doi:10.18653/v1/2023.emnlp-main.153). None where numbers have more than one digit, or are no
    likely answer.
    """
    if not scale.is_whole or scale.min < 0 or scale.max > 9:
        return None
    mass: dict[int, float] = {}
    for token, logprob in top_logprobs.items():
        word = token.strip()
        if len(word) == 1 and word.isascii() and word.isdigit():
            number = int(word)
            if scale.min <= number <= scale.max:
                mass[number] = mass.get(number, 0.0) + math.exp(logprob)
    total = sum(mass.values())
    if total < _MIN_MASS:
        return None
    return sum(number * share for number, share in mass.items()) / total


def _ask_number_and_reason(
    criterion: Criterion, scale: Scale, turns: Sequence[Turn], shown: Prompt, *, meter: Meter
) -> Question[Judgment]:
    number = yield from ask_twice(
        shown(score_word_question(criterion, scale)),
        _ONE_NUMBER,
        parse=lambda completion: expected_score(scale, completion.top_logprobs or {}),
        meter=meter,
    )
    schema = score_and_reason_schema(scale)
    try:
        reply = yield from ask_twice(
            shown(score_and_reason_question(criterion, scale)),
            CompletionOptions(max_output_tokens=90, schema=schema),
            parse=lambda completion: parse_score(completion, scale, schema),
            meter=meter,
        )
    except ModelOutputError:
        if number is None:
            raise
        return Judgment(None, None, None, (), score=number)
    evidence = quote_of_turn(turns, reply.turn, f"{criterion.prompt} {reply.reason}")
    score = None if reply.score is None else reply.score if number is None else number
    return Judgment(
        "unknown" if score is None else None,
        None,
        whole_sentences(reply.reason) or None,
        (evidence,) if evidence else (),
        score=score,
    )


def _ask_json(
    criterion: Criterion, scale: Scale, turns: Sequence[Turn], shown: Prompt, *, meter: Meter
) -> Question[Judgment]:
    schema = score_schema(scale)
    reply = yield from ask_twice(
        shown(score_json_question(criterion, scale)),
        CompletionOptions(max_output_tokens=240, schema=schema),
        parse=lambda completion: parse_score(completion, scale, schema),
        meter=meter,
    )
    hint = f"{criterion.prompt} {reply.rationale}"
    return Judgment(
        "unknown" if reply.score is None else None,
        None,
        reply.rationale.strip() or None,
        *checked_quote(turns, reply.turn, reply.quote, hint),
        score=reply.score,
    )


def parse_score(completion: Completion, scale: Scale, schema: JSONSchema) -> ScoreReply:
    """Read the judge's score.

    Raises:
        ModelOutputError: It has another form, or lies outside of the scale.
    """
    try:
        reply = ScoreReply.model_validate(
            json_value(
                completion.text,
                # Bounds are checked below, where the complaint can name them.
                schema | {"properties": schema["properties"] | {"score": _ANY_SCORE}},
                model=completion.usage.model,
                finish_reason=completion.finish_reason,
            )
        )
    except ValueError as error:
        raise ModelOutputError(
            f"expected JSON with score and turn ({type(error).__name__})."
        ) from error
    if reply.score is not None and not scale.min <= reply.score <= scale.max:
        raise ModelOutputError(
            f"score {reply.score:g} does not lie between {scale.min:g} and {scale.max:g}."
        )
    return reply
