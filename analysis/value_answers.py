"""Two ways to ask for the values of fields, each ending in findings checked against the words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from analysis.answer_forms import claims_schema, values_schema
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
from analysis.composites import Leaf, leaves_of, put_together
from analysis.prompts import (
    fields_json_question,
    fields_question,
    prompt,
    value_question,
)
from analysis.values import InvalidValueError, is_nothing, typed_value
from analysis.windows import Window
from analysis.yes_no import ask_word
from conversation.llm.chat_model import Completion, CompletionOptions
from conversation.questions import DataCollectionField
from conversation.transcript import Turn

_TOKENS_PER_FIELD = 40
_TOKENS_PER_COMPOSITE = 160
_CATCH_ALL = {"other", "others", "misc", "miscellaneous"}
"""An enum with one of these sorts every conversation: some value is right."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where values are looked for."""

    turns: Sequence[Turn]
    window: Window
    meter: Meter
    today: date | None = None
    """Day of the conversation."""

    @property
    def shown(self) -> range:
        """Indexes of the turns that the judge sees."""
        return range(self.window.first_turn, self.window.last_turn + 1)


class AskFields(Protocol):
    """One way to ask for the values of several fields."""

    def __call__(
        self, fields: Sequence[DataCollectionField], source: Source, *, complaint: str = ""
    ) -> Question[dict[str, Finding]]:
        """Ask; `complaint` says what was wrong with an earlier answer."""
        ...


def ask_values(
    fields: Sequence[DataCollectionField], source: Source, *, complaint: str = ""
) -> Question[dict[str, Finding]]:
    """Ask for values only, and find in code where they were said.

    A small model names values far more reliably than turns.
    """

    def typed(completion: Completion) -> dict[str, object]:
        raw = parse_values(completion.text)
        require_types(fields, raw, today=source.today)
        return raw

    raw = yield from ask_twice(
        prompt(source.window, fields_question(fields, source.today, complaint)),
        CompletionOptions(max_output_tokens=_room_for(fields), schema=values_schema(fields)),
        parse=typed,
        parse_again=lambda completion: parse_values(completion.text),
        meter=source.meter,
    )
    findings: dict[str, Finding] = {}
    for field in fields:
        if field.field_id in raw:
            findings[field.field_id] = yield from _located(field, raw[field.field_id], source)
    return findings


def ask_claims(
    fields: Sequence[DataCollectionField], source: Source, *, complaint: str = ""
) -> Question[dict[str, Finding]]:
    """Ask for values together with the turns that tell them."""

    def typed(completion: Completion) -> dict[str, Claim]:
        claims = parse_claims(completion.text)
        raw = {field_id: claim.raw for field_id, claim in claims.items()}
        require_types(fields, raw, today=source.today)
        return claims

    claims = yield from ask_twice(
        prompt(source.window, fields_json_question(fields, source.today, complaint)),
        CompletionOptions(max_output_tokens=2 * _room_for(fields), schema=claims_schema(fields)),
        parse=typed,
        parse_again=lambda completion: parse_claims(completion.text),
        meter=source.meter,
    )
    return {
        field.field_id: _checked(field, claims[field.field_id], source)
        for field in fields
        if field.field_id in claims
    }


def _located(field: DataCollectionField, raw: object, source: Source) -> Question[Finding]:
    if not field.is_composite:
        return (yield from _located_scalar(field, raw, source))
    leaves = _leaves(field, raw, source.today)
    if isinstance(leaves, Finding):
        return leaves
    findings: list[Finding] = []
    for leaf in leaves:
        findings.append((yield from _located_scalar(leaf.field, leaf.value, source)))
    return put_together(field, leaves, findings)


def _located_scalar(field: DataCollectionField, raw: object, source: Source) -> Question[Finding]:
    if is_nothing(field, raw):
        return NOT_DISCUSSED
    try:
        value = typed_value(field, raw, today=source.today)
    except InvalidValueError as error:
        return Finding("invalid", rationale=f"The judge's answer {error}.")
    evidence = find_value(field, value, source.turns, source.shown, today=source.today)
    if evidence is not None:
        return supported(value, evidence)
    if field.enum:
        evidence = evidence_of_class(field, value, source.turns, source.shown)
    elif field.type == "boolean":
        evidence = evidence_of_boolean(field, source.turns, source.shown)
    else:
        return unsupported(value, "nobody said so")
    if evidence is None:
        return NOT_DISCUSSED
    if _CATCH_ALL & {allowed.casefold() for allowed in field.enum or ()}:
        return supported(value, evidence)
    # Code finds no words that say a class or a boolean, so the judge has to stand by it.
    question = prompt(source.window, value_question(field, value))
    stands = yield from ask_word(question, meter=source.meter)
    if stands.is_yes:
        return supported(value, evidence)
    return unsupported(value, "denied it when asked again")


def _checked(field: DataCollectionField, claim: Claim, source: Source) -> Finding:
    if not field.is_composite:
        return check_claim(field, claim, source.turns, today=source.today)
    leaves = _leaves(field, claim.raw, source.today)
    if isinstance(leaves, Finding):
        return leaves
    return put_together(field, leaves, [_checked_leaf(leaf, claim, source) for leaf in leaves])


def _checked_leaf(leaf: Leaf, claim: Claim, source: Source) -> Finding:
    """Check one value of several: they may have been said in other turns than the one named."""
    said = find_value(leaf.field, leaf.value, source.turns, source.shown, today=source.today)
    if said is not None:
        return supported(leaf.value, said)
    return check_claim(
        leaf.field, Claim(claim.turn_index, leaf.value), source.turns, today=source.today
    )


def _leaves(field: DataCollectionField, raw: object, today: date | None) -> list[Leaf] | Finding:
    if is_nothing(field, raw):
        return NOT_DISCUSSED
    try:
        return leaves_of(field, typed_value(field, raw, today=today))
    except InvalidValueError as error:
        return Finding("invalid", rationale=f"The judge's answer {error}.")


def _room_for(fields: Sequence[DataCollectionField]) -> int:
    """Return how many tokens the values may take."""
    return 40 + sum(
        _TOKENS_PER_COMPOSITE if field.is_composite else _TOKENS_PER_FIELD for field in fields
    )
