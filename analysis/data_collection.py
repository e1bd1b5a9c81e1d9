"""Typed facts from a conversation: asked of the judge, checked in code against what was said."""

from collections.abc import Sequence
from typing import Protocol

from analysis.asking import Meter, Question, ask_twice
from analysis.claims import (
    NOT_DISCUSSED,
    Claim,
    Finding,
    check_claim,
    evidence_of_boolean,
    evidence_of_class,
    find_value,
    parse_claims,
    parse_values,
    require_types,
    supported,
    unsupported,
)
from analysis.prompts import (
    JudgeVariant,
    claims_schema,
    fields_json_question,
    fields_question,
    prompt,
    value_question,
    values_schema,
)
from analysis.values import InvalidValueError, is_nothing, typed_value
from analysis.windows import Window
from analysis.yes_no import ask_word
from conversation.config import DataCollectionField
from conversation.errors import ModelOutputError
from conversation.llm.chat_model import Completion, CompletionOptions
from conversation.transcript import Turn

_FIELDS_PER_CALL = 24
_TOKENS_PER_FIELD = 40
_CATCH_ALL = {"other", "others", "misc", "miscellaneous"}
"""An enum with one of these sorts every conversation: some value is right."""


class _AskFields(Protocol):
    """One way to ask for the values of several fields."""

    def __call__(
        self,
        fields: Sequence[DataCollectionField],
        turns: Sequence[Turn],
        window: Window,
        *,
        meter: Meter,
    ) -> Question[dict[str, Finding]]: ...


def collect_fields(
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    windows: Sequence[Window],
    *,
    variant: JudgeVariant,
    meter: Meter,
) -> Question[dict[str, Finding]]:
    """Collect `fields`, window by window; a later window replaces an earlier one's value.

    Raises:
        ModelError: The judge failed. An answer whose form cannot be used is a finding.
    """
    ask = _ask_values if variant == "logprobs" else _ask_claims
    findings = {field.field_id: NOT_DISCUSSED for field in fields}
    for window in windows:
        for start in range(0, len(fields), _FIELDS_PER_CALL):
            group = fields[start : start + _FIELDS_PER_CALL]
            try:
                found = yield from ask(group, turns, window, meter=meter)
            except ModelOutputError:
                found = yield from _one_by_one(ask, group, turns, window, meter=meter)
            for field_id, finding in found.items():
                findings[field_id] = _later(findings[field_id], finding)
    return findings


def _one_by_one(
    ask: _AskFields,
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    window: Window,
    *,
    meter: Meter,
) -> Question[dict[str, Finding]]:
    """Ask for each field alone, so that one the judge cannot answer costs only itself."""
    findings: dict[str, Finding] = {}
    for field in fields:
        try:
            findings |= yield from ask([field], turns, window, meter=meter)
        except ModelOutputError as error:
            findings[field.field_id] = Finding("error", rationale=str(error))
    return findings


def _ask_values(
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    window: Window,
    *,
    meter: Meter,
) -> Question[dict[str, Finding]]:
    """Ask for values only, and find in code where they were said.

    A small model names values far more reliably than turns.
    """

    def typed(completion: Completion) -> dict[str, object]:
        raw = parse_values(completion.text)
        require_types(fields, raw)
        return raw

    raw = yield from ask_twice(
        prompt(window, fields_question(fields)),
        CompletionOptions(
            max_output_tokens=40 + _TOKENS_PER_FIELD * len(fields), schema=values_schema(fields)
        ),
        parse=typed,
        parse_again=lambda completion: parse_values(completion.text),
        meter=meter,
    )
    findings: dict[str, Finding] = {}
    for field in fields:
        if field.field_id in raw:
            findings[field.field_id] = yield from _locate(
                field, raw[field.field_id], turns, window, meter=meter
            )
    return findings


def _locate(
    field: DataCollectionField,
    raw: object,
    turns: Sequence[Turn],
    window: Window,
    *,
    meter: Meter,
) -> Question[Finding]:
    if is_nothing(field, raw):
        return NOT_DISCUSSED
    try:
        value = typed_value(field, raw)
    except InvalidValueError as error:
        return Finding("invalid", rationale=f"The judge's answer {error}.")
    shown = range(window.first_turn, window.last_turn + 1)
    evidence = find_value(field, value, turns, shown)
    if evidence is not None:
        return supported(value, evidence)
    if field.enum:
        evidence = evidence_of_class(field, value, turns, shown)
    elif field.type == "boolean":
        evidence = evidence_of_boolean(field, turns, shown)
    else:
        return unsupported(value, "nobody said so")
    if evidence is None:
        return NOT_DISCUSSED
    if _CATCH_ALL & {allowed.casefold() for allowed in field.enum or ()}:
        return supported(value, evidence)
    # Code finds no words that say a class or a boolean, so the judge has to stand by it.
    stands = yield from ask_word(prompt(window, value_question(field, value)), meter=meter)
    if stands.is_yes:
        return supported(value, evidence)
    return unsupported(value, "denied it when asked again")


def _ask_claims(
    fields: Sequence[DataCollectionField],
    turns: Sequence[Turn],
    window: Window,
    *,
    meter: Meter,
) -> Question[dict[str, Finding]]:
    """Ask for values together with the turns that tell them."""

    def typed(completion: Completion) -> dict[str, Claim]:
        claims = parse_claims(completion.text)
        require_types(fields, {field_id: claim.raw for field_id, claim in claims.items()})
        return claims

    claims = yield from ask_twice(
        prompt(window, fields_json_question(fields)),
        CompletionOptions(
            max_output_tokens=40 + 2 * _TOKENS_PER_FIELD * len(fields),
            schema=claims_schema(fields),
        ),
        parse=typed,
        parse_again=lambda completion: parse_claims(completion.text),
        meter=meter,
    )
    return {
        field.field_id: check_claim(field, claims[field.field_id], turns)
        for field in fields
        if field.field_id in claims
    }


def _later(earlier: Finding, later: Finding) -> Finding:
    told = later.status == "supported" or earlier.status == "not_discussed"
    return later if told else earlier
