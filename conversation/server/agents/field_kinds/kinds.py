"""Kinds of values, as JSON schemas, and what a value is where it is another kind.

Settings that change nothing here are kept and given back. One of a wrong kind would be given back
too, and the clients' own readers of agents fail at it, for good: so it is refused when it comes.
"""

from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, cast

from conversation.server.errors import ApiError

if TYPE_CHECKING:
    from jsonschema import ValidationError

    class Validator(Protocol):
        """Of the library, as far as it is used here."""

        def iter_errors(self, instance: object) -> Iterable[ValidationError]:
            """What is wrong with it."""
            ...


Schema = dict[str, Any]
MAX_KEY_CHARS = 64
_SAID = "said"
"""In a schema: what is told of a value that breaks its own rule. Validators pass over it."""
_WORDS = {
    "string": "text",
    "integer": "a whole number, written without a point",
    "number": "a number",
    "boolean": "true or false",
    "array": "a list",
    "object": "an object",
}

TEXT: Schema = {"type": ["string", "null"]}
NUMBER: Schema = {"type": ["number", "null"]}
WHOLE: Schema = {"type": ["integer", "null"]}
TRUTH: Schema = {"type": ["boolean", "null"]}
ANYTHING: Schema = {}
VALUE: Schema = {"type": ["string", "number", "boolean", "null"]}
"""Whatever a field of data may hold."""


def part(*needed: str, **fields: Schema) -> Schema:
    """An object with these fields, or null; others are of any kind.

    Args:
        needed: Fields that must be there.
        fields: By name.
    """
    return {"type": ["object", "null"], "properties": fields, "required": list(needed)}


def texts(*names: str) -> dict[str, Schema]:
    """Fields that are all text."""
    return dict.fromkeys(names, TEXT)


def truths(*names: str) -> dict[str, Schema]:
    """Fields that are all true or false."""
    return dict.fromkeys(names, TRUTH)


def numbers(*names: str) -> dict[str, Schema]:
    """Fields that are all numbers."""
    return dict.fromkeys(names, NUMBER)


def wholes(*names: str) -> dict[str, Schema]:
    """Fields that are all whole numbers."""
    return dict.fromkeys(names, WHOLE)


def listed(of: Schema) -> Schema:
    """A list, or null."""
    return {"type": ["array", "null"], "items": _there(of)}


def mapped(of: Schema) -> Schema:
    """An object with any names, or null."""
    return {"type": ["object", "null"], "additionalProperties": _there(of)}


def one_of(*names: str) -> Schema:
    """One of these texts, or null; only where the published clients read no other."""
    return {"enum": [*names, None]}


def either(*kinds: Schema) -> Schema:
    """Any of these kinds, no two of which are of one type."""
    merged: Schema = {"type": sorted({name for each in kinds for name in each["type"]})}
    for each in kinds:
        merged |= {name: value for name, value in each.items() if name != "type"}
    return merged


def any_needed(*names: str) -> Schema:
    """An object of texts that has at least one of these."""
    return part(**texts(*names)) | {
        "anyOf": [{"required": [name]} for name in names] + [{"type": "null"}],
        _SAID: f"needs {' or '.join(f'`{name}`' for name in names)}",
    }


def number_or(*names: str) -> Schema:
    """A number, one of these texts, or null."""
    return {
        "type": ["number", "string", "null"],
        "pattern": f"^({'|'.join(names)})$",
        _SAID: f"must be a number or {' or '.join(f'`{name}`' for name in names)}",
    }


def positive(of: Schema) -> Schema:
    """A number above zero."""
    return of | {"exclusiveMinimum": 0}


def _there(of: Schema) -> Schema:
    if "enum" in of:
        return of | {"enum": [name for name in of["enum"] if name is not None]}
    if isinstance(of.get("type"), list):
        return of | {"type": [name for name in of["type"] if name != "null"]}
    return of


def require_kinds(name: str, schema: Schema, value: object) -> None:
    """Refuse what is not of its kind.

    Args:
        name: Of the whole, such as `conversation_config`.
        schema: What it is; its `$defs` hold what stands in itself.
        value: As it came.

    Raises:
        ApiError: 422, which says where the first wrong part is and what belongs there, and never
            what stood there.
    """
    wrong = next(iter(sorted(_validator(_Held(schema)).iter_errors(value), key=_place)), None)
    if wrong is not None:
        where = ".".join([name, *(str(key)[:MAX_KEY_CHARS] for key in wrong.absolute_path)])
        raise ApiError(422, "invalid_field", f"`{where}` {_should(wrong)}.")


class _Held:
    """A schema that can be a key: the schemas here are made once."""

    def __init__(self, schema: Schema) -> None:
        self.schema = schema

    def __hash__(self) -> int:
        return id(self.schema)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and other.schema is self.schema


@cache
def _validator(held: _Held) -> "Validator":
    from jsonschema import Draft202012Validator  # takes long, and is not needed at the start
    from jsonschema.validators import (
        extend,  # pyright: ignore[reportUnknownVariableType]
    )

    # `600.0` would be given back as it came, and readers of whole numbers fail at it.
    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", _is_whole)
    return cast("Validator", extend(Draft202012Validator, type_checker=checker)(held.schema))


def _is_whole(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _place(error: "ValidationError") -> list[str]:
    return [str(key) for key in error.absolute_path]


def _should(error: "ValidationError") -> str:
    rule = str(error.validator)
    if rule == "exclusiveMinimum":
        return "must be above zero"
    if rule in ("anyOf", "pattern"):
        return str(cast("Mapping[str, object]", error.schema)[_SAID])
    # Of the other rules that stand above, this is the name, or the list of names.
    wanted: Any = error.validator_value
    names: list[Any] = [wanted] if isinstance(wanted, str) else list(wanted)
    if rule == "required":
        there = cast("Mapping[str, object]", error.instance)
        return f"needs {', '.join(f'`{name}`' for name in names if name not in there)}"
    if rule == "enum":
        return f"must be {' or '.join(f'`{name}`' for name in names if name is not None)}"
    return f"must be {' or '.join(_WORDS[name] for name in names if name in _WORDS)}"
