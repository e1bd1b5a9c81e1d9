"""Typed values of data collection fields. Pure."""

import re
from collections.abc import Mapping
from datetime import date, datetime, time
from typing import cast

from analysis.fields.said_values import moments_said
from analysis.results import FieldValue, Scalar
from analysis.said.language import Language
from analysis.said.numbers import numbers_in
from conversation.agent.criteria import ValueShape

_TRUE = {"true", "yes", "y"}
_FALSE = {"false", "no", "n"}

_NOTHING = {"", "unknown", "none", "null", "n/a", "nothing", "unspecified", "-"}
_NOT_TOLD = re.compile(r"not (?:\w+ )?(?:mentioned|specified|provided|discussed|stated|given|said)")
_NONE_KNOWN = re.compile(
    r"(?:none|nothing|not any|no one|nobody)"
    r"(?: that (?:i|we) know(?: of)?| (?:that )?(?:i am|i'm) aware of| at all| known)"
)
_AT: dict[Language, str] = {"en": "at", "de": "um", "fr": "à", "es": "a las"}
_QUANTITY = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?)(?:\s*(%)|\s+([^\W\d]+(?: [^\W\d]+){0,2}))")
_STATED_UNIT = re.compile(r"\bin ([\w ]+)")


class InvalidValueError(ValueError):
    """An answer is not a value of its field's type."""


class AmbiguousValueError(InvalidValueError):
    """An answer can be several values of its field's type."""

    def __init__(self, message: str, readings: tuple[Scalar, ...]) -> None:
        super().__init__(message)
        self.readings = readings


def typed_value(
    shape: ValueShape,
    raw: object,
    *,
    today: date | None = None,
    language: Language | None = None,
) -> FieldValue:
    """Return `raw`, an answer of the judge, as a value of `shape`.

    Days and times come out in ISO 8601: `2026-03-01`, `15:30:00`, `2026-03-01T15:30:00`. Entries
    of a list and parts of an object that say that there is nothing are left out.

    Args:
        shape: What is asked for.
        raw: The answer, from JSON.
        today: Day of the conversation, for words such as tomorrow.
        language: Of the conversation: `1.500` is fifteen hundred in German.

    Raises:
        AmbiguousValueError: It can be several values of that type.
        InvalidValueError: It is not of that type, or not one of the allowed values.
    """
    if shape.type == "list":
        values, refused = typed_entries(shape, raw, today=today, language=language)
        if refused:
            raise refused[0]
        return list(values)
    if shape.type == "object":
        return _object(shape, raw, today, language)
    return typed_scalar(shape, raw, today=today, language=language)


def typed_scalar(
    shape: ValueShape,
    raw: object,
    *,
    today: date | None = None,
    language: Language | None = None,
) -> Scalar:
    """Return `raw` as a single value; as `typed_value` does for what is no list or object."""
    value: Scalar
    if shape.type == "boolean":
        value = _boolean(raw)
    elif shape.type == "integer":
        value = _integer(raw, language)
    elif shape.type == "number":
        value = _number(raw, language)
    elif shape.type == "string":
        value = without_stated_unit(_string(raw), shape.description)
    else:
        value = _moment(shape, _string(raw), today, language)
    return _allowed(shape, value) if shape.enum else value


def is_nothing(shape: ValueShape, raw: object) -> bool:
    """Return whether an answer says in words that there is no value."""
    if raw is None or raw in ([], {}):
        return True
    if not isinstance(raw, str) or raw in (shape.enum or ()):
        return False
    said = raw.strip().casefold().rstrip(".")
    return said in _NOTHING or bool(_NOT_TOLD.fullmatch(said) or _NONE_KNOWN.fullmatch(said))


def without_stated_unit(text: str, description: str) -> str:
    """Return the number of a quantity whose unit the field's description states already.

    `30 %` of "Humidity in percent" is `30`; `3 nights` of "Length of stay" stays as it is.
    """
    quantity = _QUANTITY.fullmatch(text)
    if quantity is None:
        return text
    stated = description.casefold()
    if quantity[2] or quantity[3].casefold() == "percent":
        return quantity[1] if "percent" in stated else text
    units = {word for phrase in _STATED_UNIT.findall(stated) for word in phrase.split()}
    if units & {"fahrenheit", "celsius"}:
        units.add("degrees")
    return quantity[1] if units & set(quantity[3].casefold().split()) - {"per"} else text


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidValueError(f"{raw!r} is neither true nor false")


def _number(raw: object, language: Language | None) -> float:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    text = raw if isinstance(raw, str) else ""
    numbers = numbers_in(text, language) or numbers_in(text)
    if len(numbers) != 1 or not numbers[0].readings:
        raise InvalidValueError(f"{raw!r} is not a number")
    return numbers[0].readings[0]


def _integer(raw: object, language: Language | None) -> int:
    number = _number(raw, language)
    if number != int(number):
        raise InvalidValueError(f"{raw!r} is not a whole number")
    return int(number)


def _string(raw: object) -> str:
    text = " ".join(str(raw).split()) if isinstance(raw, (str, int, float)) else ""
    if not text or isinstance(raw, bool):
        raise InvalidValueError(f"{raw!r} is not text")
    return text


def _moment(shape: ValueShape, text: str, today: date | None, language: Language | None) -> str:
    kind = {"date": date, "time": time, "datetime": datetime}[shape.type]
    try:
        moment = kind.fromisoformat(text)
    except ValueError:
        # A judge may answer in English about a conversation in another language.
        said = _readings(shape, text, today, language) or _readings(shape, text, today, None)
        if len(said) == 1:
            return str(said[0])
        if said:
            shown = " or ".join(map(str, said))
            raise AmbiguousValueError(f"{text!r} can mean {shown}", said) from None
        day = "" if today else " where the day of the conversation is not known"
        raise InvalidValueError(f"{text!r} is not one {shape.type}{day}") from None
    if isinstance(moment, (time, datetime)):
        moment = moment.replace(tzinfo=None, microsecond=0)
    return moment.isoformat()


def _readings(
    shape: ValueShape, text: str, today: date | None, language: Language | None
) -> tuple[Scalar, ...]:
    said = moments_said(shape, text, today, language)
    leads = (_AT[language],) if language else tuple(_AT.values())
    for lead in leads if shape.type == "time" else ():
        # "16 horas" is a time only because a time was asked for.
        said = said or moments_said(shape, f"{lead} {text}", today, language)
    return tuple(dict.fromkeys(value for each in said for value in each.readings))


def typed_entries(
    shape: ValueShape,
    raw: object,
    *,
    today: date | None = None,
    language: Language | None = None,
) -> tuple[list[Scalar | dict[str, Scalar]], list[InvalidValueError]]:
    """Return the entries of a list as typed values, and what is wrong with each of the others.

    Raises:
        InvalidValueError: It has no entries at all.
    """
    entry = shape.items or ValueShape()
    given = cast("list[object]", raw) if isinstance(raw, list) else [raw]
    values: list[Scalar | dict[str, Scalar]] = []
    refused: list[InvalidValueError] = []
    for each in given:
        if is_nothing(entry, each):
            continue
        try:
            value = (
                _object(entry, each, today, language)
                if entry.parts
                else typed_scalar(entry, each, today=today, language=language)
            )
        except InvalidValueError as error:
            refused.append(error)
            continue
        if value not in values:
            values.append(value)
    if not values and not refused:
        raise InvalidValueError(f"{raw!r} has no entries")
    return values, refused


def _object(
    shape: ValueShape, raw: object, today: date | None, language: Language | None
) -> dict[str, Scalar]:
    if not isinstance(raw, Mapping):
        raise InvalidValueError(f"{raw!r} is not an object with {part_names(shape)}")
    given = cast("Mapping[object, object]", raw)
    unknown = [key for key in given if key not in {part.name for part in shape.parts}]
    if unknown:
        raise InvalidValueError(f"{unknown[0]!r} is none of {part_names(shape)}")
    values: dict[str, Scalar] = {}
    for part in shape.parts:
        if is_nothing(part, given.get(part.name)):
            continue
        try:
            values[part.name] = typed_scalar(part, given[part.name], today=today, language=language)
        except InvalidValueError as error:
            raise InvalidValueError(f"{part.name}: {error}") from error
    missing = missing_parts(shape, values)
    if missing or not values:
        raise InvalidValueError(f"{raw!r} lacks {', '.join(missing) or 'every part'}")
    return values


def missing_parts(shape: ValueShape, values: Mapping[str, Scalar]) -> list[str]:
    """Return the required parts of an object that `values` does not have."""
    return [part.name for part in shape.parts if part.required and part.name not in values]


def part_names(shape: ValueShape) -> str:
    """Return the names of an object's parts, for messages."""
    return ", ".join(part.name for part in shape.parts)


def _allowed(shape: ValueShape, value: Scalar) -> Scalar:
    folded = _fold(str(value))
    for allowed in shape.enum or ():
        if _fold(allowed) == folded:
            return allowed if isinstance(value, str) else value
    raise InvalidValueError(f"{value!r} is not one of {', '.join(shape.enum or ())}")


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").casefold().split())
