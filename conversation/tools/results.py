"""Whatever a tool returned -> text for the agent. Never raises. Pure."""

import dataclasses
import json
from collections.abc import Mapping, Set
from typing import Any, cast

from pydantic import BaseModel

from conversation.transcript import storable

MAX_RESULT_CHARS = 4_000


def result_text(result: object) -> str:
    """What stands in the prompt and in the record: JSON where the value has parts, else its text.

    It is cut at `MAX_RESULT_CHARS`.
    """
    if result is None:
        return ""
    try:
        text = result if isinstance(result, str) else _written(result)
    except Exception:  # a class of the application may fail at anything, also at being shown
        text = f"a value of type {type(result).__name__}, which has no text"
    return storable(text)[:MAX_RESULT_CHARS]


def _written(result: object) -> str:
    if isinstance(result, bytes | bytearray):
        return bytes(result).decode("utf-8", "replace")
    has_parts = isinstance(result, Mapping | list | tuple | Set | BaseModel)
    if has_parts or dataclasses.is_dataclass(result):
        return json.dumps(_plain(cast(object, result)), ensure_ascii=False, default=str)
    if isinstance(result, bool):
        return json.dumps(result)
    return str(result)


def _plain(value: object) -> object:
    """The value in types that JSON has; all others become text."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: _plain(getattr(value, field.name)) for field in _fields(value)}
    if isinstance(value, Mapping):
        entries = cast(Mapping[object, object], value).items()
        return {_key(key): _plain(each) for key, each in entries}
    if isinstance(value, list | tuple | Set):
        return [_plain(each) for each in cast(list[object], value)]
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode("utf-8", "replace")
    return value


def _fields(value: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(value)


def _key(key: object) -> str:
    return key if isinstance(key, str) else str(key)
