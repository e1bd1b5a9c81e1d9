"""Typed values of data collection fields, and the words that say them. Pure."""

import re

from analysis.evidence import verbatim
from analysis.results import FieldValue
from conversation.config import DataCollectionField

_NUMERAL = re.compile(r"(?<![\w.])[-+]?\d[\d,]*(?:\.\d+)?")
_NUMBER_WORDS = {
    **{"zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7},
    **{"eight": 8, "nine": 9, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13},
    **{"fourteen": 14, "fifteen": 15, "sixteen": 16, "seventeen": 17, "eighteen": 18},
    **{"nineteen": 19, "twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60},
    **{"seventy": 70, "eighty": 80, "ninety": 90},
}
_SCALES = {"hundred": 100, "thousand": 1_000, "million": 1_000_000}
_ANY_WORD = "|".join([*_NUMBER_WORDS, *_SCALES])
_SPELLED = re.compile(
    # Not the "one" of "one-way".
    rf"\b(?:{_ANY_WORD})(?:[\s-]+(?:and\s+)?(?:{_ANY_WORD}))*\b(?!-)",
    re.IGNORECASE,
)
_TRUE = {"true", "yes", "y"}
_FALSE = {"false", "no", "n"}

_NOTHING = {"", "unknown", "none", "null", "n/a", "nothing", "unspecified", "-"}
_NOT_TOLD = re.compile(r"not (?:\w+ )?(?:mentioned|specified|provided|discussed|stated|given|said)")
_QUANTITY = re.compile(r"([-+]?\d[\d,]*(?:\.\d+)?)(?:\s*(%)|\s+([^\W\d]+(?: [^\W\d]+){0,2}))")
_STATED_UNIT = re.compile(r"\bin ([\w ]+)")


class InvalidValueError(ValueError):
    """An answer is not a value of its field's type."""


def typed_value(field: DataCollectionField, raw: object) -> FieldValue:
    """Return `raw`, an answer of the judge, as the type of `field`.

    Raises:
        InvalidValueError: It is not of that type, or not one of the allowed values.
    """
    if field.type == "boolean":
        value: FieldValue = _boolean(raw)
    elif field.type == "integer":
        value = _integer(raw)
    elif field.type == "number":
        value = _number(raw)
    else:
        value = without_stated_unit(_string(raw), field.description)
    return _allowed(field, value) if field.enum else value


def is_nothing(field: DataCollectionField, raw: object) -> bool:
    """Return whether an answer says in words that there is no value."""
    if raw is None:
        return True
    if not isinstance(raw, str) or raw in (field.enum or ()):
        return False
    said = raw.strip().casefold().rstrip(".")
    return said in _NOTHING or _NOT_TOLD.fullmatch(said) is not None


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
    return quantity[1] if units & set(quantity[3].casefold().split()) - {"per"} else text


def spoken_span(text: str, value: FieldValue) -> str | None:
    """Return the shortest words of `text` that say `value`, as they stand there; None otherwise.

    A number is said by its digits or its words; a string by itself, or with a space for each
    underscore. A boolean has no words of its own.
    """
    if value is None or isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return next((span for span, number in numbers_in(text) if number == value), None)
    for words in (value, value.strip(" .,;:!?\"'"), value.replace("_", " ")):
        found = verbatim(text, words, whole_words=True)
        if found:
            return found
    return None


def numbers_in(text: str) -> list[tuple[str, float]]:
    """Return each number said in `text`: its words, and its value."""
    found = [
        (match.start(), match.group(), float(match.group().replace(",", "")))
        for match in _NUMERAL.finditer(text)
    ]
    found += [
        (match.start(), match.group(), float(_value_of_words(match.group())))
        for match in _SPELLED.finditer(text)
    ]
    return [(words, value) for _, words, value in sorted(found)]


def _value_of_words(words: str) -> int:
    total = part = 0
    for word in re.findall(r"[a-z]+", words.casefold()):
        if word in _NUMBER_WORDS:
            part += _NUMBER_WORDS[word]
        elif word == "hundred":
            part = max(part, 1) * 100
        elif word in _SCALES:
            total += max(part, 1) * _SCALES[word]
            part = 0
    return total + part


def _boolean(raw: object) -> bool:
    if isinstance(raw, bool):
        return raw
    word = str(raw).strip().casefold()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise InvalidValueError(f"{raw!r} is neither true nor false")


def _number(raw: object) -> float:
    if isinstance(raw, (int, float)) and not isinstance(raw, bool):
        return float(raw)
    numbers = numbers_in(str(raw))
    if len(numbers) != 1:
        raise InvalidValueError(f"{raw!r} is not a number")
    return numbers[0][1]


def _integer(raw: object) -> int:
    number = _number(raw)
    if number != int(number):
        raise InvalidValueError(f"{raw!r} is not a whole number")
    return int(number)


def _string(raw: object) -> str:
    text = " ".join(str(raw).split()) if isinstance(raw, (str, int, float)) else ""
    if not text or isinstance(raw, bool):
        raise InvalidValueError(f"{raw!r} is not text")
    return text


def _allowed(field: DataCollectionField, value: FieldValue) -> FieldValue:
    folded = _fold(str(value))
    for allowed in field.enum or ():
        if _fold(allowed) == folded:
            return allowed if isinstance(value, str) else value
    raise InvalidValueError(f"{value!r} is not one of {', '.join(field.enum or ())}")


def _fold(text: str) -> str:
    return " ".join(text.replace("_", " ").replace("-", " ").casefold().split())
