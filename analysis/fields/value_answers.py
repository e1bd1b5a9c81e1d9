"""Two ways to ask for the values of fields, each ending in findings checked against the words."""

import math
from collections import Counter
from collections.abc import Sequence
from typing import Protocol

from analysis.fields.across_turns import moment_in_two_turns
from analysis.fields.claims import (
    NOT_DISCUSSED,
    CheckedClaim,
    Claim,
    as_corrected,
    check_claim,
    evidence_of_boolean,
    evidence_of_class,
    find_ambiguous,
    find_value,
    nothing_told,
    parse_claims,
    parse_values,
    require_types,
    resolved,
    supported,
    unsupported,
)
from analysis.fields.composites import Leaf, put_together
from analysis.fields.corrections import is_settled
from analysis.fields.dates import day_words_in, is_day
from analysis.fields.field_kind import MAX_CLASSES, kind_of_field
from analysis.fields.only_said import (
    answer_given,
    as_meant,
    as_said,
    day_as_copied,
    only_meant,
)
from analysis.fields.said_values import is_text
from analysis.fields.source import SearchedTurns, leaves_told
from analysis.fields.values import (
    AmbiguousValueError,
    InvalidValueError,
    is_nothing,
    typed_scalar,
)
from analysis.judge.answer_forms import claims_schema, values_schema
from analysis.judge.asking import Question, ask_twice
from analysis.judge.evidence import shares_words
from analysis.judge.prompts import (
    TOLD_BIASES,
    answer_question,
    fields_json_question,
    fields_question,
    prompt,
    told_question,
    value_question,
)
from analysis.judge.yes_no import OneWord, ask_word
from analysis.results import Scalar
from conversation.agent.criteria import DataCollectionField
from conversation.llm.chat_model import Completion, CompletionOptions

_TOKENS_PER_FIELD = 40
_TOKENS_PER_COMPOSITE = 160
MAX_DAYS = 12
"""Said in a conversation, from which the judge chooses one; the last ones count."""
DENIED = "denied it when asked again"
_CATCH_ALL = {"other", "others", "misc", "miscellaneous"}
"""An enum with one of these sorts every conversation: some value is right."""


class AskFields(Protocol):
    """One way to ask for the values of several fields."""

    def __call__(
        self, fields: Sequence[DataCollectionField], source: SearchedTurns, *, complaint: str = ""
    ) -> Question[dict[str, CheckedClaim]]:
        """Ask; `complaint` says what was wrong with an earlier answer."""
        ...


def ask_values(
    fields: Sequence[DataCollectionField], source: SearchedTurns, *, complaint: str = ""
) -> Question[dict[str, CheckedClaim]]:
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
    findings: dict[str, CheckedClaim] = {}
    times = Counter(_folded(answer) for answer in raw.values())
    for field in fields:
        if field.field_id in raw:
            answer = raw[field.field_id]
            shared = times[_folded(answer)] > 1
            findings[field.field_id] = yield from _located(field, answer, source, shared=shared)
    reworded = [
        field
        for field in fields
        if field.field_id in raw
        and _is_reworded_day(field, raw[field.field_id])
        and findings[field.field_id].status == "unsupported"
    ]
    return findings | (yield from _days_as_said(reworded, source))


def ask_claims(
    fields: Sequence[DataCollectionField], source: SearchedTurns, *, complaint: str = ""
) -> Question[dict[str, CheckedClaim]]:
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


def _located(
    field: DataCollectionField, raw: object, source: SearchedTurns, *, shared: bool
) -> Question[CheckedClaim]:
    if not field.is_composite:
        return (yield from _located_scalar(field, raw, source, shared=shared))
    told = leaves_told(field, raw, source)
    if isinstance(told, CheckedClaim):
        return told
    leaves, refused = told
    findings: list[CheckedClaim] = []
    for leaf in leaves:
        located = yield from _located_scalar(leaf.field, leaf.value, source, shared=False)
        findings.append(located)
    return put_together(field, leaves, findings, refused)


def _located_scalar(
    field: DataCollectionField, raw: object, source: SearchedTurns, *, shared: bool
) -> Question[CheckedClaim]:
    """Find where a value was said; where words prove too little, the judge has to stand by it.

    Words of a user are proof enough unless they are claimed for another field as well (`shared`).
    An agent says many things that a user never asked for, numbers and the values of an enum occur
    for many reasons, and a boolean has no words.
    """
    if is_nothing(field, raw):
        return nothing_told(field, raw, source.turns, _asked_about(field, source))
    try:
        copied = day_as_copied(field, raw, source.today)
        value = typed_scalar(field, copied, today=source.today, language=source.language)
    except AmbiguousValueError as error:
        return resolved(field, error, source.turns, source.shown, today=source.today)
    except InvalidValueError as error:
        return CheckedClaim("invalid", rationale=f"The judge's answer {error}.")
    value = as_meant(field, value, source.turns, source.shown)
    evidence = find_value(field, value, source.turns, source.shown, today=source.today)
    if evidence is None and field.type == "datetime":
        for index in reversed(source.shown):
            parts = moment_in_two_turns(value, source.turns, index, today=source.today)
            if parts and index == max(part.turn_index for part in parts):
                return CheckedClaim("supported", value, evidence=parts)
    if evidence is None:
        either = find_ambiguous(field, value, source.turns, source.shown, today=source.today)
        return either or (yield from _unspoken(field, value, source))
    manner = _manner(field, value, source.turns[evidence.turn_index].role, shared=shared)
    shown = as_said(field, value, evidence, source.turns)
    if manner is not None and is_settled(field, evidence, source.turns, today=source.today):
        manner = None
    if manner is None or _is_catch_all(field) or (yield from _told(field, shown, source, manner)):
        finding = supported(value, evidence)
        return as_corrected(field, finding, source.turns, today=source.today)
    return unsupported(value, DENIED)


def _asked_about(field: DataCollectionField, source: SearchedTurns) -> list[int]:
    """Return the turns that answer a question about the field, the last one first."""
    about = f"{field.field_id.replace('.', ' ')} {field.description}"
    return [
        index
        for index in reversed(source.shown)
        if index > 0 and shares_words(source.turns[index - 1].text, about)
    ]


def _manner(field: DataCollectionField, value: Scalar, role: str, *, shared: bool) -> str | None:
    """Return how a value was said, as `TOLD_BIASES` calls it; None where that is proof enough."""
    if not is_text(value):
        return "number"
    if field.enum:
        return "named_class"
    if role == "user":
        return "shared_words" if shared else None
    return "agents_shared_words" if shared else "agents_words"


def _is_reworded_day(field: DataCollectionField, answer: object) -> bool:
    free_text = field.type == "string" and not field.enum
    return free_text and isinstance(answer, str) and is_day(answer)


def _days_as_said(
    fields: Sequence[DataCollectionField], source: SearchedTurns
) -> Question[dict[str, CheckedClaim]]:
    """Put days that the judge wrote as numbers into the words that were said.

    Small judges give the same day to every field that could have one: the field that they stand by
    most keeps it.
    """
    said = [words for index in source.shown for words in day_words_in(source.turns[index].text)]
    days = list(dict.fromkeys(said))[-MAX_DAYS:]
    surest: dict[str, tuple[float, DataCollectionField]] = {}
    for field in fields if days else ():
        day = yield from _chosen_day(field, days, source)
        if day is None:
            continue
        word = yield from _asked_whether_told(field, day, source)
        stands = word.log_odds
        if stands is None:
            stands = math.inf if word.is_yes else -math.inf
        if stands > max(TOLD_BIASES["reworded_day"], surest.get(day, (-math.inf,))[0]):
            surest[day] = (stands, field)
    findings: dict[str, CheckedClaim] = {}
    for day, (_, field) in surest.items():
        evidence = find_value(field, day, source.turns, source.shown, today=source.today)
        if evidence is not None:
            findings[field.field_id] = supported(day, evidence)
    return findings


def _chosen_day(
    field: DataCollectionField, days: Sequence[str], source: SearchedTurns
) -> Question[str | None]:
    choice = field.model_copy(update={"enum": tuple(days)})
    answered = yield from ask_twice(
        prompt(source.window, fields_question([field], source.today)),
        CompletionOptions(max_output_tokens=_room_for([field]), schema=values_schema([choice])),
        parse=lambda completion: parse_values(completion.text),
        meter=source.meter,
    )
    day = answered.get(field.field_id)
    return day if isinstance(day, str) and day in days else None


def _unspoken(
    field: DataCollectionField, value: Scalar, source: SearchedTurns
) -> Question[CheckedClaim]:
    """Return what a value comes to that no words say: right only for classes and booleans."""
    if field.type == "boolean":
        evidence = evidence_of_boolean(field, source.turns, source.shown)
        if evidence is None and kind_of_field(field) == "agreement":
            return (yield from _answered(field, value, source))
    elif field.enum:
        evidence = evidence_of_class(field, value, source.turns, source.shown)
    else:
        return (yield from _only_said(field, value, source))
    if evidence is None:
        return NOT_DISCUSSED
    if _is_catch_all(field):
        return supported(value, evidence)
    if field.type != "string":
        # One who says "only me" names a number of riders without its word.
        manner = "boolean" if field.type == "boolean" else "unnamed_class"
        told = yield from _told(field, value, source, manner)
        return supported(value, evidence) if told else unsupported(value, DENIED)
    surest, stands = yield from _surest(field, value, source)
    if not stands.is_yes:
        return unsupported(value, DENIED)
    if surest != value:
        evidence = evidence_of_class(field, surest, source.turns, source.shown) or evidence
    return supported(surest, evidence)


def _answered(
    field: DataCollectionField, value: Scalar, source: SearchedTurns
) -> Question[CheckedClaim]:
    """Return what a yes or no comes to that shares no word with its field."""
    evidence = answer_given(source.turns, source.shown)
    if evidence is None:
        return NOT_DISCUSSED
    question = prompt(source.window, answer_question(field))
    word = yield from ask_word(question, meter=source.meter, bias=TOLD_BIASES["answer"])
    return supported(value, evidence) if word.is_yes else NOT_DISCUSSED


def _only_said(
    field: DataCollectionField, value: Scalar, source: SearchedTurns
) -> Question[CheckedClaim]:
    """Return the one value that can be meant where nobody said the judge's, if it stands by it."""
    evidence = None
    meant = only_meant(field, value, source.turns, source.shown, today=source.today)
    if meant is not None:
        evidence = find_value(field, meant, source.turns, source.shown, today=source.today)
    if meant is None or evidence is None:
        return unsupported(value, "nobody said so")
    told = yield from _told(field, evidence.quote, source, "reworded_day")
    return supported(meant, evidence) if told else unsupported(value, DENIED)


def _told(
    field: DataCollectionField, value: Scalar, source: SearchedTurns, manner: str
) -> Question[bool]:
    bias = TOLD_BIASES[manner]
    return (yield from _asked_whether_told(field, value, source, bias=bias)).is_yes


def _asked_whether_told(
    field: DataCollectionField, value: Scalar, source: SearchedTurns, *, bias: float = 0.0
) -> Question[OneWord]:
    question = prompt(source.window, told_question(field, value, kind_of_field(field)))
    return (yield from ask_word(question, meter=source.meter, bias=bias))


def _is_catch_all(field: DataCollectionField) -> bool:
    return bool(_CATCH_ALL & {allowed.casefold() for allowed in field.enum or ()})


def _surest(
    field: DataCollectionField, value: Scalar, source: SearchedTurns
) -> Question[tuple[Scalar, OneWord]]:
    """Return the class that the judge stands by most, each asked alone, and how far it does.

    In one answer for all fields a small judge leans to the same class for every conversation.
    """
    word = yield from _stands_by(field, value, source)
    others = [allowed for allowed in field.enum or () if allowed != value]
    if word.log_odds is None or field.type != "string" or len(others) >= MAX_CLASSES:
        return value, word
    surest: tuple[Scalar, OneWord] = (value, word)
    highest = word.log_odds
    for other in others:
        word = yield from _stands_by(field, other, source)
        if word.log_odds is not None and word.log_odds > highest:
            surest, highest = (other, word), word.log_odds
    return surest


def _stands_by(
    field: DataCollectionField, value: Scalar, source: SearchedTurns
) -> Question[OneWord]:
    question = prompt(source.window, value_question(field, value))
    return (yield from ask_word(question, meter=source.meter))


def _checked(field: DataCollectionField, claim: Claim, source: SearchedTurns) -> CheckedClaim:
    if not field.is_composite:
        return check_claim(field, claim, source.turns, today=source.today)
    told = leaves_told(field, claim.raw, source)
    if isinstance(told, CheckedClaim):
        return told
    leaves, refused = told
    checked = [_checked_leaf(leaf, claim, source) for leaf in leaves]
    return put_together(field, leaves, checked, refused)


def _checked_leaf(leaf: Leaf, claim: Claim, source: SearchedTurns) -> CheckedClaim:
    """Check one value of several: they may have been said in other turns than the one named."""
    said = find_value(leaf.field, leaf.value, source.turns, source.shown, today=source.today)
    if said is not None:
        return supported(leaf.value, said)
    return check_claim(
        leaf.field, Claim(claim.turn_index, leaf.value), source.turns, today=source.today
    )


def _room_for(fields: Sequence[DataCollectionField]) -> int:
    """Return how many tokens the values may take."""
    return 40 + sum(
        _TOKENS_PER_COMPOSITE if field.is_composite else _TOKENS_PER_FIELD for field in fields
    )


def _folded(answer: object) -> str:
    return str(answer).strip().casefold()
