"""Arguments as models write them -> parameters as a tool's JSON schema wants them. Pure.

Only what keeps its meaning is changed: "2" is 2 where a number is wanted, 512 is "512" where a text
is, and JSON inside of a JSON string is taken out of it. All else is told to the model.
"""

import json
import math
import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from typing import Any, cast

from conversation.llm.chat_model import JSONSchema
from conversation.transcript import storable

MAX_REPAIRS = 50
"""Values changed in one call."""
_MAX_RULE_CHARS = 200
_MAX_UNIONS = 4
"""Unions within unions."""
_INTEGER = re.compile(r"[+-]?\d{1,100}(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?(?:\d{1,18}(?:\.\d{0,18})?|\.\d{1,18})(?:[eE][+-]?\d{1,2})?")
_MOST_EXACT = 2**53
"""Up to here every whole number is one of its own as a floating-point number, too."""
_FENCED = re.compile(r"```[\w-]*[ \t]*\n?(?P<inside>.*?)```", re.DOTALL)
_WRAPPERS = frozenset({"parameters", "arguments", "args", "input"})
_TRUTH = {"true": True, "yes": True, "false": False, "no": False}
_SEVERAL = re.compile(r"[,;\n]")
_BETWEEN_WORDS = re.compile(r"(?<=\w)[\s_-]+(?=\w)|(?<=[a-z])(?=[A-Z])")
_MISSING = object()


class _Written(float):
    """A number with a point, as it was written: `1.10` may be a version."""

    digits = ""


class ArgumentsError(ValueError):
    """The arguments cannot be used; the message says why, for the model.

    `parameters` is as much of them as could be read.
    """

    def __init__(self, message: str, parameters: dict[str, Any]) -> None:
        super().__init__(message)
        self.parameters = parameters


def read_object(text: str) -> dict[str, Any]:
    """The JSON object that a model wrote, also in a JSON string, in a fence or alone in a list.

    Raises:
        ArgumentsError: There is none.
    """
    found: object = text
    for _ in range(3):
        if not isinstance(found, str):
            break
        found = _loaded(_unfenced(found.strip("\ufeff\x00 \t\r\n")) or "{}")
    if found is None:
        return {}
    if isinstance(found, list) and len(cast(list[object], found)) == 1:
        found = cast(list[object], found)[0]
    if not isinstance(found, dict):
        raise ArgumentsError("its parameters are no JSON object", {})
    return cast(dict[str, Any], _storable(cast(object, found)))


def _loaded(text: str) -> object:
    try:
        return json.loads(
            text, parse_constant=_refuse, parse_float=_finite, object_pairs_hook=_each_once
        )
    except (ValueError, RecursionError) as error:
        if isinstance(error, ArgumentsError):
            raise
        raise ArgumentsError("its parameters are not JSON", {}) from None


def _unfenced(text: str) -> str:
    fenced = _FENCED.fullmatch(text)
    return fenced["inside"].strip() if fenced else text


def _each_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found: dict[str, object] = {}
    for name, value in pairs:
        if name in found and found[name] != value:
            raise ArgumentsError(f"its parameters have two values for {name[:64]!r}", {})
        found[name] = value
    return found


def fitted(parameters: Mapping[str, Any], schema: JSONSchema) -> dict[str, Any]:
    """`parameters` as `schema` wants them.

    Raises:
        ArgumentsError: They break a rule of it that only the model can mend.
    """
    validator = _validator_class()(schema)
    given = _unwrapped(dict(parameters), schema)
    try:
        value, problem = _mended(deepcopy(given), validator)
        if problem is not None:
            raise ArgumentsError(_told(problem), cast(dict[str, Any], plain(given)))
        return cast(dict[str, Any], plain(value))
    except RecursionError:
        raise ArgumentsError("its parameters are nested too deeply", {}) from None


@cache
def _validator_class() -> Any:
    """By which 2.0 is no integer: it is to become one."""
    import jsonschema

    library: Any = jsonschema
    base = library.Draft202012Validator
    types = base.TYPE_CHECKER.redefine("integer", _is_integer)
    rules = {name: _or_null(base.VALIDATORS[name]) for name in ("type", "enum", "const")}
    return library.validators.extend(base, rules, type_checker=types)


def _or_null(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule of the schema that lets null be where OpenAPI's `nullable` does."""

    def checked(validator: Any, wanted: Any, value: object, schema: Any) -> Iterator[Any]:
        if value is None and schema.get("nullable") is True:
            return
        yield from rule(validator, wanted, value, schema) or ()

    return checked


def _is_integer(_checker: object, value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _unwrapped(given: dict[str, Any], schema: JSONSchema) -> dict[str, Any]:
    """What stands in `{"arguments": {...}}`, where that is no parameter of the tool."""
    (name, inside), *others = [*given.items()] or [("", None)]
    is_own = name in schema.get("properties", {}) or schema.get("required") == [name]
    if others or is_own or name not in _WRAPPERS or not isinstance(inside, dict):
        return given
    return cast(dict[str, Any], inside)


def _mended(value: object, validator: Any, *, unions: int = _MAX_UNIONS) -> tuple[object, Any]:
    """The value after every repair that can be made, and a rule that it still breaks."""
    whole: dict[str, Any] = {"value": value}
    for _ in range(MAX_REPAIRS):
        problems: list[Any] = list(validator.iter_errors(whole["value"]))
        if not problems:
            return whole["value"], None
        if not any([_repaired(whole, each, validator, unions) for each in problems]):
            break
    return whole["value"], next(validator.iter_errors(whole["value"]), None)


def plain(value: object) -> object:
    """What `read_object` returned, without how its numbers were written."""
    if isinstance(value, _Written):
        return float(value)
    if isinstance(value, dict):
        return {key: plain(each) for key, each in cast(dict[str, object], value).items()}
    if isinstance(value, list):
        return [plain(each) for each in cast(list[object], value)]
    return value


def _told(problem: Any) -> str:
    where = "/".join(str(step) for step in problem.absolute_path) or "the top level"
    wanted = json.dumps(problem.validator_value, ensure_ascii=False, default=str)[:_MAX_RULE_CHARS]
    rule = f"{problem.validator!r} of its schema at {where}"
    return f"its parameters break the rule {rule}, which is {wanted}"


def _repaired(whole: dict[str, Any], problem: Any, validator: Any, unions: int) -> bool:
    """Change the value that the problem is about; whether that could be done."""
    path: list[str | int] = ["value", *problem.absolute_path]
    parent: Any = whole
    try:
        for step in path[:-1]:
            parent = parent[step]
        found = parent[path[-1]]
    except (KeyError, IndexError, TypeError):  # a repair before this one took it away
        return False
    better = _MISSING
    if found is not None or not isinstance(parent, dict) or parent is whole:
        better = next(_readings(found, problem, validator, unions), _MISSING)
    if better is not _MISSING:
        parent[path[-1]] = better
    elif _is_nothing(found) and isinstance(parent, dict) and parent is not whole:
        del parent[path[-1]]  # no value is none; where one is required, that is told
    else:
        return False
    return True


def _is_nothing(found: object) -> bool:
    return found is None or (isinstance(found, str) and not found.strip())


def _readings(found: object, problem: Any, validator: Any, unions: int) -> Iterator[object]:
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
    elif problem.validator in ("anyOf", "oneOf") and unions:
        for option in problem.validator_value:
            branch = validator.evolve(schema=option)
            value, left = _mended(deepcopy(found), branch, unions=unions - 1)
            if left is None:
                yield value


def _named(found: object, choices: Sequence[object]) -> Iterator[object]:
    """The one choice that is written like the value, else like it but for signs between words."""
    if not isinstance(found, str | int | float):
        return
    for written in (_written, _words):
        alike = [each for each in choices if written(each) == written(found)]
        if len(alike) == 1:
            yield alike[0]
        if alike:
            return


def _written(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return unicodedata.normalize("NFKC", text.strip().strip("\"'")).casefold()


def _words(value: object) -> str:
    """`express shipping` and `ExpressShipping` name the choice `express_shipping`."""
    text = value if isinstance(value, str) else json.dumps(value)
    return _written(_BETWEEN_WORDS.sub(" ", text))


def _as_integer(found: object) -> object:
    if isinstance(found, str) and _INTEGER.fullmatch(found.strip()):
        return int(found.strip().partition(".")[0])
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        found = float(found.strip())
    if isinstance(found, float) and found.is_integer() and abs(found) <= _MOST_EXACT:
        return int(found)
    return _MISSING


def _as_number(found: object) -> object:
    whole = _as_integer(found)
    if whole is not _MISSING:
        return whole
    if isinstance(found, str) and _NUMBER.fullmatch(found.strip()):
        return float(found.strip())
    return _MISSING


def _as_text(found: object) -> object:
    if isinstance(found, _Written):
        return found.digits
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return json.dumps(found) if is_number else _MISSING


def _as_truth(found: object) -> object:
    return _TRUTH.get(found.strip().casefold(), _MISSING) if isinstance(found, str) else _MISSING


def _as_null(found: object) -> object:
    is_none = isinstance(found, str) and found.strip().casefold() in ("null", "none")
    return None if is_none else _MISSING


def _as_list(found: object) -> object:
    """JSON in a text, else the one entry that was meant; a text may name several."""
    inner = _as_json(list)(found)
    several = isinstance(found, str) and (_SEVERAL.search(found) or not found.strip())
    if inner is not _MISSING or several:
        return inner
    return [found]


def _as_json(kind: type) -> Callable[[object], object]:
    def read(found: object) -> object:
        if not isinstance(found, str):
            return _MISSING
        try:
            inner = _loaded(_unfenced(found.strip()))
        except ArgumentsError:
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
    "array": _as_list,
    "null": _as_null,
}


def _refuse(constant: str) -> object:
    raise ValueError(f"{constant} is no JSON")


def _finite(digits: str) -> float:
    number = _Written(digits)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    number.digits = digits
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
