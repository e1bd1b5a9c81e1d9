"""Text, JSON and YAML as they stand in files, without losing what stands there twice. Pure."""

import json
import zlib
from collections.abc import Hashable
from pathlib import Path
from typing import Any, cast

import yaml

from conversation.importing.roles import RecordError
from kb.formats.decoding import decode

_REPLACED = "\ufffd"
PACKED_SUFFIX = ".gz"
_PACKED = b"\x1f\x8b"
"""What every gzip stream begins with, and no text."""


def unpacked(data: bytes, most_bytes: int) -> bytes:
    """What stands in a file that may be packed by gzip, perhaps in several streams.

    Raises:
        RecordError: It is cut off, damaged or holds more than `most_bytes`.
    """
    if not data.startswith(_PACKED):
        return data
    found = bytearray()
    while data.startswith(_PACKED):
        stream = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        try:
            found += stream.decompress(data, most_bytes + 1 - len(found))
        except zlib.error as error:
            raise RecordError("it is packed by gzip, and damaged; fetch it again") from error
        if len(found) > most_bytes:
            raise RecordError(f"it is larger than {most_bytes:,} bytes when unpacked; split it")
        if not stream.eof:
            raise RecordError("it is packed by gzip, and cut off; fetch it again")
        data = stream.unused_data
    return bytes(found)


def suffix_of(file: Path) -> str:
    """How the name of a file ends, whether it is packed or not."""
    return Path(file.name.lower().removesuffix(PACKED_SUFFIX)).suffix


def stands_in_lines(text: str, error: ValueError) -> bool:
    """Whether text that is no JSON, as `error` says, is JSON line by line, as many exports are."""
    if not isinstance(error, json.JSONDecodeError) or error.msg != "Extra data":
        return False
    first = text[: error.pos]
    return "\n" in first and "\n" not in first.strip() and first.strip()[0] in "{["


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


def unreadable(error: Exception) -> str:
    """Why a file or a line cannot be read, for a person."""
    if isinstance(error, RecordError):
        return f"The file cannot be used: {error}."
    # The first line only: a YAML error goes on with an excerpt, and with it what was said.
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return f"It cannot be read ({type(error).__name__}: {reason})."


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
