"""What the header of a GGUF file says of its model, and which file it is."""

import hashlib
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

_SIZES = {0: 1, 1: 1, 2: 2, 3: 2, 4: 4, 5: 4, 6: 4, 7: 1, 10: 8, 11: 8, 12: 8}
"""Bytes of each type of value that has a fixed size, by its number in the format."""
_STRING, _ARRAY = 8, 9
_UNSIGNED = {0: "<B", 2: "<H", 4: "<I", 10: "<Q"}
_LONGEST_KEY = 1_024
_MOST_ENTRIES = 10_000


_ENOUGH = frozenset(
    {
        "context_length",
        "block_count",
        "embedding_length",
        "attention.head_count",
        "attention.head_count_kv",
    }
)
_SAMPLED_BYTES = 1 << 16
_SAMPLES = 64


def weights_fingerprint(path: Path) -> str:
    """Digest of a weights file: its size, its header, and samples of the rest.

    Two files that differ in their weights differ in nearly every block, so that nobody has to wait
    until a gigabyte is read.

    Raises:
        OSError: The file cannot be read.
    """
    size = path.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with path.open("rb") as file:
        digest.update(file.read(_SAMPLES * _SAMPLED_BYTES))
        for sample in range(1, _SAMPLES + 1):
            file.seek(max(0, size * sample // _SAMPLES - _SAMPLED_BYTES))
            digest.update(file.read(_SAMPLED_BYTES))
    return digest.hexdigest()


def trained_context_tokens(path: Path) -> int | None:
    """How many tokens the model was trained to read at once; None when the file does not say."""
    return _header_numbers(path).get("context_length")


def kept_bytes_per_token(path: Path) -> int | None:
    """Memory that an engine keeps for each token of a prompt; None when the file does not say.

    Two numbers of two bytes for each part of a key and a value, in every layer.
    """
    told = _header_numbers(path)
    try:
        heads = told["attention.head_count"]
        width = told["embedding_length"] // heads
        key = told.get("attention.key_length", width)
        value = told.get("attention.value_length", width)
        shared = told.get("attention.head_count_kv", heads)
        return told["block_count"] * shared * (key + value) * 2
    except (KeyError, ZeroDivisionError):
        return None


def _header_numbers(path: Path) -> dict[str, int]:
    """Whole numbers of the header by key, without the name of the model's kind before it."""
    numbers: dict[str, int] = {}
    try:
        with path.open("rb") as file:
            for key, number in _numbers_in(file):
                numbers[key.partition(".")[2]] = number
                if numbers.keys() >= _ENOUGH:
                    break  # before the words of the tokenizer, which are many
    except (OSError, struct.error, UnicodeDecodeError):
        pass  # a file that breaks off says what stood before
    return numbers


def _numbers_in(file: BinaryIO) -> Iterator[tuple[str, int]]:
    if file.read(4) != b"GGUF":
        return
    _version, _tensors, entries = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(entries, _MOST_ENTRIES)):
        length = _number(file, "<Q")
        if length > _LONGEST_KEY:
            return
        key = file.read(length).decode()
        kind = _number(file, "<I")
        if kind in _UNSIGNED:
            yield key, _number(file, _UNSIGNED[kind])
        else:
            _skip(file, kind)


def _skip(file: BinaryIO, kind: int) -> None:
    if kind == _STRING:
        file.seek(_number(file, "<Q"), 1)
    elif kind != _ARRAY:
        file.seek(_size(kind), 1)
    else:
        of, count = _number(file, "<I"), _number(file, "<Q")
        if of == _STRING:
            for _ in range(count):
                file.seek(_number(file, "<Q"), 1)
        else:
            file.seek(count * _size(of), 1)


def _size(kind: int) -> int:
    if kind not in _SIZES:
        raise struct.error(f"unknown type {kind}")
    return _SIZES[kind]


def _number(file: BinaryIO, form: str) -> int:
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]
