"""Where in a YAML file a problem is, and which key was probably meant."""

import difflib
import re
from types import UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin

import yaml
from pydantic import AliasChoices, BaseModel
from pydantic_core import ErrorDetails

_FREE = re.compile(
    r"headers|constants|variables?|settings|parameters|ur[il]s?(?![a-z])|api_base|origins|"
    r"key|secret|token(?!s)|password",
    re.IGNORECASE,
)
"""Keys under which values of one's own stand, or the name of what is a secret."""
_WORD = re.compile(r"[\w.-]{1,15}")
_DESCRIBED = "a text of "
_ID_PATTERN = re.compile(r"\^\[(?P<first>[^\]]+)\]\[(?P<rest>[^\]]+)\]\{0,(?P<more>\d+)\}\$")
_NAMED_RANGES = {"a-z": "small letters", "A-Z": "capital letters", "0-9": "digits"}
_KINDS: dict[type, str] = {dict: "mapping", list: "list", tuple: "list", bool: "boolean"}


class KeyPath(NamedTuple):
    """Keys and list positions from the top of a file down to one value."""

    parts: tuple[int | str, ...]

    def __str__(self) -> str:
        text = ""
        for part in self.parts:
            text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
        return text


def describe_problem(problem: ErrorDetails, model: type[BaseModel], *, line: int | None) -> str:
    """One line for a person about one problem that validation found."""
    path = KeyPath(tuple(map(_key, problem["loc"])))
    where = f"line {line}, `{path}`" if line is not None else f"`{path}`"
    if problem["type"] == "extra_forbidden":
        key = str(path.parts[-1])
        valid = valid_keys(model, KeyPath(path.parts[:-1]))
        near = difflib.get_close_matches(key, valid, n=1, cutoff=0.5)
        hint = f"did you mean {near[0]!r}?" if near else f"valid keys: {', '.join(valid)}."
        return f"{where}: unknown key {key!r}; {hint}"
    if problem["type"] == "missing":
        return f"{where}: this key is required."
    if problem["type"] == "string_pattern_mismatch":
        told = _form_of(problem.get("ctx", {}).get("pattern", "")) or problem["msg"]
    else:
        told = problem["msg"].removeprefix("Value error, ")
    shown = _shown(problem["input"], path)
    if shown.startswith(_DESCRIBED) and not problem["type"].startswith("string_"):
        # How long it is tells nobody anything; the line is named.
        return f"{where}: {told}."
    return f"{where}: {told}, got {shown}."


def _form_of(pattern: str) -> str | None:
    """What an id may be, in words; None for a pattern that is not made as those of ids are."""
    found = _ID_PATTERN.fullmatch(pattern)
    if found is None:
        return None
    first, rest = (_characters(found[part]) for part in ("first", "rest"))
    begins = "" if first == rest else f", and begin with one of {first}"
    return f"write {rest} only{begins}, at most {int(found['more']) + 1} characters"


def _characters(ranges: str) -> str:
    named = [name for span, name in _NAMED_RANGES.items() if span in ranges]
    left = ranges
    for span in _NAMED_RANGES:
        left = left.replace(span, "")
    return ", ".join([*named, *(f"{sign!r}" for sign in left)])


def valid_keys(model: type[BaseModel], path: KeyPath) -> list[str]:
    """Keys that the mapping at `path` below `model` may have; empty when it is not a mapping."""
    here: type[BaseModel] | None = model
    is_named = False
    for part in path.parts:
        if isinstance(part, int):
            continue
        if is_named:  # a name of one's own, as below `languages`
            is_named = False
            continue
        is_named = here is not None and _is_mapping_field(here, part)
        here = None if here is None else _model_of_field(here, part)
    return [] if here is None else sorted(here.model_fields)


def line_of(root: yaml.Node, path: KeyPath) -> int | None:
    """Line, counted from 1, of the key that `path` names, or of the deepest one that exists."""
    node, line = root, None
    for part in path.parts:
        step = _child(node, part)
        if step is None:
            return line
        line, node = step
    return line


def _child(node: yaml.Node, part: int | str) -> tuple[int, yaml.Node] | None:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == str(part):
                return key.start_mark.line + 1, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(part, int) and part < len(node.value):
        item: yaml.Node = node.value[part]
        return item.start_mark.line + 1, item
    return None


def _model_of_field(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    for name, field in model.model_fields.items():
        alias = field.validation_alias
        names = [name, *(alias.choices if isinstance(alias, AliasChoices) else [alias])]
        if key in names:
            return _model_in(field.annotation)
    return None


def _is_mapping_field(model: type[BaseModel], key: str) -> bool:
    field = model.model_fields.get(key)
    return field is not None and get_origin(field.annotation) is dict


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The first record type inside `X`, `X | None`, `tuple[X, ...]` or `dict[str, X]`."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) in (Union, UnionType, tuple, list, dict):
        for argument in get_args(annotation):
            found = _model_in(argument)
            if found is not None:
                return found
    return None


def _key(part: int | str) -> int | str:
    """A key up to a blank, colon or slash: `{Bearer abc}` reads as a key to YAML."""
    if isinstance(part, int):
        return part
    word = re.split(r"[\s:/]", part, maxsplit=1)[0]
    return word if word == part else f"{word}..."


def _shown(value: object, path: KeyPath) -> str:
    """A value as an error may repeat it, which ends up in logs: never what may be a secret.

    Settings are words and numbers. What is longer, made of more than one, or stands where secrets,
    addresses and values of one's own stand, is described; its line is named beside it.
    """
    may_be_secret = any(_FREE.search(part) for part in path.parts if isinstance(part, str))
    if value is None or (isinstance(value, int | float) and not may_be_secret):
        return repr(value)
    # An id is what messages, reports and views call a thing.
    is_shown = _WORD.fullmatch(str(value)) or path.parts[-1:] == ("id",)
    if isinstance(value, str) and (may_be_secret or not is_shown):
        return f"{_DESCRIBED}{len(value)} characters" if value else "an empty text"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else f"{value[:37]}...")
    return f"a {_KINDS.get(type(value), type(value).__name__)}"
