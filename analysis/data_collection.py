"""Typed facts from a conversation: asked of the judge, checked in code against what was said."""

import math
import re
from collections.abc import Mapping, Sequence

from analysis.asking import Meter, Question, ask_twice
from analysis.claims import (
    NOT_DISCUSSED,
    Claim,
    Finding,
    check_claim,
    find_value,
    parse_claims,
    supported,
    unsupported,
)
from analysis.prompts import (
    TURN_QUESTION,
    Window,
    field_question,
    fields_question,
    fields_schema,
    prompt,
)
from analysis.results import FieldValue
from analysis.values import InvalidValueError, typed_value
from conversation.config import DataCollectionField
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import ChatMessage, Completion, CompletionOptions
from conversation.transcript import Turn

_VALUE_OPTIONS = CompletionOptions(max_output_tokens=40, top_logprobs=20, stop=("\n",))
_TURN_OPTIONS = CompletionOptions(max_output_tokens=4)
_TOKENS_PER_FIELD = 60
_NOTHING = {"", "none", "null", "n/a", "not mentioned", "nothing", "not said", "unknown"}


def collect_field(
    field: DataCollectionField, turns: Sequence[Turn], windows: Sequence[Window], *, meter: Meter
) -> Question[Finding]:
    """Ask for one field, window by window; a later window replaces an earlier one's value.

    Raises:
        ModelError: The judge failed.
    """
    finding = NOT_DISCUSSED
    for window in windows:
        finding = _later(finding, (yield from _ask_value(field, turns, window, meter=meter)))
    return finding


def collect_fields(
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    meter: Meter,
) -> Question[dict[str, Finding]]:
    """Ask for all `fields` in one JSON answer for each window.

    Raises:
        ModelError: The judge failed, or answered twice in a form that cannot be used.
    """
    findings = {field.field_id: NOT_DISCUSSED for field in fields}
    for window in windows:
        claims = yield from _ask_claims(fields, window, meter=meter)
        for field in fields:
            if field.field_id in claims:
                found = check_claim(field, claims[field.field_id], turns)
                findings[field.field_id] = _later(findings[field.field_id], found)
    return findings


def none_probability(top_logprobs: Mapping[str, float]) -> float:
    """Return the probability that the answer begins with `none`."""
    return sum(
        math.exp(logprob)
        for token, logprob in top_logprobs.items()
        if token.strip().casefold() == "none"
    )


def _ask_value(
    field: DataCollectionField, turns: Sequence[Turn], window: Window, *, meter: Meter
) -> Question[Finding]:
    def typed(completion: Completion) -> FieldValue | Finding:
        answer = _value_text(completion)
        try:
            return None if answer is None else typed_value(field, answer)
        except InvalidValueError as error:
            raise ModelOutputError(f"{error}.") from error

    def typed_or_invalid(completion: Completion) -> FieldValue | Finding:
        try:
            return typed(completion)
        except ModelOutputError as error:
            return Finding("invalid", rationale=f"The judge's answer {error}")

    question = field_question(field)
    value = yield from ask_twice(
        prompt(window, question),
        _VALUE_OPTIONS,
        parse=typed,
        parse_again=typed_or_invalid,
        meter=meter,
    )
    if value is None or isinstance(value, Finding):
        return value or NOT_DISCUSSED
    evidence = find_value(value, turns, range(window.first_turn, window.last_turn + 1))
    if evidence is not None:
        return supported(value, evidence)
    if not field.enum and field.type != "boolean":
        return unsupported(value, "nobody said so")
    answered = ChatMessage("assistant", str(value))
    which = prompt(window, question, answered, ChatMessage("user", TURN_QUESTION))
    try:
        turn_index = yield from ask_twice(which, _TURN_OPTIONS, parse=_parse_turn, meter=meter)
    except ModelOutputError:
        return unsupported(value, "it named no turn that says so")
    return check_claim(field, Claim(turn_index, value), turns)


def _ask_claims(
    fields: Sequence[DataCollectionField], window: Window, *, meter: Meter
) -> Question[dict[str, Claim]]:
    by_id = {field.field_id: field for field in fields}

    def typed(completion: Completion) -> dict[str, Claim]:
        claims = parse_claims(completion.text)
        for field_id, claim in claims.items():
            try:
                if field_id in by_id:
                    typed_value(by_id[field_id], claim.raw)
            except InvalidValueError as error:
                raise ModelOutputError(f"{field_id}: {error}.") from error
        return claims

    options = CompletionOptions(
        max_output_tokens=40 + _TOKENS_PER_FIELD * len(fields),
        schema=fields_schema(fields),
    )
    return (
        yield from ask_twice(
            prompt(window, fields_question(fields)),
            options,
            parse=typed,
            parse_again=lambda completion: parse_claims(completion.text),
            meter=meter,
        )
    )


def _value_text(completion: Completion) -> str | None:
    lines = completion.text.strip().splitlines()
    answer = lines[0].strip(" \"'`.") if lines else ""
    return None if answer.casefold() in _NOTHING else answer


def _parse_turn(completion: Completion) -> int:
    found = re.search(r"\d+", completion.text)
    if found is None:
        raise ModelOutputError(f"expected the number of a turn, got {completion.text[:40]!r}.")
    return int(found.group())


def _later(earlier: Finding, later: Finding) -> Finding:
    told = later.status == "supported" or earlier.status == "not_discussed"
    return later if told else earlier
