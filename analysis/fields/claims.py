"""Values that a judge claims, checked in code against the turn that is said to tell them. Pure."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import cast

from analysis.fields.across_turns import moment_in_two_turns, told_nothing
from analysis.fields.corrections import begins_as_correction, corrected
from analysis.fields.only_said import is_no_such_thing
from analysis.fields.said_values import SaidValue, answers_said, is_text, said_as, spoken_span
from analysis.fields.values import (
    AmbiguousValueError,
    InvalidValueError,
    is_nothing,
    typed_value,
)
from analysis.judge.evidence import most_telling_turn, quote_of_turn, shares_words
from analysis.results import Evidence, FieldValue, Scalar, ValueStatus
from analysis.said.language import Language, language_of, language_of_turn
from analysis.said.negation import is_denied
from analysis.said.stance.bounds import is_limit_of_days
from analysis.said.stance.told import is_not_told
from conversation.agent.criteria import DataCollectionField
from conversation.errors import ModelOutputError
from conversation.transcript import Turn


@dataclass(frozen=True, slots=True)
class Claim:
    """A value that the judge says a turn tells."""

    turn_index: int
    raw: object
    """As the judge gave it, not yet of the field's type."""


@dataclass(frozen=True, slots=True)
class CheckedClaim:
    """What a field came to. `value` is set only when `status` is `supported`."""

    status: ValueStatus
    value: FieldValue = None
    rationale: str | None = None
    evidence: tuple[Evidence, ...] = ()
    unsupported_quotes: tuple[str, ...] = ()


NOT_DISCUSSED = CheckedClaim("not_discussed")


def check_claim(
    field: DataCollectionField, claim: Claim, turns: Sequence[Turn], *, today: date | None = None
) -> CheckedClaim:
    """Accept a claimed value only when the turn it names says it.

    A number or text must stand in the turn. An enum may be a class that nobody names, and a
    boolean has no words of its own: then a sentence of the turn is the evidence, unless the turn
    names another allowed value.
    """
    known = 0 <= claim.turn_index < len(turns)
    if is_nothing(field, claim.raw):
        return nothing_told(field, claim.raw, turns, [claim.turn_index] if known else [])
    language = language_of_turn(turns, claim.turn_index) if known else None
    try:
        value = typed_value(field, claim.raw, today=today, language=language)
    except AmbiguousValueError as error:
        return resolved(field, error, turns, [claim.turn_index] if known else [], today=today)
    except InvalidValueError as error:
        return CheckedClaim("invalid", rationale=f"The judge's answer {error}.")
    if not known:
        return unsupported(value, f"there is no turn {claim.turn_index}")
    text = turns[claim.turn_index].text
    said = _said_in(field, value, text, today=today, language=language)
    denied = bool(said and _is_not_told(field, turns, claim.turn_index, said.words))
    if said and not denied:
        finding = found_in(claim.turn_index, value, said)
        return as_corrected(field, finding, turns, today=today)
    if field.type == "datetime" and (
        parts := moment_in_two_turns(value, turns, claim.turn_index, today=today)
    ):
        return CheckedClaim("supported", value, evidence=parts)
    rival = _rival(field, value, turns, claim.turn_index, today=today)
    if rival is not None:
        return CheckedClaim(
            "contradicted",
            rationale=f"The judge answered {value!r}, but turn {claim.turn_index} says otherwise.",
            evidence=(Evidence(turn_index=claim.turn_index, quote=rival),),
        )
    if not denied and (field.enum or field.type == "boolean"):
        quote = quote_of_turn(turns, claim.turn_index, f"{field.description} {value}")
        if quote is not None:
            return supported(value, quote)
    return unsupported(value, f"turn {claim.turn_index} does not say so")


def _said_in(
    field: DataCollectionField,
    value: FieldValue,
    text: str,
    *,
    today: date | None,
    language: Language | None,
) -> SaidValue | None:
    if is_no_such_thing(field, value, language):
        return None
    return said_as(text, value, shape=field, today=today, language=language)


def _is_not_told(field: DataCollectionField, turns: Sequence[Turn], index: int, words: str) -> bool:
    denied = bool(field.enum) and is_denied(turns[index].text, words)
    about = f"{field.field_id} {field.description}"
    if field.type == "date" and is_limit_of_days(turns[index].text, words, about):
        return True
    as_moment = field.type in ("date", "time", "datetime")
    return denied or is_not_told(turns, index, words, as_moment=as_moment)


def nothing_told(
    field: DataCollectionField, raw: object, turns: Sequence[Turn], turn_indexes: Iterable[int]
) -> CheckedClaim:
    """Return the finding of an answer that there is no value: a user may have said just that."""
    told = told_nothing(field, raw, turns, turn_indexes)
    return NOT_DISCUSSED if told is None else supported(*told)


def as_corrected(
    field: DataCollectionField,
    finding: CheckedClaim,
    turns: Sequence[Turn],
    *,
    today: date | None = None,
) -> CheckedClaim:
    """Return `finding` with the value that a user put in its place later, if they did."""
    if finding.status != "supported" or not finding.evidence:
        return finding
    later = corrected(field, finding.value, finding.evidence[0], turns, today=today)
    if later is None:
        return finding
    value, evidence = later
    if field.type == "integer":
        value = int(value)
    return supported(value, evidence)


def resolved(
    field: DataCollectionField,
    error: AmbiguousValueError,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
    *,
    today: date | None = None,
) -> CheckedClaim:
    """Return what an answer that can mean several values comes to by the words that were said.

    The judge may have left out what tells them apart: "at 3:30 pm" answered as `3:30`.
    """
    either: CheckedClaim | None = None
    for index in turn_indexes:
        language = language_of_turn(turns, index)
        for said in answers_said(field, turns[index].text, today=today, language=language):
            meant = [reading for reading in said.readings if reading in error.readings]
            if meant and said.is_certain:
                return found_in(index, meant[0], said)
            if meant:
                either = found_in(index, meant[0], said)
    return either or CheckedClaim("unsupported", rationale=f"The judge's answer {error}.")


def found_in(turn_index: int, value: FieldValue, said: SaidValue) -> CheckedClaim:
    """Return the finding of words that say `value`, or that could as well say something else."""
    evidence = Evidence(turn_index=turn_index, quote=said.words)
    if said.is_certain:
        return supported(value, evidence)
    return ambiguous(said.readings, evidence)


def ambiguous(readings: Sequence[Scalar], evidence: Evidence) -> CheckedClaim:
    """Return the finding of words that can mean several things."""
    shown = " or ".join(_plain(reading) for reading in readings)
    return CheckedClaim(
        "ambiguous",
        rationale=f"{evidence.quote!r} in turn {evidence.turn_index} can mean {shown}.",
        evidence=(evidence,),
    )


def _plain(reading: Scalar) -> str:
    return f"{reading:.10g}" if isinstance(reading, float) else str(reading)


def supported(value: FieldValue, evidence: Evidence) -> CheckedClaim:
    """Return the finding of a value that `evidence` tells."""
    return CheckedClaim("supported", value, evidence=(evidence,))


def unsupported(value: FieldValue, reason: str) -> CheckedClaim:
    """Return the finding of a claimed value that nobody said."""
    return CheckedClaim(
        "unsupported",
        rationale=f"The judge answered {value!r}, but {reason}.",
        unsupported_quotes=(str(value),),
    )


def find_value(
    field: DataCollectionField,
    value: FieldValue,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
    *,
    today: date | None = None,
) -> Evidence | None:
    """Return where `value` was said last: by the user if they said it at all, else by the agent.

    Numbers stand in many sentences: one counts only where its turn, or the turn that it answers,
    speaks of what the field is about, as far as both are in one language.
    """
    finding = _last_said(field, value, turns, turn_indexes, today=today)
    return finding.evidence[0] if finding and finding.status == "supported" else None


def find_ambiguous(
    field: DataCollectionField,
    value: FieldValue,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
    *,
    today: date | None = None,
) -> CheckedClaim | None:
    """Return the finding of words that may say `value`, where none certainly do."""
    finding = _last_said(field, value, turns, turn_indexes, today=today)
    return finding if finding and finding.status == "ambiguous" else None


def _last_said(
    field: DataCollectionField,
    value: FieldValue,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
    *,
    today: date | None,
) -> CheckedClaim | None:
    found: dict[tuple[bool, str], CheckedClaim] = {}
    for index in turn_indexes:
        language = language_of_turn(turns, index)
        text = turns[index].text
        said = _said_in(field, value, text, today=today, language=language)
        if said is None or not (is_text(value) or _speaks_of(field, turns, index)):
            continue
        if not _is_not_told(field, turns, index, said.words):
            found[said.is_certain, turns[index].role] = found_in(index, value, said)
    order = ((True, "user"), (True, "agent"), (False, "user"), (False, "agent"))
    return next((found[key] for key in order if key in found), None)


def _speaks_of(field: DataCollectionField, turns: Sequence[Turn], index: int) -> bool:
    asked = language_of(field.description)
    if asked is not None and asked != (language_of_turn(turns, index) or asked):
        # Words of two languages cannot be compared.
        return True
    # "No, make it three" speaks of what was asked before it was said back.
    turns_before = 3 if begins_as_correction(turns[index].text) else 1
    near = " ".join(turn.text for turn in turns[max(0, index - turns_before) : index + 1])
    return shares_words(near, f"{field.field_id.replace('.', ' ')} {field.description}")


def evidence_of_class(
    field: DataCollectionField,
    value: FieldValue,
    turns: Sequence[Turn],
    turn_indexes: Iterable[int],
) -> Evidence | None:
    """Return what most likely made the judge choose a class that nobody names.

    That is the user's sentence nearest to the field's description, or what they said first.
    """
    by_user = [index for index in turn_indexes if turns[index].role == "user"]
    hint = f"{value} {field.field_id} {field.description}"
    told = most_telling_turn(turns, by_user, hint, min_shared=1)
    return told or next(
        (quote for index in by_user if (quote := quote_of_turn(turns, index, hint))), None
    )


def evidence_of_boolean(
    field: DataCollectionField, turns: Sequence[Turn], turn_indexes: Iterable[int]
) -> Evidence | None:
    """Return the sentence that a boolean is about; None where nothing like it was said."""
    indexes = list(turn_indexes)
    by_name = most_telling_turn(turns, indexes, field.field_id, min_shared=1)
    by_description = most_telling_turn(turns, indexes, field.description, min_shared=2)
    return by_description or by_name


def parse_values(text: str) -> dict[str, object]:
    """Read the judge's object of found fields.

    Raises:
        ModelOutputError: It has another form.
    """
    return dict(_object(text))


def parse_claims(text: str) -> dict[str, Claim]:
    """Read the judge's list of found fields, by field id; of two for one field the first counts.

    Raises:
        ModelOutputError: It has another form.
    """
    items = _object(text).get("fields")
    if not isinstance(items, list):
        raise ModelOutputError("expected an object with a list `fields`.")
    claims: dict[str, Claim] = {}
    for item in cast("list[object]", items):
        field_id, claim = _parse_claim(_mapping(item))
        claims.setdefault(field_id, claim)
    return claims


def require_types(
    fields: Sequence[DataCollectionField],
    raw: Mapping[str, object],
    *,
    today: date | None = None,
) -> None:
    """Refuse an answer with a value that is not of its field's type, so that it is asked again.

    Raises:
        ModelOutputError: Names the field and what is wrong.
    """
    for field in fields:
        if field.field_id in raw and not is_nothing(field, raw[field.field_id]):
            try:
                typed_value(field, raw[field.field_id], today=today)
            except AmbiguousValueError:
                # What was said may tell which.
                continue
            except InvalidValueError as error:
                raise ModelOutputError(f"{field.field_id}: {error}.") from error


def _object(text: str) -> Mapping[str, object]:
    try:
        reply: object = json.loads(text)
    except ValueError as error:
        raise ModelOutputError("expected JSON, and this is none.") from error
    if not isinstance(reply, dict):
        raise ModelOutputError("expected a JSON object.")
    return _mapping(cast("object", reply))


def _parse_claim(item: Mapping[str, object]) -> tuple[str, Claim]:
    field_id, turn = item.get("field"), item.get("turn")
    if not isinstance(field_id, str) or not isinstance(turn, int) or "value" not in item:
        raise ModelOutputError("expected entries with `field`, `turn` (a number) and `value`.")
    return field_id, Claim(turn, item["value"])


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value) if isinstance(value, dict) else {}


def _rival(
    field: DataCollectionField,
    value: FieldValue,
    turns: Sequence[Turn],
    turn_index: int,
    *,
    today: date | None,
) -> str | None:
    """Return the words of a turn that answer the field differently; None where that is not sure.

    It is sure only of the one answer that a text gives: of two numbers either may be meant.
    """
    text, language = turns[turn_index].text, language_of_turn(turns, turn_index)
    if field.enum:
        named = [
            words
            for allowed in field.enum
            if allowed != value and (words := spoken_span(text, allowed, language=language))
        ]
        if len(named) != 1 or _is_not_told(field, turns, turn_index, named[0]):
            return None
        return named[0]
    answers = answers_said(field, text, today=today, language=language)
    if len(answers) != 1 or not answers[0].is_certain:
        return None
    words = answers[0].words
    return None if _is_not_told(field, turns, turn_index, words) else words
