"""Text, JSON and YAML as they stand in files, without losing what stands there twice. Pure."""

import json
from collections.abc import Hashable
from typing import Any, cast

import yaml

from conversation.importing.roles import RecordError
from kb.formats.decoding import decode

_REPLACED = "\ufffd"


def text_content(data: bytes) -> tuple[str, int]:
    """The text of a file in whatever encoding it is, and how many of its bytes fit none.

    Lines end with one character, whatever ends them in the file.

    Raises:
        RecordError: There is nothing in it.
    """
    text = decode(data).replace("\r\n", "\n").replace("\r", "\n")
    if not text.strip():
        raise RecordError("there is nothing in it")
    own = data.count(_REPLACED.encode())
    return text.lstrip("\ufeff"), max(0, text.count(_REPLACED) - own)


def json_content(text: str) -> object:
    """What JSON text says.

    Raises:
        RecordError: A key stands twice in one mapping: readers of JSON would keep the last alone.
        ValueError: It is no JSON.
    """
    return json.loads(text, object_pairs_hook=_mapping)


def yaml_content(text: str) -> object:
    """What YAML text says; see `json_content`.

    Raises:
        RecordError: A key stands twice in one mapping.
        yaml.YAMLError: It is no YAML.
    """
    return yaml.load(text, Loader=_Loader)  # noqa: S506 - it is a SafeLoader


def _mapping(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        _refuse([key for key, _ in pairs])
    return found


class _Loader(yaml.SafeLoader):
    """Safe, and refuses keys that stand twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        keys = [cast(str, key.value) for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) != len(keys):
            _refuse(keys)
        return super().construct_mapping(node, deep=deep)


def _refuse(keys: list[str]) -> None:
    twice = next(key for key in keys if keys.count(key) > 1)
    raise RecordError(f"the key {twice!r} stands twice in one mapping, and only one can be taken")
