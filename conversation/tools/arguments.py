"""Arguments as models write them -> parameters as a tool's JSON schema wants them. Pure.

Only what keeps its meaning is changed: "2" is 2 where a number is wanted, 512 is "512" where a text
is, and JSON inside of a JSON string is taken out of it. All else is told to the model.
"""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from conversation.llm.chat_model import JSONSchema
from conversation.transcript import storable

MAX_REPAIRS = 50
"""Values changed in one call."""
_MAX_RULE_CHARS = 200
_INTEGER = re.compile(r"[+-]?\d{1,18}(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{1,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?")
_MISSING = object()


class ArgumentsError(ValueError):
    """The arguments cannot be used; the message says why, for the model.

    `parameters` is as much of them as could be read.
    """

    def __init__(self, message: str, parameters: dict[str, Any]) -> None:
        super().__init__(message)
        self.parameters = parameters


def read_object(text: str) -> dict[str, Any]:
    """The JSON object that a model wrote, also when it stands in a JSON string.

    Raises:
        ArgumentsError: There is none.
    """
    found: object = text
    for _ in range(3):
        if not isinstance(found, str):
            break
        try:
            found = json.loads(found.strip() or "{}", parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            raise ArgumentsError("its parameters are not JSON", {}) from None
    if found is None:
        return {}
    if not isinstance(found, dict):
        raise ArgumentsError("its parameters are no JSON object", {})
    return cast(dict[str, Any], _storable(cast(object, found)))


def fitted(parameters: Mapping[str, Any], schema: JSONSchema) -> dict[str, Any]:
    """`parameters` as `schema` wants them.

    Raises:
        ArgumentsError: They break a rule of it that only the model can mend.
    """
    from jsonschema import Draft202012Validator

    validator: Any = Draft202012Validator(schema)
    value: dict[str, Any] = json.loads(json.dumps(parameters))
    for _ in range(MAX_REPAIRS):
        try:
            problems: list[Any] = list(validator.iter_errors(value))
        except RecursionError:
            raise ArgumentsError("its parameters are nested too deeply", {}) from None
        if not problems:
            return value
        if not any([_repaired(value, problem) for problem in problems]):
            break
    raise ArgumentsError(_told(next(validator.iter_errors(value))), value)


def _told(problem: Any) -> str:
    where = "/".join(str(step) for step in problem.absolute_path) or "the top level"
    wanted = json.dumps(problem.validator_value, ensure_ascii=False, default=str)[:_MAX_RULE_CHARS]
    rule = f"{problem.validator!r} of its schema at {where}"
    return f"its parameters break the rule {rule}, which is {wanted}"


def _repaired(value: dict[str, Any], problem: Any) -> bool:
    """Change the value that the problem is about; whether that could be done."""
    path: list[str | int] = list(problem.absolute_path)
    if not path:
        return False
    parent: Any = value
    try:
        for step in path[:-1]:
            parent = parent[step]
        found = parent[path[-1]]
    except (KeyError, IndexError, TypeError):  # a repair before this one took it away
        return False
    better = next(_readings(found, problem), _MISSING)
    if better is _MISSING:
        return False
    parent[path[-1]] = better
    return True


def _readings(found: object, problem: Any) -> Iterator[object]:
    """What the value may stand for, by the rule that it breaks."""
    if problem.validator == "type":
        wanted = problem.validator_value
        for kind in [wanted] if isinstance(wanted, str) else wanted:
            reading = _AS_TYPE.get(kind, _nothing)(found)
            if reading is not _MISSING:
                yield reading
    elif problem.validator == "enum":
        yield from _named(found, problem.validator_value)
    elif problem.validator == "const":
        yield from _named(found, [problem.validator_value])
    elif problem.validator in ("anyOf", "oneOf"):
        for each in problem.context:
            if not each.relative_path:
                yield from _readings(found, each)


def _named(found: object, choices: Sequence[object]) -> Iterator[object]:
    """The one choice that is written like the value."""
    if isinstance(found, str | int | float):
        alike = [each for each in choices if _written(each) == _written(found)]
        if len(alike) == 1:
            yield alike[0]


def _written(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.strip().casefold()


def _as_integer(found: object) -> object:
    if isinstance(found, str) and _INTEGER.fullmatch(found.strip()):
        return int(found.strip().partition(".")[0])
    return _MISSING


def _as_number(found: object) -> object:
    whole = _as_integer(found)
    if whole is not _MISSING:
        return whole
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        return float(found.strip())
    return _MISSING


def _as_text(found: object) -> object:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return json.dumps(found) if is_number else _MISSING


def _as_truth(found: object) -> object:
    if isinstance(found, str):
        return {"true": True, "false": False}.get(found.strip().casefold(), _MISSING)
    return _MISSING


def _as_json(kind: type) -> Callable[[object], object]:
    def read(found: object) -> object:
        if not isinstance(found, str):
            return _MISSING
        try:
            inner: object = json.loads(found, parse_constant=_refuse, parse_float=_finite)
        except (ValueError, RecursionError):
            return _MISSING
        return _storable(inner) if isinstance(inner, kind) else _MISSING

    return read


def _nothing(found: object) -> object:
    return _MISSING


_MAX_DEPTH = 100
"""Of objects and lists in each other; what is deeper could be read and never be written again."""
_AS_TYPE: Mapping[str, Callable[[object], object]] = {
    "integer": _as_integer,
    "number": _as_number,
    "string": _as_text,
    "boolean": _as_truth,
    "object": _as_json(dict),
    "array": _as_json(list),
}


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _storable(value: object, depth: int = 0) -> object:
    if depth > _MAX_DEPTH:
        raise ArgumentsError("its parameters are nested too deeply", {})
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        entries = cast(dict[str, object], value).items()
        return {storable(key): _storable(each, depth + 1) for key, each in entries}
    if isinstance(value, list):
        return [_storable(each, depth + 1) for each in cast(list[object], value)]
    return value
