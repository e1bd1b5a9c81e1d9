"""JSON as language models write it, brought into the form that a schema asks for. Pure.

Nothing is guessed: only the way a value is written is changed (case, a number in quotes, prose or a
fence around it, a sentence that is too long), never what it says. What does not fit afterwards is
no answer.
"""

import ast
import json
import re
from collections.abc import Iterator
from typing import Any, cast

from conversation.llm.chat_model import JSONSchema

_REASONING = re.compile(r"<(/?)(?:think|thinking|reasoning|reflection)>", re.IGNORECASE)
_FENCE = re.compile(r"```[\w-]*[ \t]*\n?(.*?)```", re.DOTALL)
_NUMBER_OF = re.compile(
    r"(?:turn|#|\[)?\s*([-+]?\d+(?:[.,]\d+)?)\s*\]?(?:\s*(?:/|of|out of)\s*\d+)?\.?"
)
_MOST_STARTS = 50
"""How many places in a text are tried where a JSON value may begin."""
_LONGEST_LOOSE = 20_000
_STRING_OR_EXTRA = re.compile(
    r"(?P<string>\"(?:[^\"\\]|\\.)*\")|,(?=\s*[}\]])|//[^\n]*|/\*[^*]*\*/", re.DOTALL
)
"""A text stays; a comma before a bracket and a comment outside of texts are left out."""
_TRUE, _FALSE = frozenset({"true", "yes", "y", "1"}), frozenset({"false", "no", "n", "0"})
_SCALARS = frozenset({"string", "integer", "number", "boolean"})
_NOTHING = frozenset({"", "null", "none", "n/a", "unknown", "not applicable"})


def without_reasoning(text: str) -> str:
    """Return what a model answered, without what it thought aloud before."""
    tags = list(_REASONING.finditer(text))
    closing = [tag for tag in tags if tag[1]]
    after = text[closing[-1].end() :] if closing else text
    begun = _REASONING.search(after)
    answer = after[: begun.start()] if begun else after
    return answer.strip() or (text[: tags[0].start()].strip() if tags else "")


def values_in(text: str) -> Iterator[Any]:
    """Yield the JSON values of an answer, the likeliest first: all of it, fences, the last one."""
    answer = without_reasoning(text)
    for part in (answer, *reversed(_FENCE.findall(answer))):
        try:
            yield json.loads(part)
        except (ValueError, RecursionError):
            continue
    embedded = list(_embedded(answer))
    yield from reversed(embedded)
    if not any(isinstance(value, dict) for value in embedded):
        yield from _loosely_written(answer)


def _loosely_written(text: str) -> Iterator[Any]:
    """Yield the object of a text with commas too many, comments, or in the writing of Python."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start or end - start > _LONGEST_LOOSE:
        return
    body = text[start : end + 1]
    plain = _STRING_OR_EXTRA.sub(lambda found: found["string"] or "", body)
    for read in (json.loads, ast.literal_eval):
        try:
            yield read(plain if read is json.loads else body)
        except (ValueError, SyntaxError, TypeError, RecursionError, MemoryError):
            continue
        return


def closed(text: str) -> Any:
    """Return the object of an answer that was cut within its last text; None when it is no such.

    Only a text may be cut: half a number is another number, and half a list is another list.
    """
    answer = without_reasoning(text)
    start = answer.find("{")
    if start < 0:
        return None
    depth, in_text, escaped = 0, False, False
    for char in answer[start:]:
        if escaped:
            escaped = False
        elif in_text:
            escaped = char == "\\"
            in_text = char != '"'
        elif char == '"':
            in_text = True
        elif char in "{[":
            depth += 1
        elif char in "}]":
            depth -= 1
    if not in_text or depth != 1:
        return None
    body = answer[start:-1] if escaped else answer[start:]
    try:
        return json.loads(re.sub(r"\\u[0-9a-fA-F]{0,3}$", "", body) + '"}')
    except (ValueError, RecursionError):
        return None


def fitted(value: Any, schema: JSONSchema) -> Any:
    """Return `value` written as `schema` asks; what cannot be is returned as it is."""
    options = cast("list[JSONSchema] | None", schema.get("anyOf"))
    if options:
        return _fitted_to_one_of(value, options)
    kind = schema.get("type")
    if kind in _SCALARS:
        value = _only_entry(value)
    match kind:
        case "object":
            return _object(value, schema)
        case "array":
            return _list(value, schema)
        case "string":
            return _text(value, schema)
        case "integer" | "number":
            return _number(value)
        case "boolean":
            return _boolean(value)
        case "null":
            return (
                None if isinstance(value, str) and value.strip().casefold() in _NOTHING else value
            )
        case _:
            return value


def follows(value: Any, schema: JSONSchema) -> bool:
    """Whether `value` follows `schema`."""
    import jsonschema

    try:
        jsonschema.validate(value, schema)
    except jsonschema.ValidationError:
        return False
    return True


def _embedded(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    at = tries = 0
    while tries < _MOST_STARTS and (found := re.compile(r"[{\[]").search(text, at)):
        tries += 1
        try:
            value, at = decoder.raw_decode(text, found.start())
        except (ValueError, RecursionError):
            at = found.start() + 1
        else:
            yield value


def _fitted_to_one_of(value: Any, options: list[JSONSchema]) -> Any:
    if any(follows(value, option) for option in options):
        return value
    for option in options:
        candidate = fitted(value, option)
        if follows(candidate, option):
            return candidate
    return value


def _only_entry(value: Any) -> Any:
    if not isinstance(value, list):
        return value
    entries = cast("list[Any]", value)
    return entries[0] if len(entries) == 1 else entries


def _object(value: Any, schema: JSONSchema) -> Any:
    if isinstance(value, list):
        entries = cast("list[Any]", value)
        value = entries[0] if len(entries) == 1 else entries
    if not isinstance(value, dict):
        return value
    properties = cast("dict[str, JSONSchema]", schema.get("properties", {}))
    named = {_plain(name): name for name in properties}
    required = cast("list[str]", schema.get("required", []))
    shaped: dict[str, Any] = {}
    for key, item in cast("dict[str, Any]", value).items():
        name = key if key in properties else named.get(_plain(key))
        if name is None:
            if schema.get("additionalProperties", True):
                shaped[key] = item
            continue
        if item is None and name not in required:
            continue
        if item is None and properties[name].get("type") == "string":
            # No text: an empty one, unless it is one of several that are allowed.
            item = None if "enum" in properties[name] else ""
        shaped.setdefault(name, fitted(item, properties[name]))
    return shaped


def _list(value: Any, schema: JSONSchema) -> Any:
    entries = cast("list[Any]", value) if isinstance(value, list) else [value]
    if not isinstance(value, list | dict):
        return value
    each: JSONSchema = schema.get("items", {})
    return [fitted(entry, each) for entry in entries[: schema.get("maxItems")]]


def _text(value: Any, schema: JSONSchema) -> Any:
    if isinstance(value, bool | int | float):
        value = json.dumps(value)
    if not isinstance(value, str):
        return value
    allowed = cast("list[str] | None", schema.get("enum"))
    if allowed:
        by_plain = {_plain(name): name for name in allowed}
        return value if value in allowed else by_plain.get(_plain(value), value)
    longest = schema.get("maxLength")
    return value if longest is None else _cut(value, longest)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        found = _NUMBER_OF.fullmatch(value.strip().casefold())
        if found is None:
            return value
        value = float(found[1].replace(",", "."))
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _boolean(value: Any) -> Any:
    word = value.strip().strip(".!").casefold() if isinstance(value, str) else str(value)
    return True if word in _TRUE else False if word in _FALSE else value


def _cut(text: str, longest: int) -> str:
    if len(text) <= longest:
        return text
    short = text[: longest - 1]
    border = short.rfind(" ")
    return f"{short[:border] if border > longest // 2 else short}…"


def _plain(name: str) -> str:
    return re.sub(r"[\s_\-.!\"'*`]+", "", name).casefold()
